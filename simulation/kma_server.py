"""Answers as KMA's forecast service does: three operations in long format, each issue from when it is published on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from mesh.clock import Clock
from simulation.air import KST, hour_number, hour_time
from simulation.airkorea_server import WEATHER, WRONG_PARAMETER, Reply, Request, WireRow, gateway_error
from simulation.kma_values import in_steps, precipitation_code, rain_words, sky_code, snow_words, tenths, whole, wind
from simulation.noise import Integers
from simulation.weather import SimulatedWeather

OBSERVATIONS, ULTRA_SHORT, SHORT = WEATHER

_MARK: Final = {"source": "모의"}
"""Marks each row as simulated."""

_DEFAULT_ROWS: Final = 10
_COLUMNS: Final = 149
_ROWS: Final = 253
_OBSERVED_FOR: Final = timedelta(days=1)
_ULTRA_SHORT_HOURS: Final = 6
# A short forecast goes by the hour to the end of the third day, then by three hours to the end of the fourth.
_HOURLY_DAYS: Final = 3
_STEP_HOURS: Final = 3
_IN_WORDS_HOURS: Final = 49
_LOWEST_AT: Final = 6
_HIGHEST_AT: Final = 15


@dataclass(frozen=True, slots=True)
class _Timetable:
    """When an operation has issues: hours of KST, the minute of each, and how long after that they are published."""

    hours: Iterable[int]
    minute: int
    lag: timedelta


_TIMETABLES: Final = {
    OBSERVATIONS: _Timetable(range(24), 0, timedelta(minutes=10)),
    ULTRA_SHORT: _Timetable(range(24), 30, timedelta(minutes=15)),
    SHORT: _Timetable((2, 5, 8, 11, 14, 17, 20, 23), 0, timedelta(minutes=10)),
}


@dataclass(frozen=True, slots=True)
class _Issue:
    """An issue of an operation, and the cell that it is asked for."""

    operation: str
    time: datetime
    nx: int
    ny: int


class KmaDesk:
    """Publishes the weather of a seed. Its answers depend on the seed and the time alone."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._weather = SimulatedWeather(seed)
        self._clock = clock

    def __call__(self, request: Request) -> Reply:
        """The reply to a request for one of the three operations, about any cell."""
        issue, now = _issue(request), self._clock()
        if issue is None or now < issue.time + _TIMETABLES[issue.operation].lag:
            return Reply(b'{"response":{"header":{"resultCode":"03","resultMsg":"NO_DATA"}}}')
        if not (1 <= issue.nx <= _COLUMNS and 1 <= issue.ny <= _ROWS):
            return gateway_error(*WRONG_PARAMETER)
        if issue.operation == OBSERVATIONS and now - issue.time > _OBSERVED_FOR:
            return _envelope("10", "최근 1일 간의 자료만 제공합니다.", None)
        rows = {OBSERVATIONS: self._observed, ULTRA_SHORT: self._ultra_short, SHORT: self._short}[issue.operation]
        base = {"baseDate": f"{issue.time:%Y%m%d}", "baseTime": f"{issue.time:%H%M}", "nx": issue.nx, "ny": issue.ny}
        return _page([{**base, **row, **_MARK} for row in rows(issue)], request)

    def _observed(self, issue: _Issue) -> Iterator[WireRow]:
        hour = np.array([hour_number(issue.time)], dtype=np.int64)
        weather = self._weather.observed(hour, issue.nx, issue.ny)
        values = {
            "PTY": precipitation_code(weather, 0, short=False),
            "REH": whole(weather.humidity[0]),
            "RN1": tenths(weather.water[0]),
            "T1H": tenths(weather.temperature[0]),
            **wind(weather, 0),
        }
        for category in sorted(values):
            yield {"category": category, "obsrValue": values[category]}

    def _ultra_short(self, issue: _Issue) -> Iterable[WireRow]:
        issued = hour_number(issue.time)
        hours = np.arange(issued + 1, issued + 1 + _ULTRA_SHORT_HOURS, dtype=np.int64)
        weather = self._weather.forecast(issued, hours, issue.nx, issue.ny)
        values = [
            {
                "LGT": "0",
                "PTY": precipitation_code(weather, i, short=False),
                "RN1": rain_words(weather.water[i]),
                "SKY": sky_code(weather, i),
                "T1H": whole(weather.temperature[i]),
                "REH": in_steps(weather.humidity[i], 5),
                **wind(weather, i),
            }
            for i in range(len(hours))
        ]
        valid = [_valid(hour) for hour in hours.tolist()]
        # This one is ordered by category, then hour; the short forecast by hour, then category.
        return (
            {"category": category, **of_time, "fcstValue": of_hour[category]}
            for category in values[0]
            for of_time, of_hour in zip(valid, values, strict=True)
        )

    def _short(self, issue: _Issue) -> Iterator[WireRow]:
        issued, hours = hour_number(issue.time), _short_hours(issue.time)
        weather = self._weather.forecast(issued, hours, issue.nx, issue.ny)
        days = [hour_time(hour).date() for hour in hours.tolist()]
        for i, hour in enumerate(hours.tolist()):
            in_words = hour - issued <= _IN_WORDS_HOURS
            values = {
                "TMP": whole(weather.temperature[i]),
                **wind(weather, i),
                "SKY": sky_code(weather, i),
                "PTY": precipitation_code(weather, i, short=True),
                "POP": in_steps(100.0 * weather.chance[i], 10),
                "WAV": "0",
                "PCP": rain_words(weather.water[i]) if in_words else tenths(weather.water[i]),
                "REH": in_steps(weather.humidity[i], 5),
                "SNO": snow_words(weather.snow[i]) if in_words else tenths(weather.snow[i]),
            }
            of_day = weather.temperature[[day == days[i] for day in days]]
            if hour_time(hour).hour == _LOWEST_AT:
                values["TMN"] = f"{round(float(of_day.min())):.1f}"
            if hour_time(hour).hour == _HIGHEST_AT:
                values["TMX"] = f"{round(float(of_day.max())):.1f}"
            valid = _valid(hour)
            for category, value in values.items():
                yield {"category": category, **valid, "fcstValue": value}


def _issue(request: Request) -> _Issue | None:
    """What a request asks for; None when there is no such issue, or a parameter lacks."""
    query, timetable = request.query, _TIMETABLES[request.operation]
    try:
        time = datetime.strptime(f"{query['base_date']} {query['base_time']}", "%Y%m%d %H%M").replace(tzinfo=KST)
        issue = _Issue(request.operation, time, int(query["nx"]), int(query["ny"]))
    except (KeyError, ValueError):
        return None
    return issue if time.hour in timetable.hours and time.minute == timetable.minute else None


def _short_hours(issued: datetime) -> Integers:
    """The hours that a short forecast is for."""
    hourly_until = hour_number(issued.replace(hour=0)) + 24 * (_HOURLY_DAYS + 1)
    hourly = np.arange(hour_number(issued) + 1, hourly_until, dtype=np.int64)
    return np.append(hourly, np.arange(hourly_until, hourly_until + 24 + 1, _STEP_HOURS, dtype=np.int64))


def _valid(hour: int) -> Mapping[str, str]:
    time = hour_time(hour)
    return {"fcstDate": f"{time:%Y%m%d}", "fcstTime": f"{time:%H%M}"}


def _page(rows: Sequence[WireRow], request: Request) -> Reply:
    try:
        number = int(request.query.get("pageNo", "1"))
        size = int(request.query.get("numOfRows", str(_DEFAULT_ROWS)))
    except ValueError:
        return gateway_error(*WRONG_PARAMETER)
    if number < 1 or size < 1:
        return gateway_error(*WRONG_PARAMETER)
    items = {"item": list(rows[(number - 1) * size : number * size])}
    body = {"dataType": "JSON", "items": items, "pageNo": number, "numOfRows": size, "totalCount": len(rows)}
    return _envelope("00", "NORMAL_SERVICE", body)


def _envelope(code: str, message: str, body: Mapping[str, object] | None) -> Reply:
    response: dict[str, object] = {"header": {"resultCode": code, "resultMsg": message}}
    if body is not None:
        response["body"] = body
    return Reply(json.dumps({"response": response}, ensure_ascii=False).encode())
