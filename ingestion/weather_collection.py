"""Collection of weather: asks cell by cell for what is not held yet, and keeps all that came, whatever else failed."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter

from ingestion.account import Account, Outage
from ingestion.run import Fence
from ingestion.source import RejectedRow, SourceError, WeatherSource
from ingestion.store.readings import Saved
from ingestion.store.weather import Held, WeatherStore
from ingestion.weather import Cell, Product, WeatherForecast, WeatherObservation
from ingestion.weather_cells import WeatherCells
from mesh.clock import Clock
from mesh.errors import Unavailable

_log: Final = structlog.stdlib.get_logger("weather")

_FAILED: Final = Counter("cleanair_weather_questions_failed", "Questions on a cell that failed.", ["product", "code"])

_HELD_FOR: Final = timedelta(days=2)
"""No source reaches back as far: what is held from before is no reason not to ask."""

_FAILURES_IN_A_ROW: Final = 8
"""After so many the source is taken to be away: asking on, with all retries, would take till the next hour."""

_MOST_TOLD: Final = 10


class NoCells(Unavailable):
    """There is no cell to ask for."""

    reason = "NO_CELLS"

    def __init__(self) -> None:
        super().__init__("no station is known yet whose weather to ask for: collect air quality, or set kma_cells")


@dataclass(frozen=True, slots=True)
class CollectedWeather:
    """What one collection of weather brought.

    Attributes:
        saved: Hours of a cell, observed or forecast.
        rejected: Rows or values that could not be used.
        failed_cells: Cells of which something could not be had.
        newest_observed_at: The newest hour observed; None when none came.
    """

    saved: Saved
    rejected: int
    failed_cells: int
    newest_observed_at: datetime | None


@dataclass(slots=True)
class _Answers:
    """What has come so far."""

    observations: list[WeatherObservation] = field(default_factory=list)
    forecasts: list[WeatherForecast] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    failures: list[tuple[Cell, SourceError]] = field(default_factory=list)
    failures_in_a_row: int = 0
    answered: int = 0


class WeatherCollector:
    """Collects from one source into one store. Collections take turns; each is idempotent.

    Args:
        source: Whom to ask.
        store: Where weather is kept.
        cells: Of which cells.
        clock: What time it is.
        at_once: How many questions are under way at a time.
        keep_forecasts: How long after their issue forecasts are kept.
        feed: The name that the source goes by.
    """

    def __init__(
        self,
        source: WeatherSource,
        store: WeatherStore,
        cells: WeatherCells,
        clock: Clock,
        *,
        at_once: int,
        keep_forecasts: timedelta,
        feed: str = "kma",
    ) -> None:
        self.feed: Final = feed
        self._source = source
        self._store = store
        self._cells = cells
        self._clock = clock
        self._places = asyncio.Semaphore(at_once)
        self._keep_forecasts = keep_forecasts
        self._account = Account(feed, clock)
        self._turn = asyncio.Lock()

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        return self._account.outage

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""
        return self._account.last_success

    async def collect(self, fence: Fence | None = None) -> CollectedWeather:
        """Collects what is published and not held yet.

        Raises NoCells, DatabaseUnavailable, Fenced, or the first SourceError when no question was answered.
        """
        async with self._turn:
            with self._account.attempt():
                collected = await self._collect(fence)
            self._account.succeeded(collected.saved, rejected=collected.rejected, newest=collected.newest_observed_at)
            return collected

    async def _collect(self, fence: Fence | None) -> CollectedWeather:
        cells = await self._cells.all()
        if not cells:
            raise NoCells
        answers = await self._ask_all(cells, await self._store.held(cells, self._clock() - _HELD_FOR))
        _tell(answers)
        if answers.failures and not answers.answered:
            raise answers.failures[0][1]
        now = self._clock()
        saved = await self._store.save(answers.observations, answers.forecasts, now, fence=fence)
        await self._store.prune(now - self._keep_forecasts)
        return CollectedWeather(
            saved,
            len(answers.rejected),
            len({cell for cell, _ in answers.failures}),
            max((observation.observed_at for observation in answers.observations), default=None),
        )

    async def _ask_all(self, cells: Sequence[Cell], held: Held) -> _Answers:
        answers = _Answers()
        async with asyncio.TaskGroup() as group:
            for cell in cells:
                for product in (None, *Product):
                    group.create_task(self._ask(cell, product, held, answers))
        return answers

    async def _ask(self, cell: Cell, product: Product | None, held: Held, answers: _Answers) -> None:
        """Asks for one product of one cell, or for what was observed; a source that is away is not asked again."""
        async with self._places:
            if answers.failures_in_a_row >= _FAILURES_IN_A_ROW:
                answers.failures.append((cell, answers.failures[-1][1]))
                return
            try:
                got = await self._answer(cell, product, held, answers)
            except SourceError as error:
                _FAILED.labels("OBSERVATION" if product is None else product.value, error.code).inc()
                answers.failures.append((cell, error))
                answers.failures_in_a_row += 1
                return
            if got:
                answers.answered += 1
                answers.failures_in_a_row = 0

    async def _answer(self, cell: Cell, product: Product | None, held: Held, answers: _Answers) -> bool:
        """Adds what comes; False when there was nothing to ask for yet."""
        if product is None:
            observed = await self._source.observations(cell, held.observed.get(cell))
            if observed is not None:
                answers.observations += observed.readable
                answers.rejected += observed.rejected
            return observed is not None
        forecast = await self._source.forecasts(cell, product, held.issued.get((cell, product)))
        if forecast is not None:
            answers.forecasts += forecast.readable
            answers.rejected += forecast.rejected
        return forecast is not None


def _tell(answers: _Answers) -> None:
    for row in answers.rejected[:_MOST_TOLD]:
        _log.warning("weather rejected", subject=row.subject, reason=row.reason)
    if answers.failures and answers.answered:
        codes = Tally(error.code for _, error in answers.failures)
        _log.warning("weather incomplete", answered=answers.answered, failed=dict(codes))
