"""The last hours of every station: what a model looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.scale import INPUT_POLLUTANTS

Floats = NDArray[np.float32]

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORECAST: Final = len(FORECAST_POLLUTANTS)


def hour_of(time: datetime) -> int:
    """Whole hours since 1970-01-01T00Z."""
    return (time - _EPOCH) // _HOUR


def time_of(hour: int) -> datetime:
    """The time of a whole hour."""
    return _EPOCH + hour * _HOUR


@dataclass(frozen=True, slots=True)
class Reading:
    """What one station measured in the hour that ends at `measured_at`.

    Attributes:
        values: In network units, in the order of `INPUT_POLLUTANTS`; None where nothing usable was measured.
        revision: One more at each correction by the network.
    """

    station: Station
    measured_at: datetime
    values: tuple[float | None, ...]
    revision: int


@dataclass(frozen=True, slots=True, eq=False)
class StationHours:
    """The hours of one station up to its newest reading.

    Attributes:
        station: As the newest reading described it.
        newest_hour: The hour of the newest reading, which may have brought no value.
        values: (hours, INPUT_POLLUTANTS), oldest first, NaN where nothing was measured.
    """

    station: Station
    newest_hour: int
    values: Floats

    @property
    def newest_measured_at(self) -> datetime | None:
        """The newest hour with a value of what is forecast."""
        measured = np.flatnonzero(np.isfinite(self.values[:, :_FORECAST]).any(axis=1))
        if not len(measured):
            return None
        return time_of(self.newest_hour - (len(self.values) - 1 - int(measured[-1])))


class ReadingWindow:
    """The last `hours` hours of every station, each up to its own newest reading.

    It never changes: `with_readings` makes the next one, so that what fails to be stored has not happened.
    """

    def __init__(self, hours: int, stations: Mapping[str, StationHours] | None = None) -> None:
        self.hours: Final = hours
        self._stations: Final = dict(stations or {})

    @property
    def stations(self) -> Mapping[str, StationHours]:
        """By station_id."""
        return self._stations

    @property
    def newest_hour(self) -> int | None:
        """The newest hour of any station."""
        return max((station.newest_hour for station in self._stations.values()), default=None)

    def with_readings(self, readings: Iterable[Reading]) -> tuple[Self, frozenset[str]]:
        """The window with the readings in it, in their order, and the stations whose hours they changed.

        A reading that is older than its station's window changes nothing.
        """
        by_station: dict[str, list[Reading]] = {}
        for reading in readings:
            by_station.setdefault(reading.station.station_id, []).append(reading)
        stations = dict(self._stations)
        changed = set()
        for station_id, own in by_station.items():
            before = stations.get(station_id)
            after = self._extended(before, own)
            stations[station_id] = after
            if before is None or not _same(before, after):
                changed.add(station_id)
        return type(self)(self.hours, stations), frozenset(changed)

    def _extended(self, before: StationHours | None, readings: list[Reading]) -> StationHours:
        newest = max(hour_of(reading.measured_at) for reading in readings)
        station = readings[-1].station
        values = np.full((self.hours, len(INPUT_POLLUTANTS)), np.nan, dtype=np.float32)
        if before is not None:
            newest = max(newest, before.newest_hour)
            passed = newest - before.newest_hour
            if passed < self.hours:
                values[: self.hours - passed] = before.values[passed:]
        for reading in readings:
            row = self.hours - 1 - (newest - hour_of(reading.measured_at))
            if row >= 0:
                values[row] = [np.nan if value is None else value for value in reading.values]
        values.setflags(write=False)
        return StationHours(station, newest, values)


def _same(before: StationHours, after: StationHours) -> bool:
    return (
        before.newest_hour == after.newest_hour
        and before.station == after.station
        and np.array_equal(before.values, after.values, equal_nan=True)
    )
