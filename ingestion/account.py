"""How the collections of a feed go: outages, successes, and the figures on what they bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog
from prometheus_client import Counter, Gauge

from ingestion.source import SourceError
from ingestion.store.readings import Saved
from mesh.clock import Clock
from mesh.errors import CleanAirError

_log: Final = structlog.stdlib.get_logger("collection")

_ROWS: Final = Counter("cleanair_collected_rows", "Rows collected.", ["feed", "outcome"])
_FAILURES: Final = Counter("cleanair_collection_failures", "Collections that failed.", ["feed", "code"])
_NEWEST: Final = Gauge("cleanair_newest_reading_timestamp_seconds", "The newest hour collected.", ["feed"])


@dataclass(frozen=True, slots=True)
class Outage:
    """Collection has been failing since then; `code` is the source's own where it gave one."""

    since: datetime
    code: str
    message: str


class Accounted(Protocol):
    """Something whose collections are kept account of."""

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""


class AccountOfAll:
    """Several accounts as one: it fails while one of them does."""

    def __init__(self, accounts: Sequence[Accounted]) -> None:
        self._accounts = tuple(accounts)

    @property
    def outage(self) -> Outage | None:
        """The outage that has lasted longest."""
        outages = [account.outage for account in self._accounts]
        return min((outage for outage in outages if outage is not None), key=lambda outage: outage.since, default=None)

    @property
    def last_success(self) -> datetime | None:
        """When one of them last succeeded."""
        times = [account.last_success for account in self._accounts]
        return max((time for time in times if time is not None), default=None)


class Account:
    """Keeps account of one feed.

    Args:
        feed: Its name.
        clock: What time it is.
        on_turn: Called when an outage begins, changes or ends.
    """

    def __init__(self, feed: str, clock: Clock, on_turn: Callable[[], None] = lambda: None) -> None:
        self._feed = feed
        self._clock = clock
        self._on_turn = on_turn
        self._outage: Outage | None = None
        self._last_success: datetime | None = None

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        return self._outage

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""
        return self._last_success

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Notes the error that ends what is done within, and lets it through."""
        try:
            yield
        except CleanAirError as error:
            self._failed(code_of(error), error.message)
            raise
        except Exception:
            # Noted, and let through: a defect is an outage, too, for whoever waits for readings.
            self._failed("INTERNAL", "an internal error, which is in the log")
            raise

    def succeeded(self, saved: Saved, *, rejected: int, newest: datetime | None) -> None:
        """Notes what a collection brought: how many rows, and the newest hour among them."""
        before, self._outage, self._last_success = self._outage, None, self._clock()
        if before is not None:
            _log.info("collection recovered", feed=self._feed, code=before.code, failing_since=before.since.isoformat())
            self._on_turn()
        outcomes = {"new": saved.new, "corrected": saved.corrected, "unchanged": saved.unchanged, "rejected": rejected}
        for outcome, count in outcomes.items():
            _ROWS.labels(self._feed, outcome).inc(count)
        if newest is not None:
            _NEWEST.labels(self._feed).set(newest.timestamp())
        _log.info("collected", feed=self._feed, **outcomes, newest=newest and newest.isoformat())

    def _failed(self, code: str, message: str) -> None:
        _FAILURES.labels(self._feed, code).inc()
        before = self._outage
        if before is not None and before.code == code:
            return
        self._outage = Outage(before.since if before is not None else self._clock(), code, message)
        _log.warning("collection fails", feed=self._feed, code=code, message=message)
        self._on_turn()


def code_of(error: CleanAirError) -> str:
    """The source's own code where the error has one, else the reason of ours."""
    return error.code if isinstance(error, SourceError) else error.reason
