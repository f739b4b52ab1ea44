"""The simulated AirKorea, and KMA: a server that publishes a city's air and weather, hour by hour, in their format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from pydantic import Field

from air.index import Grade, foreseen_mean, grade_of, index_of_hour, sub_index
from air.places import Network
from air.pollutants import Pollutant
from mesh.clock import Clock, system_clock
from mesh.logs import configure_logs
from mesh.settings import MeshSettings
from simulation.air import KST, SimulatedAir, Site, hour_number, hour_time
from simulation.airkorea_server import (
    BULLETINS,
    HISTORY,
    MEASUREMENTS,
    TERM_HOURS,
    WEATHER,
    WRONG_PARAMETER,
    AirKoreaServer,
    Reply,
    Request,
    WireRow,
    gateway_error,
    page_of,
)
from simulation.bulletin import BulletinDesk
from simulation.city import districts
from simulation.foreground import until_interrupted
from simulation.kma_server import KmaDesk
from simulation.noise import Booleans, Floats, Noise

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
# The index takes particles by their foreseen mean, which looks back over half a day.
_PARTICLES: Final = (Pollutant.PM10, Pollutant.PM25)
_LONG_HOURS: Final = 12
_STATION_OUT_HOURS: Final = 12
_STATION_OUT: Final = 0.01
_INSTRUMENT_OUT_HOURS: Final = 6
_INSTRUMENT_OUT: Final = 0.015
_LATE: Final = 0.006
_LATE_UNTIL: Final = timedelta(minutes=20)


class FeedSettings(MeshSettings):
    """What the simulated feed can be told from outside."""

    feed_port: int = Field(8090, ge=0, le=65535, description="The port of the simulated feed; 0 takes any.")
    simulation_seed: int = Field(7, ge=0, description="The seed of the simulated city, its air and weather.")


@dataclass(frozen=True, slots=True)
class _Published:
    """What is published of some hours; arrays of shape (hours, sites)."""

    first: int
    values: Mapping[Pollutant, Floats]
    averages: Mapping[Pollutant, Floats]
    missing: Mapping[Pollutant, Booleans]


class Feed:
    """Publishes the hour that the clock shows. Its answers depend on the seed and the time alone."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._clock = clock
        self._noise = Noise(seed)
        self.air: Final = SimulatedAir(seed, sites_of(seed))
        self._bulletins: Final = BulletinDesk(seed, self.air)
        self._site_numbers: Final = {site.name: number for number, site in enumerate(self.air.sites)}
        # A catch-up asks for the same hours station by station.
        self._published = lru_cache(maxsize=4)(self._publish)

    def __call__(self, request: Request) -> Reply:
        """The reply to a request. The city is the feed's only province: it answers for any that is asked for."""
        now = self._clock()
        if request.operation == MEASUREMENTS:
            return page_of(self.measurement_rows(now), request)
        if request.operation == HISTORY:
            hours = TERM_HOURS.get(request.query.get("dataTerm", ""))
            if hours is None:
                return gateway_error(*WRONG_PARAMETER)
            return page_of(self.history_rows(request.query.get("stationName", ""), hours, now), request)
        if request.operation == BULLETINS:
            return page_of(self._bulletins.rows(request.query.get("searchDate", ""), now), request)
        return page_of(self.station_rows(), request)

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
        published = self._published(hour, 1, early=_is_early(now))
        return [self._row(published, hour, number) for number in range(len(self.air.sites))]

    def history_rows(self, station: str, hours: int, now: datetime) -> list[WireRow]:
        """Rows of getMsrstnAcctoRltmMesureDnsty as published at a time, newest first; none of an unknown station."""
        number = self._site_numbers.get(station)
        if number is None:
            return []
        last = hour_number(now)
        first = last - hours + 1
        published = self._published(first, hours, early=_is_early(now))
        return [self._row(published, hour, number) for hour in range(last, first - 1, -1)]

    def _publish(self, first: int, count: int, *, early: bool) -> _Published:
        past = self.air.concentrations(first - _LONG_HOURS + 1, count + _LONG_HOURS - 1)
        return _Published(
            first=first,
            values={p: np.round(values[_LONG_HOURS - 1 :], _DECIMALS[p]) for p, values in past.items()},
            averages={p: np.round(foreseen_mean(p, past[p])[_LONG_HOURS - 1 :]) for p in _PARTICLES},
            missing=self._missing(first, count, early=early),
        )

    def _missing(self, first: int, count: int, *, early: bool) -> Mapping[Pollutant, Booleans]:
        """Which values have not come: a station is out, or one instrument, or one of the last hour is late."""
        noise, sites, kinds = self._noise, len(self.air.sites), len(_COLUMNS)
        hours = np.arange(first, first + count, dtype=np.int64)
        station_out = noise.uniform(20, hours // _STATION_OUT_HOURS, sites) < _STATION_OUT
        out = noise.uniform(21, hours // _INSTRUMENT_OUT_HOURS, kinds * sites) < _INSTRUMENT_OUT
        if early:
            out[-1:] |= noise.uniform(22, hours[-1:], kinds * sites) < _LATE
        by_kind = out.reshape(count, kinds, sites)
        return {pollutant: by_kind[:, i] | station_out for i, pollutant in enumerate(_COLUMNS)}

    def _row(self, published: _Published, hour: int, number: int) -> WireRow:
        where = (hour - published.first, number)
        return _row(
            self.air.sites[number],
            hour_time(hour),
            {p: float(values[where]) for p, values in published.values.items() if not published.missing[p][where]},
            {p: float(values[where]) for p, values in published.averages.items()},
        )


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
        self._weather = KmaDesk(seed, clock)
        super().__init__(self._answer, host, port)

    def _answer(self, request: Request) -> Reply:
        return (self._weather if request.operation in WEATHER else self.feed)(request)


def sites_of(seed: int) -> list[Site]:
    """The stations of the simulated city, one a district, under its name."""
    return [Site(district.name, district.station, district.network) for district in districts(seed)]


def start() -> None:
    """Runs the simulated feed until the process is told to stop."""
    settings = FeedSettings()
    configure_logs(settings, "feed")
    with FeedServer(settings.simulation_seed, settings.host, settings.feed_port, settings.clock()) as server:
        until_interrupted(f"CLEANAIR_AIRKOREA_URL={server.url} CLEANAIR_KMA_URL={server.url}")


def _is_early(now: datetime) -> bool:
    return now - hour_time(hour_number(now)) < _LATE_UNTIL


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
        row[f"{column}Grade"] = None if graded is None else _wire_grade(pollutant, graded)
        row[f"{column}Flag"] = NO_CONTACT if value is None else None
    index = _index(values, averages)
    row["khaiValue"] = "-" if index is None else str(index)
    row["khaiGrade"] = None if index is None else _GRADES[grade_of(index)]
    return row


@lru_cache(maxsize=4096)
def _wire_grade(pollutant: Pollutant, value: float) -> str:
    """Values are rounded, so that the same ones come again and again."""
    return _GRADES[grade_of(sub_index(pollutant, value))]


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
