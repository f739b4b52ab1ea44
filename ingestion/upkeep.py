"""Upkeep: room for the months to come, and none for what is older than is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from ingestion.store.partitions import Partitions

_log: Final = structlog.stdlib.get_logger("upkeep")


class Forecasts(Protocol):
    """Kept forecasts of the weather."""

    async def prune(self, issued_before: datetime) -> int:
        """Deletes those issued before a time; how many. Raises DatabaseUnavailable."""


class Upkeep:
    """Keeps the store at the size that the settings state.

    Args:
        partitions: The months of the readings.
        forecasts: The weather's.
        months_ahead: For how many months there is room beforehand.
        months_kept: How many months of readings are kept before this one.
        forecasts_kept: How long after its issue a weather forecast is kept.
    """

    def __init__(
        self,
        partitions: Partitions,
        forecasts: Forecasts,
        *,
        months_ahead: int,
        months_kept: int,
        forecasts_kept: timedelta,
    ) -> None:
        self._partitions = partitions
        self._forecasts = forecasts
        self._months_ahead = months_ahead
        self._months_kept = months_kept
        self._forecasts_kept = forecasts_kept

    async def keep_up(self, now: datetime) -> None:
        """Does what is to be done; a second time, nothing. Raises DatabaseUnavailable."""
        dropped = await self._partitions.keep_up(now, months_ahead=self._months_ahead, months_kept=self._months_kept)
        forecasts = await self._forecasts.prune(now - self._forecasts_kept)
        if dropped or forecasts:
            _log.info("old data dropped", readings=dropped, forecasts=forecasts)
