"""The requests that a day allows: counted before each is sent, so that none goes out beyond them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, Protocol

import structlog
from prometheus_client import Gauge

from air.korea import KST
from ingestion.source import SourceQuotaExceeded
from mesh.clock import Clock

_log: Final = structlog.stdlib.get_logger("quota")

_USED: Final = Gauge("cleanair_quota_used", "Requests of the day, by Korea's calendar, of a service.", ["service"])
_LIMIT: Final = Gauge("cleanair_quota_limit", "Requests that a day allows a service.", ["service"])

_WARN_AT: Final = 0.8
_ENOUGH: Final = 1_000_000_000


class Ledger(Protocol):
    """Counts requests for all replicas alike, and remembers them over restarts."""

    async def take(self, service: str, day: date, limit: int) -> int | None:
        """Counts one more, and says how many that makes; None when it would be beyond the limit."""

    async def used(self, service: str, day: date) -> int:
        """How many are counted."""


class Unlimited:
    """Counts nothing: for a network that is our own, and for tests."""

    async def take(self, service: str) -> None:
        """Lets every request through."""

    async def left(self, service: str) -> int:  # noqa: ARG002 - the port's
        """Never fewer than before."""
        return _ENOUGH


class DailyQuota:
    """Lets so many requests a day through to each service.

    Days are Korea's: data.go.kr begins to count anew at its midnight. All methods raise DatabaseUnavailable when the
    ledger cannot be reached: what cannot be counted is not sent.

    Args:
        ledger: Where requests are counted.
        limits: How many a day, by service. Others are not counted.
        clock: What time it is.
    """

    def __init__(self, ledger: Ledger, limits: Mapping[str, int], clock: Clock) -> None:
        self._ledger = ledger
        self._limits = dict(limits)
        self._clock = clock

    async def take(self, service: str) -> None:
        """Counts one request of today's. Raises SourceQuotaExceeded when none is left."""
        limit = self._limits.get(service)
        if limit is None:
            return
        used = await self._ledger.take(service, _day(self._clock()), limit)
        _LIMIT.labels(service).set(limit)
        _USED.labels(service).set(limit if used is None else used)
        if used is None:
            raise SourceQuotaExceeded(
                f"the {limit} requests that a day allows {service} are used up: wait for midnight in Korea, or ask for"
                " a larger allowance and set the limit to it",
                code="QUOTA",
            )
        # One request a day makes this very count, whichever replica sends it.
        if used == math.ceil(_WARN_AT * limit):
            _log.warning("most of the day's requests are used", service=service, used=used, limit=limit)

    async def left(self, service: str) -> int:
        """How many requests of today's are left."""
        limit = self._limits.get(service)
        if limit is None:
            return _ENOUGH
        return max(0, limit - await self._ledger.used(service, _day(self._clock())))


def _day(now: datetime) -> date:
    return now.astimezone(KST).date()
