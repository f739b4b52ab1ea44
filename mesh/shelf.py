"""Bytes kept for a while under names that can be listed, a bounded number of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from mesh.errors import Unavailable


class ShelfUnavailable(Unavailable):
    """The shelf does not answer."""

    reason = "CACHE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the cache does not answer: try again later")


class Shelf(Protocol):
    """What is nearest to its end goes first when there is no room; all methods raise ShelfUnavailable."""

    async def get(self, names: Sequence[str]) -> list[bytes | None]:
        """What stands under each name; None where nothing does."""

    async def put(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Puts values there for that long."""

    async def names(self) -> list[str]:
        """All names, without order; what stands under one may be gone a moment later."""

    async def ping(self) -> None:
        """Returns when the shelf answers."""

    async def close(self) -> None:
        """Lets go of connections."""


class InProcessShelf:
    """A shelf of this process alone."""

    def __init__(self, room: int) -> None:
        self._room: Final = room
        self._values: dict[str, tuple[float, bytes]] = {}

    async def get(self, names: Sequence[str]) -> list[bytes | None]:
        """See `Shelf`."""
        now = time.monotonic()
        found = (self._values.get(name) for name in names)
        return [None if one is None or one[0] <= now else one[1] for one in found]

    async def put(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """See `Shelf`."""
        end = time.monotonic() + ttl_seconds
        self._values.update({name: (end, value) for name, value in values.items()})
        if len(self._values) > self._room:
            by_end = sorted(self._values, key=lambda name: self._values[name][0])
            for name in by_end[: len(self._values) - self._room]:
                del self._values[name]

    async def names(self) -> list[str]:
        """See `Shelf`."""
        now = time.monotonic()
        return [name for name, (end, _) in self._values.items() if end > now]

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to let go of."""
