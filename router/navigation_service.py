"""Navigate: positions in, and what there is to tell out, for as long as a traveller is on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from cleanair.router.v1 import navigation_pb2 as wire
from cleanair.router.v1 import route_pb2

from mesh.bell import Bell
from mesh.cancellation import end
from mesh.clock import Clock
from mesh.errors import InvalidInput
from router.navigation import Event, Journey, Position
from router.navigation_wire import event_to_wire, journey_from_wire, position_from_wire
from router.planner import Planner
from router.route_wire import language_from_wire
from router.workers import Overloaded, Workers

LONGEST_SILENCE_SECONDS: Final = 1800.0
"""A traveller who says nothing for so long is no longer on the way."""

_log: Final = structlog.stdlib.get_logger("journeys")


class JourneyFirst(InvalidInput):
    """A position came before anybody said where to go."""

    reason = "JOURNEY_FIRST"


class Guide:
    """Goes along with travellers, each on a stream of their own."""

    def __init__(
        self,
        planner: Planner,
        workers: Workers,
        news: Bell,
        *,
        clock: Clock,
        heartbeat_seconds: float = 10.0,
        longest_silence_seconds: float = LONGEST_SILENCE_SECONDS,
    ) -> None:
        """Of the ways of a planner; `news` rings when that knows new air, and is closed when the server drains."""
        self._planner = planner
        self._workers = workers
        self._news = news
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._longest_silence_seconds = longest_silence_seconds

    async def follow(
        self, requests: AsyncIterator[wire.NavigateRequest]
    ) -> AsyncGenerator[wire.NavigateResponse, None]:
        """Answers until the traveller hangs up, falls silent for too long, or the server drains.

        Between messages a heartbeat is sent, so that either side sees when the other is gone.
        """
        inbox, bell = _Inbox(), self._news
        reader, listener = asyncio.create_task(inbox.read(requests)), asyncio.create_task(inbox.listen(bell))
        talk: _Talk | None = None
        try:
            while not bell.closed and not inbox.is_over and inbox.silent_seconds < self._longest_silence_seconds:
                had_mail = await inbox.wait(self._heartbeat_seconds)
                asked, position, is_new_air = inbox.take()
                if asked is not None:
                    talk = await self._workers.run(partial(_Talk, self._planner, asked, self._clock()))
                    for response in talk.first:
                        yield response
                if talk is None:
                    if position is not None:
                        raise JourneyFirst("The first message must be a journey: say where to go.", field="position")
                    continue
                for response in await self._tell(talk, position, is_new_air=is_new_air, is_due=not had_mail):
                    yield response
            if reader.done():
                await reader
        finally:
            await end(reader, listener)

    async def _tell(
        self, talk: _Talk, position: Position | None, *, is_new_air: bool, is_due: bool
    ) -> Sequence[wire.NavigateResponse]:
        try:
            return await self._workers.run(
                partial(talk.tell, position, self._clock(), is_new_air=is_new_air, is_due=is_due)
            )
        except Overloaded as error:
            # The next position is as good.
            _log.warning("position left out", reason=error.reason)
            return ()


class _Inbox:
    """What a traveller has said, and not been answered to: of each kind the newest, as older ones are of no use."""

    def __init__(self) -> None:
        self.is_over = False
        self._asked: wire.Journey | None = None
        self._position: Position | None = None
        self._is_new_air = False
        self._changed = asyncio.Event()
        self._heard_at = asyncio.get_running_loop().time()
        self._has_ended = False

    @property
    def silent_seconds(self) -> float:
        """How long nothing has been said."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def read(self, requests: AsyncIterator[wire.NavigateRequest]) -> None:
        """Takes messages in, until there are no more."""
        try:
            async for request in requests:
                self._heard_at = asyncio.get_running_loop().time()
                if request.HasField("journey"):
                    # A position from before belongs to the journey before.
                    self._asked, self._position = request.journey, None
                else:
                    self._position = position_from_wire(request.position)
                self._changed.set()
        finally:
            self._has_ended = True
            self._changed.set()

    async def listen(self, bell: Bell) -> None:
        """Takes note of new air, until the bell is closed."""
        while not bell.closed:
            seen = bell.rings
            if await bell.wait(seen, LONGEST_SILENCE_SECONDS):
                self._is_new_air = True
                self._changed.set()

    async def wait(self, seconds: float) -> bool:
        """Waits until there is something; False when the time ran out first."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> tuple[wire.Journey | None, Position | None, bool]:
        """What there is: a journey, a position, and whether there is new air."""
        taken = self._asked, self._position, self._is_new_air
        self._asked, self._position, self._is_new_air = None, None, False
        self._changed.clear()
        # What was said before the end is taken now; after this there is no more.
        self.is_over = self._has_ended
        return taken


class _Talk:
    """One journey in the words of the contract."""

    def __init__(self, planner: Planner, asked: wire.Journey, now: datetime) -> None:
        self._language = language_from_wire(asked.language_code)
        self._journey = Journey(planner, journey_from_wire(asked), now)
        self._steps: Sequence[route_pb2.Step] = ()
        self.first = self._say([self._journey.first], now)

    def tell(
        self, position: Position | None, now: datetime, *, is_new_air: bool, is_due: bool
    ) -> list[wire.NavigateResponse]:
        """What there is to tell of a position and of new air; a heartbeat where one is due."""
        events: list[Event | None] = []
        if position is not None:
            events += self._journey.at(position, now)
        if is_new_air and (advice := self._journey.new_air(now)) is not None:
            events.append(advice)
        if is_due and not events:
            events.append(None)
        return self._say(events, now)

    def _say(self, events: Iterable[Event | None], now: datetime) -> list[wire.NavigateResponse]:
        status, said = self._journey.status(now), []
        for event in events:
            message = event_to_wire(event, status, steps=self._steps, language=self._language)
            if message.HasField("new_route"):
                self._steps = message.new_route.route.steps
            said.append(message)
        return said
