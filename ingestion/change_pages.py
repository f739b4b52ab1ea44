"""Older changes, read from the store a page at a time, for subscribers that catch up."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

from ingestion.change import Batch

READINGS_A_PAGE: Final = 1000
_PAGES_KEPT: Final = 64

Read = Callable[[int, int], Awaitable[Batch | None]]
"""Reads the first changes after a sequence, so many at most; None when there are none."""


class ChangePages:
    """The pages read last. Those who catch up at the same time share them: each page is read and encoded once.

    A page begins at a multiple of its length, so that subscribers share it wherever each has begun.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._pages: OrderedDict[int, asyncio.Task[Batch | None]] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._pages.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def after(self, sequence: int, *, until: int) -> Batch | None:
        """A page that holds the first change after a sequence; None when the store has none. Raises as `read` does.

        The next page is read ahead, while this one is sent, unless this one reaches `until`.
        """
        start = _start_of(sequence)
        for _ in range(2):
            task = self._task(start, sequence)
            # Shielded: who leaves while it is read must not take it from those who wait for it as well.
            page = task.result() if task.done() else await asyncio.shield(task)
            if page is not None and page.last > sequence:
                if page.last < until:
                    self._task(_start_of(page.last), page.last)
                return page
            # It was read when the log ended there: once more.
        return None

    def _task(self, start: int, sequence: int) -> asyncio.Task[Batch | None]:
        """What reads, or has read, the page that begins at `start`; anew when that does not reach beyond a sequence."""
        task = self._pages.get(start)
        if task is None or (task.done() and not _reaches_beyond(sequence, task)):
            task = self._pages[start] = asyncio.create_task(self._load(start))
            # One that was read ahead may fail unseen: who comes for it reads it again, and sees.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pages.move_to_end(start)
        while len(self._pages) > _PAGES_KEPT and next(iter(self._pages.values())).done():
            self._pages.popitem(last=False)
        return task

    async def _load(self, start: int) -> Batch | None:
        return await self._read(start, READINGS_A_PAGE)


def _start_of(sequence: int) -> int:
    return sequence - sequence % READINGS_A_PAGE


def _reaches_beyond(sequence: int, done: asyncio.Task[Batch | None]) -> bool:
    if done.cancelled() or done.exception() is not None:
        return False
    page = done.result()
    return page is not None and page.last > sequence
