"""The simulated AirKorea: a server that publishes the air of the simulated city, hour by hour, in the real format."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from pydantic import Field

from air.index import Grade, grade_of, index_of_hour, sub_index
from air.places import Network
from air.pollutants import Pollutant
from mesh.clock import Clock, system_clock
from mesh.logs import configure_logs
from mesh.settings import MeshSettings
from simulation.air import KST, SimulatedAir, Site, hour_number, hour_time
from simulation.airkorea_server import MEASUREMENTS, AirKoreaServer, Reply, Request, WireRow, page_of
from simulation.city import districts
from simulation.foreground import until_interrupted
from simulation.noise import Floats, Noise

SIMULATED: Final = "모의"
"""What marks as simulated: the start of each station's name and network, and the province."""

NO_CONTACT: Final = "통신장애"

_HOUR: Final = timedelta(hours=1)
_NETWORKS: Final = {
    Network.URBAN: "도시대기",
    Network.ROADSIDE: "도로변대기",
    Network.SUBURBAN: "교외대기",
    Network.PORT: "항만",
    Network.BACKGROUND: "국가배경농도",
}
_COLUMNS: Final = {
    Pollutant.SO2: "so2",
    Pollutant.CO: "co",
    Pollutant.O3: "o3",
    Pollutant.NO2: "no2",
    Pollutant.PM10: "pm10",
    Pollutant.PM25: "pm25",
}
_DECIMALS: Final = {
    Pollutant.SO2: 3,
    Pollutant.CO: 1,
    Pollutant.O3: 3,
    Pollutant.NO2: 3,
    Pollutant.PM10: 0,
    Pollutant.PM25: 0,
}
_GRADES: Final = {grade: str(number) for number, grade in enumerate(Grade, start=1)}
# What the index needs of particles: its own moving average over half a day.
_LONG_HOURS: Final = 12
_SHORT_HOURS: Final = 4
_STEADY: Final = (0.9, 1.7)
_WEIGHED_FROM: Final = {Pollutant.PM10: 70.0, Pollutant.PM25: 30.0}
_STATION_OUT_HOURS: Final = 12
_STATION_OUT: Final = 0.01
_INSTRUMENT_OUT_HOURS: Final = 6
_INSTRUMENT_OUT: Final = 0.015
_LATE: Final = 0.006
_LATE_UNTIL: Final = timedelta(minutes=20)


class FeedSettings(MeshSettings):
    """What the simulated feed can be told from outside."""

    feed_port: int = Field(8090, ge=0, le=65535, description="The port of the simulated feed; 0 takes any.")
    simulation_seed: int = Field(7, ge=0, description="The seed of the simulated city and its air.")


class Feed:
    """Publishes the hour that the clock shows. Its answers depend on the seed and the time alone."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._clock = clock
        self._noise = Noise(seed)
        self.air: Final = SimulatedAir(seed, sites_of(seed))
        self._rows_of = lru_cache(maxsize=4)(self._hour_rows)

    def __call__(self, request: Request) -> Reply:
        """The reply to a request. The city is the feed's only province: it answers for any that is asked for."""
        rows = self.measurement_rows(self._clock()) if request.operation == MEASUREMENTS else self.station_rows()
        return page_of(rows, request)

    def station_rows(self) -> list[WireRow]:
        """Rows of getMsrstnList."""
        return [
            {
                "dmX": f"{site.location.latitude:.6f}",
                "item": "SO2, CO, O3, NO2, PM10, PM2.5",
                "mangName": f"{SIMULATED} {_NETWORKS[site.network]}",
                "year": "2020",
                "addr": f"{SIMULATED} 도시 {site.name}",
                "stationName": site.name,
                "dmY": f"{site.location.longitude:.6f}",
            }
            for site in self.air.sites
        ]

    def measurement_rows(self, now: datetime) -> list[WireRow]:
        """Rows of getCtprvnRltmMesureDnsty, version 1.0, as published at a time: those of the hour that it is in."""
        hour = hour_number(now)
        return self._rows_of(hour, early=now - hour_time(hour) < _LATE_UNTIL)

    def _hour_rows(self, hour: int, *, early: bool) -> list[WireRow]:
        measured_at = hour_time(hour)
        past = self.air.concentrations(hour - _LONG_HOURS + 1, _LONG_HOURS)
        published = {p: np.round(values[-1], _DECIMALS[p]) for p, values in past.items()}
        missing = self._missing(hour, early=early)
        averages = {p: moving_average(past[p], weighed) for p, weighed in _WEIGHED_FROM.items()}
        return [
            _row(
                site,
                measured_at,
                {p: float(values[i]) for p, values in published.items() if not missing[p][i]},
                {p: float(values[i]) for p, values in averages.items()},
            )
            for i, site in enumerate(self.air.sites)
        ]

    def _missing(self, hour: int, *, early: bool) -> Mapping[Pollutant, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """Which values have not come: a station is out, or one instrument, or one is late by some minutes."""
        noise, sites, kinds = self._noise, len(self.air.sites), len(_COLUMNS)
        now = np.array([hour], dtype=np.int64)
        station_out = noise.uniform(20, now // _STATION_OUT_HOURS, sites) < _STATION_OUT
        instruments = noise.uniform(21, now // _INSTRUMENT_OUT_HOURS, kinds * sites) < _INSTRUMENT_OUT
        late = noise.uniform(22, now, kinds * sites) < (_LATE if early else 0.0)
        out = (instruments | late).reshape(kinds, sites) | station_out
        return {pollutant: out[i] for i, pollutant in enumerate(_COLUMNS)}


class FeedServer(AirKoreaServer):
    """A feed over HTTP.

    Args:
        seed: The seed of the simulated city and its air.
        host: The address to listen on.
        port: The port; 0 lets the system choose.
        clock: What time it is.
    """

    def __init__(self, seed: int, host: str = "127.0.0.1", port: int = 0, clock: Clock = system_clock) -> None:
        self.feed: Final = Feed(seed, clock)
        super().__init__(self.feed, host, port)


def sites_of(seed: int) -> list[Site]:
    """The stations of the simulated city, one a district, under its name."""
    return [Site(district.name, district.station, district.network) for district in districts(seed)]


def start() -> None:
    """Runs the simulated feed until the process is told to stop."""
    settings = FeedSettings()
    configure_logs(settings, "feed")
    with FeedServer(settings.simulation_seed, settings.host, settings.feed_port, settings.clock()) as server:
        until_interrupted(f"CLEANAIR_AIRKOREA_URL={server.url}")


def _row(
    site: Site, measured_at: datetime, values: Mapping[Pollutant, float], averages: Mapping[Pollutant, float]
) -> WireRow:
    row: dict[str, str | None] = {
        "sidoName": SIMULATED,
        "stationName": site.name,
        "dataTime": wire_hour(measured_at),
    }
    for pollutant, column in _COLUMNS.items():
        value = values.get(pollutant)
        graded = averages.get(pollutant, value)
        row[f"{column}Value"] = "-" if value is None else f"{value:.{_DECIMALS[pollutant]}f}"
        row[f"{column}Grade"] = None if graded is None else _GRADES[grade_of(sub_index(pollutant, graded))]
        row[f"{column}Flag"] = NO_CONTACT if value is None else None
    index = _index(values, averages)
    row["khaiValue"] = "-" if index is None else str(index)
    row["khaiGrade"] = None if index is None else _GRADES[grade_of(index)]
    return row


def wire_hour(measured_at: datetime) -> str:
    """An hour as AirKorea writes it: midnight is the hour 24 of the day before."""
    time = measured_at.astimezone(KST)
    if time.hour == 0:
        return f"{time - _HOUR:%Y-%m-%d} 24:00"
    return f"{time:%Y-%m-%d %H}:00"


def _index(values: Mapping[Pollutant, float], averages: Mapping[Pollutant, float]) -> int | None:
    """The index; there is none without ozone and nitrogen dioxide, while particles come from their averages."""
    if Pollutant.O3 not in values or Pollutant.NO2 not in values:
        return None
    return round(index_of_hour({**values, **averages}))


def moving_average(past: Floats, weighed_from: float) -> Floats:
    """The 24 h average that the index foresees for particles, from the last twelve hours, (12, sites).

    (12·C12 + 12·C4) / 24 in µg/m³, rounded: C12 is the mean of the twelve, C4 that of the last four, in which a value
    from `weighed_from` on, and between 0.9 and 1.7 times C12, counts three quarters (airkorea.or.kr, caiCalculator).
    """
    mean = past.mean(axis=0)
    recent = past[-_SHORT_HOURS:]
    ratio = recent / mean
    weighed = np.where((recent >= weighed_from) & (ratio >= _STEADY[0]) & (ratio <= _STEADY[1]), 0.75 * recent, recent)
    average: Floats = np.round((mean + weighed.mean(axis=0)) / 2.0)
    return average
