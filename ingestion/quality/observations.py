"""Rows of measurements as arrays: what is judged, and what it is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.places import Network, Station
from air.pollutants import Pollutant
from ingestion.quality.neighbours import Flags
from ingestion.reading import RawMeasurement

Hours = NDArray[np.int64]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_POLLUTANTS: Final = tuple(Pollutant)
NOT_JUDGED: Final = 0
"""Stands in an array for a verdict that there is not."""

DECIMALS: Final[Mapping[Pollutant, int]] = {
    Pollutant.PM25: 2,
    Pollutant.PM10: 2,
    Pollutant.O3: 4,
    Pollutant.NO2: 4,
    Pollutant.CO: 4,
    Pollutant.SO2: 4,
}
"""How many decimals are kept: the network publishes gases to 0.0001 ppm at best, particles to 1 µg/m³."""


@dataclass(frozen=True, slots=True)
class Place:
    """What bears on a station's neighbourhood."""

    latitude: float
    longitude: float
    roadside: bool

    @classmethod
    def of(cls, station: Station) -> Place:
        """Where a station stands."""
        return cls(station.location.latitude, station.location.longitude, station.network is Network.ROADSIDE)


@dataclass(frozen=True, slots=True)
class Observations:
    """N station-hours, each once.

    Attributes:
        stations: Their ids, N.
        hours: Hours since 1970 in UTC, shape (N,).
        values: Raw numbers as they are kept, shape (N, P), pollutants in the order of `Pollutant`; NaN where missing.
        flagged: True where the network flagged the value, shape (N, P).
        verdicts: Packed verdicts, shape (N, P); `NOT_JUDGED` where there is none.
        places: By station.
    """

    stations: Sequence[str]
    hours: Hours
    values: Floats
    flagged: Flags
    verdicts: NDArray[np.int32]
    places: Mapping[str, Place]

    def __len__(self) -> int:
        return len(self.stations)

    def since(self, hour: int) -> Observations:
        """Those of this hour and later."""
        chosen = self.hours >= hour
        stations = [station for station, is_chosen in zip(self.stations, chosen.tolist(), strict=True) if is_chosen]
        columns = (self.values[chosen], self.flagged[chosen], self.verdicts[chosen])
        return Observations(stations, self.hours[chosen], *columns, self.places)


def observations(rows: Iterable[tuple[Station, RawMeasurement]]) -> Observations:
    """What a source's rows say, before anyone has judged it."""
    stations: list[str] = []
    hours: list[int] = []
    values: list[list[float]] = []
    flagged: list[list[bool]] = []
    places: dict[str, Place] = {}
    for station, row in rows:
        stations.append(station.station_id)
        hours.append(hour_number(row.measured_at))
        raw = [row.raw.get(pollutant) for pollutant in _POLLUTANTS]
        values.append([np.nan if value is None or value.number is None else value.number for value in raw])
        flagged.append([value is not None and value.flag is not None for value in raw])
        if station.station_id not in places:
            places[station.station_id] = Place.of(station)
    shape = (len(stations), len(Pollutant))
    return Observations(
        stations,
        np.array(hours, dtype=np.int64),
        as_kept(np.array(values, dtype=np.float64).reshape(shape)),
        np.array(flagged, dtype=np.bool_).reshape(shape),
        np.full(shape, NOT_JUDGED, dtype=np.int32),
        places,
    )


def as_kept(values: Floats) -> Floats:
    """Raw numbers, shape (N, P), with as many decimals as are kept: what is judged is what will be read back."""
    kept = np.empty_like(values)
    for i, pollutant in enumerate(Pollutant):
        # Adding 0.0 turns the -0.0 that rounding may leave into 0.0.
        kept[:, i] = np.round(values[:, i], DECIMALS[pollutant]) + 0.0
    # What is no number at all was not measured.
    kept[~np.isfinite(kept)] = np.nan
    return kept


def hour_number(time: datetime) -> int:
    """The hour that a time is in, counted from 1970 in UTC."""
    return (time - _EPOCH) // _HOUR


def hour_time(number: int) -> datetime:
    """The start of an hour."""
    return _EPOCH + number * _HOUR
