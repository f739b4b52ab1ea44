"""Runs: one collection of one feed for one slot, and the fence that keeps a late one from writing after the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fence:
    """Shows the store which holder of a feed's lock is writing.

    Attributes:
        feed: The feed that is collected, such as `airkorea`.
        token: Grows with each holder of the feed's lock: the store refuses a holder once it has seen a later one.
    """

    feed: str
    token: int


class Outcome(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "RUNNING"
    COLLECTED = "COLLECTED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run brought: rows, or whatever its feed is made of."""

    new: int = 0
    corrected: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One collection of one feed, as it is kept.

    Attributes:
        slot: The scheduled time that it stands for; None when a person asked for it.
        token: Of the lock that it ran under; None when there was none to be had.
        error_code: Why it failed: the source's own code where it gave one, else our reason.
    """

    feed: str
    slot: datetime | None
    token: int | None
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome
    counts: Counts
    error_code: str | None


@dataclass(frozen=True, slots=True)
class FeedAccount:
    """How the collection of a feed has gone.

    Attributes:
        last_success: When a run last succeeded; None when none has.
        failing_since: When the first run failed of those that have failed without one that succeeded; None when the
            last one succeeded.
        error_code: Of the last of those.
    """

    feed: str
    last_success: datetime | None
    failing_since: datetime | None
    error_code: str | None
