"""The log of changes as one process sees it: its end from memory, what is older from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from air.pollutants import Pollutant
from ingestion.change import Batch, Change, Codec
from ingestion.change_log import ChangeLog
from ingestion.change_pages import READINGS_A_PAGE, ChangePages
from ingestion.store.changes import ChangeStore
from mesh.bell import Bell

_INLINE: Final = 200
"""So many changes are encoded in about a millisecond; more than that would hold up the event loop."""

_MOST_BEHIND: Final = 20 * READINGS_A_PAGE
"""A log that has run further ahead, by a backfill, is taken up at its end: followers read pages until there."""


class ChangeFeed:
    """Gives every follower the changes after where it stands.

    The store is looked at when a follower asks for what a ring of the bell announced, once for all who ask then: while
    nobody follows, nothing is read.

    Args:
        store: The log.
        codec: How changes are encoded.
        bell: Rung when something was written here. This rings it when changes come from another replica.
        window_bytes: How much of the log's end is kept in memory.
    """

    def __init__(self, store: ChangeStore, codec: Codec, bell: Bell, window_bytes: int) -> None:
        self._store = store
        self._codec = codec
        self._bell = bell
        self._window_bytes = window_bytes
        # Of no name that a store has: the first look puts another in its place.
        self._log = ChangeLog("", 0, window_bytes)
        self._pages = ChangePages(self._read)
        self._looking = asyncio.Lock()
        self._looks_begun = self._looks_done = 0
        self._rings_seen = -1

    async def __aenter__(self) -> Self:
        await self._pages.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pages.__aexit__(kind, error, trace)

    @property
    def log(self) -> ChangeLog:
        """The window. Another one takes its place when the store has been set back, or has run far ahead."""
        return self._log

    async def catch_up(self, rings: int) -> None:
        """Knows, afterwards, what the first so many rings of the bell announced. Raises DatabaseUnavailable."""
        if self._rings_seen < rings:
            await self.look()

    async def look(self) -> None:
        """Reads what was committed before now; those who ask at the same time share a look.

        Raises DatabaseUnavailable.
        """
        begun = self._looks_begun
        async with self._looking:
            if self._looks_done > begun:
                return
            # All who were woken with this one get the chance to ask.
            await asyncio.sleep(0)
            self._looks_begun += 1
            number, rings, head = self._looks_begun, self._bell.rings, self._log.head
            unannounced = self._rings_seen == rings
            await self._look()
            self._looks_done, self._rings_seen = number, rings
            if unannounced and self._log.head != head:
                self._announce()

    async def after(self, sequence: int) -> Batch | None:
        """A batch that holds the first change after a sequence; None at the end. Raises DatabaseUnavailable."""
        log = self._log
        if sequence < log.start:
            page = await self._pages.after(sequence, until=log.start)
            if page is not None and page.last <= log.start:
                return page
            # What comes after the window's start is the window's to give.
            stop = page.place_after(log.start) if page is not None else 0
            if page is not None and stop > page.place_after(sequence):
                return page.rows(0, stop)
            sequence = log.start
        return log.after(sequence)

    async def narrowed(self, readings: bytes, count: int, pollutants: frozenset[Pollutant]) -> bytes:
        """So many encoded readings again, with nothing on other pollutants."""
        if count > _INLINE:
            return await asyncio.to_thread(self._codec.narrow, readings, pollutants)
        return self._codec.narrow(readings, pollutants)

    async def receive(self, epoch: str, batch: Batch) -> None:
        """Takes a batch that another replica has read; reads from the store what is missing before it.

        Raises DatabaseUnavailable.
        """
        log = self._log
        if log.epoch != epoch or log.head < batch.after:
            await self.look()
        elif log.head < batch.last:
            log.append(batch)
            self._announce()

    def _announce(self) -> None:
        """Rings for what is in the window already: nobody needs to look for it."""
        is_current = self._rings_seen == self._bell.rings
        self._bell.ring()
        if is_current:
            self._rings_seen = self._bell.rings

    async def _look(self) -> None:
        head, log = await self._store.head(), self._log
        if log.epoch == head.epoch and 0 <= head.sequence - log.head <= _MOST_BEHIND:
            while log.head < head.sequence:
                batch = await self._read(log.head, READINGS_A_PAGE)
                if batch is None:
                    break
                log.append(batch)
            else:
                return
        # The first look; or the store was set back, has run far ahead, or no longer keeps what is missing here.
        self._log = ChangeLog(head.epoch, head.sequence, self._window_bytes)

    async def _read(self, after: int, limit: int) -> Batch | None:
        changes = await self._store.changes(after, limit)
        if not changes:
            return None
        if len(changes) > _INLINE:
            return await asyncio.to_thread(self._encode, after, changes)
        return self._encode(after, changes)

    def _encode(self, after: int, changes: Sequence[Change]) -> Batch:
        return Batch.of(after, changes, self._codec.encode(changes))
