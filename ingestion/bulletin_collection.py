"""Collection of bulletins: asks for the days whose issues may not be known yet, and keeps what was issued."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import structlog

from air.korea import KST
from ingestion.account import Account, Outage
from ingestion.bulletin import Bulletin
from ingestion.source import BulletinSource, RejectedRow
from ingestion.store.bulletins import BulletinStore
from ingestion.store.readings import Saved
from mesh.clock import Clock

_log: Final = structlog.stdlib.get_logger("bulletins")

_DAY: Final = timedelta(days=1)
_REACH: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CollectedBulletins:
    """What one collection of bulletins brought."""

    saved: Saved
    rejected: int


class BulletinCollector:
    """Collects from one source into one store. Collections take turns; each is idempotent.

    Args:
        source: Whom to ask.
        store: Where bulletins are kept.
        clock: What time it is.
        feed: The name under which account is kept.
    """

    def __init__(self, source: BulletinSource, store: BulletinStore, clock: Clock, *, feed: str = "bulletins") -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._account = Account(feed, clock)
        self._turn = asyncio.Lock()

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""
        return self._account.last_success

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        return self._account.outage

    async def collect(self) -> CollectedBulletins:
        """Collects what was issued since the newest bulletin that is known. Raises SourceError, DatabaseUnavailable."""
        async with self._turn:
            with self._account.attempt():
                bulletins: list[Bulletin] = []
                rejected: list[RejectedRow] = []
                for day in _days(await self._store.newest_issue(), self._clock()):
                    rows = await self._source.bulletins(day)
                    bulletins += rows.readable
                    rejected += rows.rejected
                _tell(rejected)
                saved = await self._store.save(bulletins, self._clock())
            newest = max((one.issued_at for one in bulletins), default=None)
            self._account.succeeded(saved, rejected=len(rejected), newest=newest)
            return CollectedBulletins(saved, len(rejected))


def _days(newest_issue: datetime | None, now: datetime) -> list[date]:
    """The days of Korea on which something may have been issued that is not known: a week back at most.

    Yesterday is among them until something of today is known: its last issue is of 23 h, and today's first of 05 h.
    """
    today = now.astimezone(KST).date()
    first = today - _DAY if newest_issue is None else newest_issue.astimezone(KST).date()
    first = max(min(first, today), today - _REACH)
    return [first + number * _DAY for number in range((today - first).days + 1)]


def _tell(rejected: Iterable[RejectedRow]) -> None:
    for row in rejected:
        _log.warning("bulletin rejected", subject=row.subject, reason=row.reason)
