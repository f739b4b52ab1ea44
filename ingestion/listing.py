"""Lists readings by time and station, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ingestion.reading import StoredReading
from ingestion.store.readings import ReadingStore
from mesh.clock import Clock
from mesh.errors import InvalidInput
from mesh.page_token import PageToken, fingerprint

DEFAULT_SPAN: Final = timedelta(hours=24)
DEFAULT_PAGE_SIZE: Final = 100
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC) + DEFAULT_SPAN


class EmptyTimeRange(InvalidInput):
    """The range ends before it starts."""

    reason = "EMPTY_TIME_RANGE"


@dataclass(frozen=True, slots=True)
class Question:
    """Which readings to list; see `ListReadingsRequest`."""

    station_ids: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    page_size: int = 0
    page_token: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Readings, oldest first, within an hour by station; and the token of the next page, empty at the end."""

    readings: Sequence[StoredReading]
    next_page_token: str


async def list_readings(store: ReadingStore, question: Question, clock: Clock) -> Page:
    """The page that the question asks for. Raises EmptyTimeRange or InvalidPageToken."""
    mark = fingerprint("readings", question.station_ids, question.start, question.end)
    size = question.page_size or DEFAULT_PAGE_SIZE
    if question.page_token:
        token = PageToken.decode(question.page_token, mark)
        start, end, measured_at = token.times
        after = measured_at, token.text
    else:
        (start, end), after = _range(question, clock()), None
    # One more than asked for tells whether there is a next page.
    found = await store.between(start, end, size + 1, station_ids=question.station_ids, after=after)
    page = found[:size]
    if len(found) == len(page):
        return Page(page, "")
    last = page[-1].reading
    # A range that was left open is fixed by the first page: later pages must not slide with the clock.
    token = PageToken(last.station.station_id, (start, end, last.measured_at))
    return Page(page, token.encode(mark))


def _range(question: Question, now: datetime) -> tuple[datetime, datetime]:
    end = question.end or now
    start = question.start or max(end, _EARLIEST) - DEFAULT_SPAN
    if start >= end:
        raise EmptyTimeRange("start_time must be before end_time, which is now when it is not set", field="start_time")
    return start, end
