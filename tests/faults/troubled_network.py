"""An AirKorea in which all happens that has been seen to happen, at known times; and what it measured in truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from air.pollutants import Pollutant
from simulation.airkorea_server import HISTORY, STATIONS, TERM_HOURS, Reply, Request, WireRow, gateway_error, page_of
from simulation.feed import NO_CONTACT, Feed, wire_hour
from tests.ingestion.wire_rows import measurement_row

Booleans: TypeAlias = NDArray[np.bool_]

HOUR: Final = timedelta(hours=1)
_SEED: Final = 7
_COLUMNS: Final = {
    Pollutant.PM25: ("pm25", 20.0, 0),
    Pollutant.PM10: ("pm10", 40.0, 0),
    Pollutant.O3: ("o3", 0.03, 3),
    Pollutant.NO2: ("no2", 0.02, 3),
    Pollutant.CO: ("co", 0.4, 1),
    Pollutant.SO2: ("so2", 0.003, 3),
}
_MISSING, _LATE, _VERY_LATE, _BEHIND, _TWICE, _SILENT = 0.02, 0.05, 0.002, 0.02, 0.03, 0.0006
_OF_NOBODY: Final = 0.03
_SILENT_HOURS: Final = 30
_LATE_MINUTES, _VERY_LATE_MINUTES = 20, 65
_QUIET_HOURS: Final = 26
"""At the end there is no trouble any more, so that what was missed can be asked for."""

SHORT_TROUBLES: Final[Mapping[str, Reply | None]] = {
    "internal error": Reply(b"Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR, "text/html"),
    "bad gateway": Reply(b"<html><body>502</body></html>", HTTPStatus.BAD_GATEWAY, "text/html"),
    "application error in XML": gateway_error("1", "APPLICATION_ERROR"),
    "HTTP error in XML": gateway_error("4", "HTTP_ERROR", HTTPStatus.UNAUTHORIZED),
    "too many a second": gateway_error("23", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_PER_SECOND_EXCEEDS_ERROR"),
    "cut": None,
    "no row": None,
}
REFUSALS: Final[Mapping[str, Reply | None]] = {
    "key not known": gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR", HTTPStatus.FORBIDDEN),
    "too many a day": gateway_error("22", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR"),
    "page in place of an answer": Reply(b"<html><body>Maintenance</body></html>", content_type="text/html"),
}


@dataclass(frozen=True, slots=True)
class Spell:
    """Hours, counted from the start of the month, in which something lasts: from between the looks at the first on.

    Attributes:
        minutes: By how much our clock is off, where it is that.
    """

    first: int
    hours: int
    minutes: int = 0

    def holds(self, now: float) -> bool:
        """Whether it lasts at a time, in hours from the start."""
        return self.first + 1 / 3 <= now < self.first + self.hours + 1 / 6


@dataclass(frozen=True, slots=True)
class Month:
    """What goes wrong when, in so many hours."""

    hours: int
    outages: Sequence[Spell]
    downtimes: Sequence[Spell]
    skews: Sequence[Spell]

    @classmethod
    def of(cls, hours: int) -> Month:
        """The same troubles, closer together in a shorter month."""

        def at(share: float, lasting: int, minutes: int = 0) -> Spell:
            return Spell(int(share * (hours - _QUIET_HOURS)), lasting, minutes)

        return cls(
            hours,
            outages=(at(0.06, 7), at(0.22, 3), at(0.43, hours // 12)),
            downtimes=(at(0.30, hours // 24), at(0.72, 2)),
            skews=(at(0.37, 5, -60), at(0.61, 6, 60), at(0.75, 9, 4)),
        )


class TroubledNetwork:
    """Answers as AirKorea would at the time that `now` is set to.

    Every tenth answer is troubled for a while: errors, no rows, rows twice, rows of nobody. Stations lag, fall silent
    for a day, and fill in later what they could not send. In an outage no request gets an answer.
    """

    def __init__(self, start: datetime, month: Month) -> None:
        random = np.random.default_rng(_SEED)
        feed = Feed(_SEED, lambda: start)
        self.now = start
        self._start = start
        self._month = month
        self._stations = feed.station_rows()
        names = [str(row["stationName"]) for row in self._stations]
        shape = (month.hours, len(names))
        calm = np.arange(month.hours)[:, None] >= month.hours - _QUIET_HOURS
        self._late: Booleans = random.random(shape) < _LATE
        self._very_late: Booleans = (random.random(shape) < _VERY_LATE) & ~np.roll(calm, -1, axis=0)
        self._silent = _spread(random.random(shape) < _SILENT, _SILENT_HOURS) & ~calm
        behind: Booleans = random.random(shape) < _BEHIND
        # What comes more than an hour late is seen only where the station still shows that hour.
        behind[1:] |= self._very_late[:-1]
        self._behind = behind & ~calm
        self._twice: Booleans = random.random((2, *shape)) < _TWICE
        self._rows = _rows(random, start, names, shape)
        self._of_nobody = (random.random(month.hours) < _OF_NOBODY).tolist()
        # The first look at an hour goes well in the end, the second may fail for good: then history has to help.
        self._kinds = [
            random.choice([*kinds, *[""] * 50], month.hours).tolist()
            for kinds in (SHORT_TROUBLES, {**SHORT_TROUBLES, **REFUSALS})
        ]
        self._left = [random.integers(1, most, month.hours, endpoint=True).tolist() for most in (5, 15)]
        self.troubles = 0
        """How many requests met trouble."""

    @property
    def truth(self) -> dict[tuple[str, datetime], Mapping[Pollutant, float]]:
        """What was measured, station by station and hour by hour, as published in the end."""
        return {
            (str(row["stationName"]), self._start + hour * HOUR): {
                pollutant: float(text)
                for pollutant, (column, _, _) in _COLUMNS.items()
                if isinstance(text := row[f"{column}Value"], str) and text != "-"
            }
            for hour, rows in enumerate(self._rows)
            for number, row in enumerate(rows)
            if not self._silent[hour, number]
        }

    def __call__(self, request: Request) -> Reply:
        """The reply to a request at this time."""
        passed = (self.now - self._start) / HOUR
        if any(outage.holds(passed) for outage in self._month.outages):
            self.troubles += 1
            return gateway_error("4", "HTTP_ERROR") if int(passed) % 2 else SHORT_TROUBLES["bad gateway"] or Reply(b"")
        if request.operation == STATIONS:
            return page_of(self._stations, request)
        if request.operation == HISTORY:
            hours = TERM_HOURS[request.query["dataTerm"]]
            return page_of(self._history(request.query["stationName"], passed)[:hours], request)
        true = page_of(self._newest(passed), request)
        return self._troubled(true, request, passed)

    def _troubled(self, true: Reply, request: Request, passed: float) -> Reply:
        hour, second_look = int(passed), int(passed % 1 * 60 >= 25)
        kind = self._kinds[second_look][hour]
        if not kind or not self._left[second_look][hour] or hour >= self._month.hours - _QUIET_HOURS:
            return true
        self._left[second_look][hour] -= 1
        self.troubles += 1
        if kind == "cut":
            return replace(true, cut=True)
        return {**SHORT_TROUBLES, **REFUSALS}[kind] or page_of([], request)

    def _newest(self, passed: float) -> list[WireRow]:
        hour, second_look = int(passed), int(passed % 1 * 60 >= 25)
        answer: list[WireRow] = [measurement_row("", None)]
        if self._of_nobody[hour]:
            answer.append(measurement_row("아무도 아님", wire_hour(self._start)))
        for number in range(len(self._stations)):
            shown = hour - 1 if self._behind[hour, number] and not second_look else hour
            while shown >= 0 and self._silent[shown, number]:
                shown -= 1
            if shown < 0:
                continue
            row = self._shown(shown, number, passed)
            if self._twice[second_look, hour, number]:
                answer.append(_without(row))
            answer.append(row)
        return answer

    def _history(self, station: str, passed: float) -> list[WireRow]:
        number = next(i for i, row in enumerate(self._stations) if row["stationName"] == station)
        hours = [hour for hour in range(int(passed), -1, -1) if not self._silent[hour, number]]
        return [self._shown(hour, number, passed) for hour in hours]

    def _shown(self, hour: int, number: int, passed: float) -> WireRow:
        """The row as it is published by now."""
        minutes = (passed - hour) * 60
        is_late = self._late[hour, number] and minutes < _LATE_MINUTES
        is_very_late = self._very_late[hour, number] and minutes < _VERY_LATE_MINUTES
        row = self._rows[hour][number]
        return _without(row) if is_late or is_very_late else row


def _spread(starts: Booleans, hours: int) -> Booleans:
    """True for so many hours from each start on; a station is there in its first hour."""
    spread = np.zeros_like(starts)
    for late in range(hours):
        spread[late + 1 :] |= starts[: len(starts) - late - 1]
    return spread


def _rows(
    random: np.random.Generator, start: datetime, names: Sequence[str], shape: tuple[int, int]
) -> list[list[WireRow]]:
    """Air that wanders from hour to hour, as the network writes it."""
    texts: dict[str, list[list[str]]] = {}
    for column, usual, decimals in _COLUMNS.values():
        wander = np.cumsum(random.normal(0, 0.05, shape), axis=0)
        values = usual * np.exp(wander - wander.mean(axis=0))
        missing = random.random(shape) < _MISSING
        texts[column] = [
            ["-" if gone else f"{value:.{decimals}f}" for value, gone in zip(*pair, strict=True)]
            for pair in zip(values.tolist(), missing.tolist(), strict=True)
        ]
    return [
        [
            _row(name, wire_hour(start + hour * HOUR), {c: texts[c][hour][i] for c in texts})
            for i, name in enumerate(names)
        ]
        for hour in range(shape[0])
    ]


def _row(name: str, hour: str, values: Mapping[str, str]) -> WireRow:
    return {
        **measurement_row(name, hour),
        **{f"{column}Value": text for column, text in values.items()},
        **{f"{column}Flag": NO_CONTACT if text == "-" else None for column, text in values.items()},
    }


def _without(row: WireRow) -> WireRow:
    """The row while its particles have not come."""
    return {**row, "pm25Value": "-", "pm25Flag": NO_CONTACT, "pm10Value": "-", "pm10Flag": NO_CONTACT}
