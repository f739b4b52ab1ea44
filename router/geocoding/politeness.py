"""Asks a geocoder no more often than its terms allow, and nothing twice that is remembered."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from air.places import Point
from mesh.errors import Unavailable
from router.geocoding.geocoder import Geocoder, GeocoderUnavailable, Wanted
from router.places.folding import words
from router.places.place import Kind, Place

_NEAR_DECIMALS: Final = 2
_POINT_DECIMALS: Final = 5

_log: Final = structlog.stdlib.get_logger("geocoder")


class Memory(Protocol):
    """Bytes by key, for a while."""

    async def get(self, key: str) -> bytes | None:
        """What is kept under the key."""

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keeps the value for that long."""


class Pace:
    """Lets one through at a time, with a pause between; who would wait too long is turned away at once."""

    def __init__(self, pause_seconds: float, patience_seconds: float) -> None:
        self._pause = pause_seconds
        self._patience = patience_seconds
        self._next = 0.0

    async def turn(self) -> None:
        """Returns when it is one's turn. Raises GeocoderUnavailable when that would take too long."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        if at - now > self._patience:
            raise GeocoderUnavailable("The geocoder has more questions than it may be asked; try again in a minute.")
        self._next = at + self._pause
        await asyncio.sleep(at - now)


class PoliteGeocoder:
    """A geocoder that is asked at a pace, and whose answers are remembered for a while."""

    def __init__(self, geocoder: Geocoder, memory: Memory, pace: Pace, remembered_seconds: float) -> None:
        self._geocoder = geocoder
        self._memory = memory
        self._pace = pace
        self._remembered_seconds = remembered_seconds

    @property
    def name(self) -> str:
        """Who it is."""
        return self._geocoder.name

    async def search(self, wanted: Wanted) -> list[Place]:
        """Places with such a name, the best first. Raises GeocoderUnavailable."""
        near = wanted.near
        # Who asks a kilometre away is answered alike.
        about = None if near is None else _rounded(near, _NEAR_DECIMALS)
        question = json.dumps(["search", " ".join(words(wanted.text)), about, wanted.most])
        return await self._remembered(question, lambda: self._geocoder.search(wanted))

    async def reverse(self, point: Point) -> list[Place]:
        """What is at the point, one place or none. Raises GeocoderUnavailable."""
        question = json.dumps(["reverse", _rounded(point, _POINT_DECIMALS)])
        return await self._remembered(question, lambda: self._geocoder.reverse(point))

    async def _remembered(self, question: str, ask: Callable[[], Awaitable[list[Place]]]) -> list[Place]:
        key = f"geocoded:{self.name}:{hashlib.sha256(question.encode()).hexdigest()}"
        try:
            kept = await self._memory.get(key)
        except Unavailable as error:
            _log.warning("answers of the geocoder not remembered", reason=error.reason)
            kept = None
        if kept is not None:
            return [_from_json(each) for each in json.loads(kept)]
        await self._pace.turn()
        places = await ask()
        try:
            await self._memory.set(
                key, json.dumps([_to_json(each) for each in places]).encode(), self._remembered_seconds
            )
        except Unavailable as error:
            _log.warning("answer of the geocoder not kept", reason=error.reason)
        return places


_Kept = tuple[str, str, str, int, float, float]


def _to_json(place: Place) -> _Kept:
    return place.name, place.name_en, place.address, int(place.kind), place.point.latitude, place.point.longitude


def _from_json(kept: _Kept) -> Place:
    name, name_en, address, kind, latitude, longitude = kept
    return Place(name, name_en, address, Kind(kind), Point(latitude, longitude))


def _rounded(point: Point, decimals: int) -> tuple[float, float]:
    return round(point.latitude, decimals), round(point.longitude, decimals)
