"""The quality report: how much of what should be there is, and what it is worth, by station, pollutant and day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

from air.korea import KST
from air.pollutants import Pollutant
from ingestion.quality.verdict import Check
from mesh.clock import Clock
from mesh.page_token import PageToken, fingerprint

MOST_DAYS: Final = 31
DEFAULT_PAGE_SIZE: Final = 50

_HOURS_A_DAY: Final = 24
_AN_HOUR: Final = timedelta(hours=1)
_A_DAY: Final = timedelta(days=1)
# Until then the newest hour is still being published.
_PUBLISHED_AFTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What is stored of one pollutant at one station on one day.

    Attributes:
        day: By Korea's calendar. An hour belongs to the day that it began in, so that 24:00 is of the day it ends.
        measured: Hours with a number, whatever it is worth.
        usable: Hours whose number may be used: passed, suspect, or not judged.
        passed: Hours whose number passed.
        suspect: Hours whose number is suspect.
        failed: Hours whose number failed.
        checks: Hours in which a check spoke against what was measured, by check; those that never did are left out.
        newest_measured_at: The newest hour with a number; None when there is none.
    """

    station_id: str
    pollutant: Pollutant
    day: date
    measured: int = 0
    usable: int = 0
    passed: int = 0
    suspect: int = 0
    failed: int = 0
    checks: Mapping[Check, int] = field(default_factory=dict)
    newest_measured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayQuality:
    """The counts of a day, beside the hours that should be there by now."""

    counts: DayCounts
    expected: int

    @property
    def completeness(self) -> float:
        """The share of the expected hours that may be used, 0 to 1; 1 of a day that has just begun."""
        return min(1.0, self.counts.usable / self.expected) if self.expected else 1.0


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """Which part of the report; see `GetMetricsRequest`.

    Attributes:
        station_ids: Only these stations, measured or not; all that measured in these days when empty.
        days: How many, with today, up to MOST_DAYS; 1 when 0.
        page_size: How many stations a page holds; DEFAULT_PAGE_SIZE when 0.
    """

    station_ids: Sequence[str] = ()
    days: int = 0
    page_size: int = 0
    page_token: str = ""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """By station, then day, then pollutant; and the token of the next page, empty at the end."""

    rows: Sequence[DayQuality]
    next_page_token: str


class ReportStore(Protocol):
    """What the report is drawn from. Both methods raise mesh.database.DatabaseUnavailable."""

    async def stations(self, start: datetime, end: datetime, *, after: str, limit: int) -> Sequence[str]:
        """The first stations after one, by id, that measured in hours from `start`, without it, up to `end`."""

    async def days(self, start: datetime, end: datetime, station_ids: Collection[str]) -> Sequence[DayCounts]:
        """The counts of these stations in those hours; days without a reading are left out."""


async def quality_report(store: ReportStore, question: ReportQuestion, clock: Clock) -> ReportPage:
    """The page that the question asks for. Raises InvalidPageToken, or DatabaseUnavailable."""
    now = clock()
    mark = fingerprint("quality", question.station_ids, question.days)
    size = question.page_size or DEFAULT_PAGE_SIZE
    if question.page_token:
        token = PageToken.decode(question.page_token, mark)
        (start, end), after = token.times, token.text
    else:
        (start, end), after = _range(question.days, now), ""
    # One more than asked for tells whether there is a next page.
    if question.station_ids:
        found: Sequence[str] = sorted(station for station in question.station_ids if station > after)
    else:
        found = await store.stations(start, end, after=after, limit=size + 1)
    stations = found[:size]
    counts = await store.days(start, end, stations) if stations else ()
    by_key = {(one.station_id, one.day, one.pollutant): one for one in counts}
    days = [_day(start) + number * _A_DAY for number in range((end - start) // _A_DAY)]
    rows = [
        DayQuality(
            by_key.get((station, day, pollutant), DayCounts(station, pollutant, day)),
            _expected(day, now),
        )
        for station in stations
        for day in days
        for pollutant in Pollutant
    ]
    is_last = len(found) == len(stations)
    return ReportPage(rows, "" if is_last else PageToken(stations[-1], (start, end)).encode(mark))


def _range(days: int, now: datetime) -> tuple[datetime, datetime]:
    """From the midnight that the first day began at to the one that today ends at."""
    end = _midnight(_day(now)) + _A_DAY
    return end - min(max(days, 1), MOST_DAYS) * _A_DAY, end


def _day(moment: datetime) -> date:
    return moment.astimezone(KST).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), KST)


def _expected(day: date, now: datetime) -> int:
    """The hours of a day that should be published by now."""
    return min(max((now - _PUBLISHED_AFTER - _midnight(day)) // _AN_HOUR, 0), _HOURS_A_DAY)
