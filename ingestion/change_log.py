"""The newest changes, encoded once and kept in memory for all who follow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from ingestion.change import Batch

_READINGS_A_BATCH: Final = 500
"""What an element holds when nothing else is asked for: a follower of everything is sent whole batches, uncopied."""


class ChangeLog:
    """A window on the end of the log, up to a size; what is older is in the store.

    Args:
        epoch: The log's name.
        start: It begins empty after this sequence.
        max_bytes: How large it may be.
    """

    def __init__(self, epoch: str, start: int, max_bytes: int) -> None:
        self.epoch: Final = epoch
        self._start = start
        self._max_bytes = max_bytes
        self._bytes = 0
        self._batches: list[Batch] = []
        self._lasts: list[int] = []

    @property
    def start(self) -> int:
        """It holds every change after this sequence."""
        return self._start

    @property
    def head(self) -> int:
        """The sequence of the last change that it knows of."""
        return self._lasts[-1] if self._lasts else self._start

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes."""
        return self._bytes

    def after(self, sequence: int) -> Batch | None:
        """The batch that holds the first change after a sequence that is not before `start`; None at the end."""
        place = bisect_right(self._lasts, sequence)
        return self._batches[place] if place < len(self._batches) else None

    def batches_after(self, sequence: int) -> Sequence[Batch]:
        """All that it holds after a sequence, in batches."""
        place = bisect_right(self._lasts, sequence)
        return [batch.rows(batch.place_after(sequence), len(batch)) for batch in self._batches[place:]]

    def append(self, batch: Batch) -> None:
        """Adds what is new in a batch, which must not begin after `head`."""
        if batch.after > self.head:
            raise ValueError(f"changes {self.head + 1} to {batch.after} are missing")
        if batch.last <= self.head:
            return
        news = batch.rows(batch.place_after(self.head), len(batch))
        # Small batches grow together, or a window of single readings would be all overhead.
        if self._batches and len(self._batches[-1]) + len(news) <= _READINGS_A_BATCH:
            news = self._batches[-1].with_next(news)
            self._bytes -= self._batches.pop().size
            self._lasts.pop()
        self._batches.append(news)
        self._lasts.append(news.last)
        self._bytes += news.size
        self._shrink()

    def _shrink(self) -> None:
        gone = 0
        while self._bytes > self._max_bytes and gone < len(self._batches):
            self._bytes -= self._batches[gone].size
            self._start = self._lasts[gone]
            gone += 1
        del self._batches[:gone], self._lasts[:gone]
