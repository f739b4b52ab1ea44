"""A few rooms for something large: some hold what is read, and another is filled meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _State(Enum):
    EMPTY = auto()
    FILLING = auto()
    FILLED = auto()


class _Room(Generic[K, V]):
    """A value and what it is filled for; it changes under the lock of the rooms, but the value by who fills it."""

    def __init__(self, value: V | None) -> None:
        self.value = value
        self.key: K | None = None
        self.state = _State.EMPTY
        self.readers = 0
        self.last_read = 0


class Rooms(Generic[K, V]):
    """Values by key, filled when first asked for; who reads what is there waits for nobody.

    A room is filled again and again, as memory that is touched for the first time is slow. So who reads says how long,
    and the room least recently read, of those that nobody reads, is the next to be filled. Who asks for what another
    is filling waits for that; so does who finds all rooms in use.
    """

    def __init__(self, build: Callable[[], V], most: int, *, built: int = 0) -> None:
        """Prepares rooms.

        Args:
            build: Makes an empty room; it holds up nobody but who needs the room.
            most: How many rooms there are.
            built: How many of them are built now, and not when they are first needed.
        """
        self._build = build
        self._rooms: list[_Room[K, V]] = [_Room(build() if number < built else None) for number in range(most)]
        self._reads = 0
        self._held: frozenset[K] = frozenset()
        self._changed = threading.Condition()

    def hold(self, keys: frozenset[K]) -> None:
        """Fills no room of these keys with anything else, until others are held; fewer than there are rooms."""
        if len(keys) >= len(self._rooms):
            raise ValueError(f"Of {len(self._rooms)} rooms, {len(keys)} cannot be held: one must be free to be filled.")
        with self._changed:
            self._held = keys
            self._changed.notify_all()

    @contextmanager
    def read(self, key: K, fill: Callable[[V], None]) -> Iterator[V]:
        """The value of the key, which nobody fills with anything else until the block is left.

        If `fill` raises, the room is empty, and who waits for it tries in turn.
        """
        room, value = self._entered(key, fill)
        try:
            yield value
        finally:
            with self._changed:
                room.readers -= 1
                if room.readers == 0:
                    self._changed.notify_all()

    def _entered(self, key: K, fill: Callable[[V], None]) -> tuple[_Room[K, V], V]:
        with self._changed:
            while (room := self._room_for(key)) is None:
                self._changed.wait()
            if room.state is _State.FILLED and room.key == key and room.value is not None:
                self._enter(room)
                return room, room.value
            room.key, room.state = key, _State.FILLING
        try:
            value = room.value if room.value is not None else self._build()
            fill(value)
        # Whatever went wrong, nobody waits for this room any longer; it is raised on.
        except BaseException:
            with self._changed:
                room.state = _State.EMPTY
                self._changed.notify_all()
            raise
        with self._changed:
            room.value, room.state = value, _State.FILLED
            self._enter(room)
            self._changed.notify_all()
        return room, value

    def _enter(self, room: _Room[K, V]) -> None:
        room.readers += 1
        self._reads += 1
        room.last_read = self._reads

    def _room_for(self, key: K) -> _Room[K, V] | None:
        """The room that is filled for the key, or else one to fill; None when there is none at the moment."""
        for room in self._rooms:
            if room.state is not _State.EMPTY and room.key == key:
                return room if room.state is _State.FILLED else None
        free = [room for room in self._rooms if self._is_free(room)]
        # Of the empty ones those first that are built.
        return min(
            free, key=lambda room: (room.state is _State.FILLED, room.value is None, room.last_read), default=None
        )

    def _is_free(self, room: _Room[K, V]) -> bool:
        if room.state is _State.EMPTY:
            return True
        return room.state is _State.FILLED and room.readers == 0 and room.key not in self._held
