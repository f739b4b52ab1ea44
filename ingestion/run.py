"""Runs: one collection of one feed for one slot, and the fence that keeps a late one from writing after the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fence:
    """Shows the store which holder of a feed's lock is writing.

    Attributes:
        feed: The feed that is collected, such as `airkorea`.
        token: Grows with each holder of the feed's lock: the store refuses a holder once it has seen a later one.
    """

    feed: str
    token: int
