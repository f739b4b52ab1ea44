"""Lists the official forecasts by the days that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from air.korea import KST
from ingestion.bulletin import Bulletin
from ingestion.store.bulletins import BulletinStore
from mesh.clock import Clock
from mesh.errors import InvalidInput

AHEAD: Final = timedelta(days=3)
LONGEST: Final = timedelta(days=31)


class InvalidDate(InvalidInput):
    """A text that is no day, or days that are no range."""

    reason = "INVALID_DATE"


@dataclass(frozen=True, slots=True)
class BulletinQuestion:
    """Which bulletins to list; see `ListBulletinsRequest`. Days as text, empty when unset."""

    start: str = ""
    end: str = ""
    include_superseded: bool = False


async def list_bulletins(store: BulletinStore, question: BulletinQuestion, clock: Clock) -> Sequence[Bulletin]:
    """By day, then pollutant, then newest issue first. Raises InvalidDate or DatabaseUnavailable."""
    first = _day(question.start, "start_date") or clock().astimezone(KST).date()
    try:
        last = _day(question.end, "end_date") or first + AHEAD
    except OverflowError as error:
        raise InvalidDate("start_date is beyond the calendar", field="start_date") from error
    if last < first:
        raise InvalidDate("end_date must not be before start_date, which is today when it is empty", field="end_date")
    if last - first > LONGEST:
        raise InvalidDate(f"ask for {LONGEST.days} days at most", field="end_date")
    return await store.between(first, last, include_superseded=question.include_superseded)


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidDate(f"{field} must be a day, such as 2026-03-16", field=field) from error
