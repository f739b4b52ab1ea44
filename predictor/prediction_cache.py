"""Forecasts at points, kept to be given again: worked out once, however many ask for them at once.

Forecasts at stations need no keeping: the board has them all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import structlog

from air.places import Point
from mesh.clock import Clock
from mesh.shelf import Shelf, ShelfUnavailable
from predictor.forecast import Forecast
from predictor.forecast_bytes import KeptForecast, from_bytes, to_bytes

ROOM: Final = 4096
"""How many forecasts are kept, of some 10 kB each."""

SHELF: Final = "predictions:1"
"""The name of the shelf, with the version of what stands there."""

_log: Final = structlog.stdlib.get_logger("prediction_cache")
_LEFT_ALONE_SECONDS: Final = 5.0
_HOUR: Final = "%Y-%m-%dT%HZ"

Work = Callable[[Sequence[Point]], Sequence[Forecast]]


@dataclass(frozen=True, slots=True)
class Edition:
    """The state of the log of forecasts that answers are made from.

    Attributes:
        issue_time: The newest.
        model_version: Of the newest forecast.
        epoch: The name of the log.
        sequence: Its last place.
    """

    issue_time: datetime
    model_version: str
    epoch: str
    sequence: int

    def name(self, point: Point) -> str:
        """Under which a point's forecast is kept: with another issue, or another model, it is another one."""
        log = f"{self.model_version}/{self.epoch}.{self.sequence}"
        return f"{self.issue_time.astimezone(UTC):{_HOUR}}/{log}/{point.latitude!r},{point.longitude!r}"


def issue_time_of(name: str) -> datetime:
    """The issue time in the name of what is kept."""
    return datetime.strptime(name.partition("/")[0], _HOUR).replace(tzinfo=UTC)


class PredictionCache:
    """Answers from what is kept, else from what is being worked out, else by working it out.

    Without the shelf it works everything out. It is an async context manager, which closes the shelf.
    """

    def __init__(self, shelf: Shelf, clock: Clock, *, left_alone_seconds: float = _LEFT_ALONE_SECONDS) -> None:
        self._shelf = shelf
        self._clock = clock
        self._left_alone_seconds = left_alone_seconds
        self._flights: dict[str, asyncio.Task[Mapping[str, Forecast]]] = {}
        self._tasks: set[asyncio.Task[Mapping[str, Forecast]]] = set()
        self._answers = True
        self._left_alone_until = 0.0
        self.hits = 0
        self.misses = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._shelf.close()

    async def at(self, edition: Edition, points: Sequence[Point], work: Work) -> list[Forecast]:
        """The forecasts at points, as `work` makes them of points with this edition.

        Raises what `work` raises, which is then not kept; it is called off the event loop.
        """
        named = {edition.name(point): point for point in points}
        lacking = {name: point for name, point in named.items() if name not in self._flights}
        self.hits += len(named) - len(lacking)
        if lacking:
            flight = asyncio.create_task(self._fly(lacking, work))
            self._tasks.add(flight)
            self._flights.update(dict.fromkeys(lacking, flight))
            flight.add_done_callback(lambda done: self._land(done, lacking))
        flights = {name: self._flights[name] for name in named}
        forecasts: dict[str, Forecast] = {}
        for flight in set(flights.values()):
            # Others may wait for it, too: a caller who goes away does not end it.
            forecasts.update(await asyncio.shield(flight))
        return [forecasts[edition.name(point)] for point in points]

    async def names(self) -> list[str]:
        """Under which forecasts are kept, without order; none while the shelf does not answer."""
        if self._is_left_alone():
            return []
        try:
            names = await self._shelf.names()
        except ShelfUnavailable as error:
            self._note(error)
            return []
        self._note(None)
        return names

    async def kept(self, names: Sequence[str]) -> dict[str, KeptForecast]:
        """What is kept under names; without those under which nothing is."""
        if self._is_left_alone():
            return {}
        try:
            contents = await self._shelf.get(names)
        except ShelfUnavailable as error:
            self._note(error)
            return {}
        self._note(None)
        found: dict[str, KeptForecast] = {}
        for name, content in zip(names, contents, strict=True):
            if content is not None:
                try:
                    found[name] = from_bytes(content)
                except ValueError:
                    _log.warning("a kept forecast cannot be read, and is worked out again", name=name)
        return found

    async def ping(self) -> None:
        """Returns when the shelf answers. Raises ShelfUnavailable."""
        await self._shelf.ping()

    async def _fly(self, lacking: Mapping[str, Point], work: Work) -> Mapping[str, Forecast]:
        forecasts = {name: one.forecast for name, one in (await self.kept(list(lacking))).items()}
        self.hits += len(forecasts)
        asked = {name: point for name, point in lacking.items() if name not in forecasts}
        if asked:
            self.misses += len(asked)
            made = dict(zip(asked, await asyncio.to_thread(work, list(asked.values())), strict=True))
            await self._keep(made)
            forecasts |= made
        return forecasts

    async def _keep(self, forecasts: Mapping[str, Forecast]) -> None:
        if self._is_left_alone():
            return
        now = self._clock()
        # Of one edition, they end together.
        lasts = (min(forecast.ends_at for forecast in forecasts.values()) - now).total_seconds()
        if lasts <= 0:
            return
        contents = {name: to_bytes(KeptForecast(forecast, now)) for name, forecast in forecasts.items()}
        try:
            await self._shelf.put(contents, lasts)
        except ShelfUnavailable as error:
            self._note(error)

    def _land(self, flight: asyncio.Task[Mapping[str, Forecast]], names: Mapping[str, Point]) -> None:
        self._tasks.discard(flight)
        for name in names:
            del self._flights[name]
        if not flight.cancelled():
            # Whoever waited has got it; without this, one that nobody waits for any more would be complained about.
            flight.exception()

    def _is_left_alone(self) -> bool:
        """Whether the shelf has just failed to answer: callers should not all wait for it to do so again."""
        return time.monotonic() < self._left_alone_until

    def _note(self, error: ShelfUnavailable | None) -> None:
        """Says so once when the shelf goes away, and when it is back."""
        if error is not None:
            self._left_alone_until = time.monotonic() + self._left_alone_seconds
            if self._answers:
                _log.warning("the cache does not answer: forecasts at points are worked out each time", error=error)
        elif not self._answers:
            _log.info("the cache answers again")
        self._answers = error is None
