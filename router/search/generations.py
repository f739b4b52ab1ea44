"""Two of something large: one that all read, and one that is made ready meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Generations(Generic[T]):
    """A current and a spare value, which change places; who reads waits for nobody.

    A value is written to again and again, as memory that is touched for the first time is slow. So who reads says how
    long, and who writes waits for the last reader of the spare.
    """

    def __init__(self, current: T, spare: T) -> None:
        self._values = [current, spare]
        self._readers = [0, 0]
        self._current = 0
        self._changed = threading.Condition()
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[T]:
        """The current value, which nobody writes to until the block is left."""
        with self._changed:
            which = self._current
            self._readers[which] += 1
        try:
            yield self._values[which]
        finally:
            with self._changed:
                self._readers[which] -= 1
                self._changed.notify_all()

    def replace(self, write: Callable[[T], None]) -> None:
        """Makes the spare value the current one, once `write` has written it; if that raises, all stays as it was."""
        with self._writing:
            spare = 1 - self._current
            with self._changed:
                self._changed.wait_for(lambda: self._readers[spare] == 0)
            write(self._values[spare])
            with self._changed:
                self._current = spare
