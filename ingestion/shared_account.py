"""How feeds do over all replicas: what this one has seen itself, and what the others have put on record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog

from ingestion.account import Accounted, Outage
from ingestion.run import FeedAccount
from ingestion.store.runs import RunStore
from mesh.bell import Bell
from mesh.errors import Unavailable

_log: Final = structlog.stdlib.get_logger("account")


class SharedAccount:
    """One feed's account. An outage that one replica has seen is over when another has collected since."""

    def __init__(self, own: Accounted) -> None:
        self._own = own
        self._record: FeedAccount | None = None

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded, wherever; None before the first."""
        times = (self._own.last_success, self._record.last_success if self._record is not None else None)
        return max((time for time in times if time is not None), default=None)

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        success = self.last_success
        outages = [one for one in (self._own.outage, self._recorded_outage()) if one is not None]
        lasting = [one for one in outages if success is None or one.since >= success]
        return min(lasting, key=lambda one: one.since, default=None)

    def read(self, record: FeedAccount) -> None:
        """Takes what is on record."""
        self._record = record

    def _recorded_outage(self) -> Outage | None:
        record = self._record
        if record is None or record.failing_since is None:
            return None
        return Outage(record.failing_since, record.error_code or "UNKNOWN", "another replica's log has it")


class SharedAccounts:
    """The accounts of all feeds, each read from the record now and then.

    Args:
        own: What this replica sees itself, by feed.
        runs: The record.
        bell: Rung when an outage began or ended elsewhere.
        seconds: How often to read.
    """

    def __init__(self, own: Mapping[str, Accounted], runs: RunStore, bell: Bell, seconds: float) -> None:
        self.by_feed: Final = {feed: SharedAccount(account) for feed, account in own.items()}
        self._runs = runs
        self._bell = bell
        self._seconds = seconds

    async def read(self) -> None:
        """Reads the record. Raises DatabaseUnavailable."""
        before = [account.outage for account in self.by_feed.values()]
        for record in await self._runs.accounts():
            if record.feed in self.by_feed:
                self.by_feed[record.feed].read(record)
        if [account.outage for account in self.by_feed.values()] != before:
            self._bell.ring()

    async def run(self) -> None:
        """Reads until cancelled."""
        while True:
            try:
                await self.read()
            except Unavailable as error:
                _log.warning("record not read", reason=error.reason)
            await asyncio.sleep(self._seconds)
