"""Follows a stream of the left neighbour for ever: resumes by token, and gets over anything but a defect."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, Generic, Protocol, TypeVar

import grpc
import structlog
from prometheus_client import Counter, Gauge

from mesh.errors import CleanAirError
from mesh.interceptors.errors import reason_of
from mesh.resume_token import InvalidResumeToken, UnknownResumeToken

_log: Final = structlog.stdlib.get_logger("subscription")

_CONNECTED: Final = Gauge("cleanair_subscription_connected", "1 while the stream is open.", ["stream"])
_ELEMENTS: Final = Counter("cleanair_subscription_elements", "Elements received.", ["stream"])
_BROKEN: Final = Counter("cleanair_subscription_breaks", "Times that the stream broke.", ["stream", "cause"])

_FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Unless told otherwise, the longest time until a broken stream is opened again."""
_HEARTBEATS_MISSED: Final = 3

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class StreamCall(Protocol[T_co]):
    """An open call that streams responses."""

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    def cancel(self) -> bool:
        """Ends the call."""


class Subscription(Generic[T]):
    """Keeps one stream open, and hands its elements on in order.

    Args:
        name: What is followed, for logs, health and metrics.
        open_stream: Opens the call from a resume token; an empty one starts over.
        load_token: The token kept with what the last handled element brought; empty when there is none.
        handle: Keeps an element and its token, together or not at all. What it raises breaks the stream, and the
            element comes again.
        forget_token: Drops the kept token, when the neighbour's log is no longer the one it belongs to.
        heartbeat_seconds: The longest silence that the neighbour promises; three of them and it is taken for dead.
        longest_pause_seconds: The longest time until a broken stream is opened again.
    """

    def __init__(
        self,
        name: str,
        *,
        open_stream: Callable[[str], StreamCall[T]],
        load_token: Callable[[], Awaitable[str]],
        handle: Callable[[T], Awaitable[None]],
        forget_token: Callable[[], Awaitable[None]],
        heartbeat_seconds: float,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        self.name: Final = name
        self._open_stream = open_stream
        self._load_token = load_token
        self._handle = handle
        self._forget_token = forget_token
        self._silence_seconds = heartbeat_seconds * _HEARTBEATS_MISSED
        self._longest_pause_seconds = longest_pause_seconds
        self._down_since: float | None = time.monotonic()
        self._cause = "not connected yet"
        self._handled = 0
        self._refused = False

    @property
    def connected(self) -> bool:
        """True from the first element of a stream on, until it breaks."""
        return self._down_since is None

    @property
    def trouble(self) -> str:
        """Why it is not connected, and for how long, for the health report."""
        if self._down_since is None:
            return ""
        return f"{self._cause}, for {time.monotonic() - self._down_since:.0f} s"

    async def run(self) -> None:
        """Follows until cancelled."""
        failures = 0
        while True:
            before = self._handled
            cause = await self._follow()
            self._mark_broken(cause)
            failures = 1 if self._handled > before else failures + 1
            await asyncio.sleep(_pause(failures, self._longest_pause_seconds))

    async def _follow(self) -> str:
        """Follows one stream to its end; returns why it ended."""
        try:
            if self._refused:
                await self._forget_token()
                self._refused = False
            async with aclosing(self._elements()) as elements:
                async for element in elements:
                    await self._handle(element)
                    self._handled += 1
                    self._mark_connected()
        except TimeoutError:
            return f"silent for {self._silence_seconds:g} s"
        except grpc.aio.AioRpcError as error:
            cause = reason_of(error) or error.code().name
            self._refused = cause in {UnknownResumeToken.reason, InvalidResumeToken.reason}
            return cause
        except CleanAirError as error:
            return error.reason
        return "the neighbour ended the stream"

    async def _elements(self) -> AsyncGenerator[T, None]:
        call = self._open_stream(await self._load_token())
        try:
            elements = aiter(call)
            while True:
                async with asyncio.timeout(self._silence_seconds):
                    try:
                        element = await anext(elements)
                    except StopAsyncIteration:
                        return
                _ELEMENTS.labels(self.name).inc()
                yield element
        finally:
            call.cancel()

    def _mark_connected(self) -> None:
        if self._down_since is not None:
            _log.info("stream connected", stream=self.name, after_s=round(time.monotonic() - self._down_since, 1))
        self._down_since = None
        _CONNECTED.labels(self.name).set(1)

    def _mark_broken(self, cause: str) -> None:
        _BROKEN.labels(self.name, cause).inc()
        _CONNECTED.labels(self.name).set(0)
        if self._down_since is None or cause != self._cause:
            # Once an outage, not once an attempt.
            _log.warning("stream broken", stream=self.name, cause=cause)
        self._cause = cause
        if self._down_since is None:
            self._down_since = time.monotonic()


def _pause(failures: int, longest_seconds: float) -> float:
    """Seconds until the next attempt: exponential with full jitter, so that replicas do not come back in step."""
    longest = min(_FIRST_PAUSE_S * 2.0 ** min(failures, 16), longest_seconds)
    return random.uniform(0, longest)  # noqa: S311 - jitter is no secret
