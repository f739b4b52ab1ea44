"""How the collection of each feed does: its runs, whichever replica made them, and the requests of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from air.korea import KST
from ingestion.run import FeedAccount
from ingestion.store.quotas import QuotaStore
from ingestion.store.runs import RunStore
from mesh.clock import Clock


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """How much of a service's daily allowance of requests is used."""

    service: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class FeedMetrics:
    """How one feed does; without an account when it has never been collected."""

    feed: str
    account: FeedAccount | None
    quotas: Sequence[RequestQuota]


class FeedMeter:
    """Reads the metrics of feeds.

    Args:
        runs: Where runs are kept.
        quotas: Where requests are counted.
        limits: By feed, how many requests a day allows each service that it asks and that counts them.
        clock: What time it is.
    """

    def __init__(
        self, runs: RunStore, quotas: QuotaStore, limits: Mapping[str, Mapping[str, int]], clock: Clock
    ) -> None:
        self._runs = runs
        self._quotas = quotas
        self._limits = limits
        self.clock: Final = clock

    async def read(self) -> Sequence[FeedMetrics]:
        """By feed: those that are collected here, and all else that there are runs of. Raises DatabaseUnavailable."""
        accounts = {account.feed: account for account in await self._runs.accounts()}
        today = self.clock().astimezone(KST).date()
        used = {one.service: one.used for one in await self._quotas.of_day(today)}
        return [
            FeedMetrics(
                feed,
                accounts.get(feed),
                [
                    RequestQuota(service, used.get(service, 0), limit)
                    for service, limit in self._limits.get(feed, {}).items()
                ],
            )
            for feed in sorted({*self._limits, *accounts})
        ]
