"""The stream of readings: what has changed since a token, then each change as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from air.status import DataStatus
from ingestion.account import Accounted
from ingestion.change_feed import ChangeFeed
from ingestion.freshness import data_status
from ingestion.reading_filter import ALL, ReadingFilter
from ingestion.store.readings import Coverage, ReadingStore
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.resume_token import ResumeToken, UnknownResumeToken

READINGS_AN_ELEMENT: Final = 500
"""What an element holds at most, unless another size is asked for."""

# A filter may leave nothing of many batches: so many are looked at before others get their turn.
_BATCHES_A_TURN: Final = 20


class Start(Enum):
    """Where a stream without a token starts."""

    OLDEST = "OLDEST"
    """With the oldest reading kept."""
    LATEST = "LATEST"
    """With what is stored from now on."""


@dataclass(frozen=True, slots=True)
class StreamQuestion:
    """Where a stream starts, and what it sends; see `StreamReadingsRequest`."""

    token: str = ""
    start: Start = Start.OLDEST
    wanted: ReadingFilter = ALL
    batch_size: int = READINGS_AN_ELEMENT


@dataclass(frozen=True, slots=True)
class Element:
    """Readings, or none in a heartbeat; the token stands for all that came up to here.

    Attributes:
        parts: The encoded readings; joined, they are the readings of the element.
        count: How many they are.
    """

    token: ResumeToken
    parts: tuple[bytes, ...]
    count: int
    status: DataStatus


class StatusBoard:
    """Tells how current the collection is, without asking the database each time."""

    def __init__(self, store: ReadingStore, account: Accounted, bell: Bell, clock: Clock, keep_seconds: float) -> None:
        self._store = store
        self._account = account
        self._bell = bell
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._coverage = Coverage()
        self._read_at: tuple[int, float] | None = None
        self._reading = asyncio.Lock()

    async def status(self) -> DataStatus:
        """The status now. Raises DatabaseUnavailable."""
        if not self._is_current():
            async with self._reading:
                # All who were woken by the same ring come here, and one of them reads.
                if not self._is_current():
                    rings, now = self._bell.rings, time.monotonic()
                    self._coverage = await self._store.coverage()
                    self._read_at = rings, now
        return data_status(self._coverage, self._account.outage, self._clock())

    def _is_current(self) -> bool:
        # The bell does not tell of all that another replica has stored: that is seen when the time is up.
        if self._read_at is None:
            return False
        rings, read_at = self._read_at
        return rings == self._bell.rings and time.monotonic() - read_at <= self._keep_seconds


@dataclass(frozen=True, slots=True)
class _Gathered:
    parts: tuple[bytes, ...]
    count: int
    position: int
    is_last: bool


class ReadingStream:
    """Follows the log of changes for as many clients as ask; each reads at the pace at which it is read.

    Nothing is kept for a client but its place in the log: a slow one has its elements made later.
    """

    def __init__(self, feed: ChangeFeed, board: StatusBoard, bell: Bell, heartbeat_seconds: float) -> None:
        self._feed = feed
        self._board = board
        self._bell = bell
        self._heartbeat_seconds = heartbeat_seconds

    async def follow(self, question: StreamQuestion) -> AsyncGenerator[Element, None]:
        """All changes after the token, without end; the first element comes at once, if only as a heartbeat.

        Raises InvalidResumeToken, or UnknownResumeToken when the token belongs to another log or a later state of it.
        """
        rings = self._bell.rings
        await self._feed.look()
        epoch = self._feed.log.epoch
        position = ResumeToken.position(question.token, epoch)
        if not question.token and question.start is Start.LATEST:
            position = self._feed.log.head
        told: DataStatus | None = None
        due = 0.0
        while not self._bell.closed:
            if self._feed.log.epoch != epoch or position > self._feed.log.head:
                # The database was set back, say from a backup: the numbers ahead will be given to other changes.
                raise UnknownResumeToken
            gathered = await self._gather(question, position)
            position = gathered.position
            status = await self._board.status()
            is_due = time.monotonic() >= due
            if gathered.count or is_due or status != told:
                yield Element(ResumeToken(epoch, position), gathered.parts, gathered.count, status)
                told, due = status, time.monotonic() + self._heartbeat_seconds
            elif not gathered.is_last:
                # Nothing was sent that others could have been served meanwhile.
                await asyncio.sleep(0)
            if not gathered.is_last:
                continue
            rang = await self._bell.wait(rings, due - time.monotonic())
            rings = self._bell.rings
            if not rang:
                # Another replica may have written to the store.
                await self._feed.look()
            elif not self._bell.closed:
                await self._feed.catch_up(rings)

    async def _gather(self, question: StreamQuestion, position: int) -> _Gathered:
        """What an element is to hold of the changes after a position."""
        wanted, parts, count = question.wanted, list[bytes](), 0
        for _ in range(_BATCHES_A_TURN):
            batch = await self._feed.after(position)
            if batch is None:
                return _Gathered(await self._narrowed(wanted, parts, count), count, position, is_last=True)
            taken = wanted.take(batch, position, question.batch_size - count)
            parts += taken.parts
            count += taken.count
            position = taken.position
            if count == question.batch_size:
                break
        return _Gathered(await self._narrowed(wanted, parts, count), count, position, is_last=False)

    async def _narrowed(self, wanted: ReadingFilter, parts: Sequence[bytes], count: int) -> tuple[bytes, ...]:
        if not wanted.pollutants or not parts:
            return tuple(parts)
        return (await self._feed.narrowed(b"".join(parts), count, wanted.pollutants),)
