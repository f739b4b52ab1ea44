"""Finds places by name, and names of places: on the maps that are served, then with a geocoder if there is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import structlog

from air.geodesy import distance_m
from air.places import Point
from mesh.errors import InvalidInput, Unavailable
from router.geocoding.geocoder import Geocoder, Wanted
from router.places.folding import words
from router.places.index import GOOD_MATCH, MOST_NEAR, nearness
from router.places.indexes import Indexes, NoPlaces
from router.places.place import FoundPlace, Kind, Place
from router.places.scoring import match_score, misspelt_score, read
from router.workers import Workers

_SAME_M: Final = 300.0
"""Two with one name that are nearer than this are one."""

_Answer = TypeVar("_Answer")

_log: Final = structlog.stdlib.get_logger("locations")


class NothingToLookFor(InvalidInput):
    """The text has neither letter nor digit."""

    reason = "NOTHING_TO_LOOK_FOR"


@dataclass(frozen=True, slots=True)
class Here:
    """What is at a point.

    Attributes:
        places: The nearest places with a name, the nearest first.
        street: The nearest street with a name; empty where none is near.
    """

    places: list[FoundPlace]
    street: str


class Locations:
    """Answers for all maps together."""

    def __init__(self, indexes: Indexes, workers: Workers, geocoder: Geocoder | None) -> None:
        self._indexes = indexes
        self._workers = workers
        self._geocoder = geocoder

    async def search(self, wanted: Wanted, kinds: Collection[Kind] = ()) -> list[FoundPlace]:
        """The places whose name is like the text, the best first.

        The geocoder is asked only where the maps know nothing that matches well; its failure is no failure of ours.

        Raises:
            NothingToLookFor: The text has neither letter nor digit.
            NoPlaces: There is neither an index nor a geocoder.
        """
        if not words(wanted.text):
            raise NothingToLookFor("query needs a letter or a digit; type a name.", field="query")

        def own() -> list[FoundPlace]:
            found: list[FoundPlace] = []
            for index in self._indexes.now():
                found += _new(index.search(wanted.text, wanted.near, wanted.most, kinds), found)
            return found

        found = await self._own(own)
        if max((each.match_score or 0.0 for each in found), default=0.0) < GOOD_MATCH:
            others = await self._others(lambda geocoder: geocoder.search(wanted))
            answers = [
                _as_answer(place, wanted, source) for source, place in others if not kinds or place.kind in kinds
            ]
            found += _new(answers, found)
        return sorted(found, key=lambda each: -each.rank)[: wanted.most]

    async def at(self, point: Point) -> Here:
        """What is at the point; the geocoder is asked where the maps have nothing near. Raises NoPlaces."""

        def own() -> list[tuple[list[FoundPlace], tuple[str, float] | None]]:
            return [(index.nearby(point), index.street_at(point)) for index in self._indexes.now()]

        answers = await self._own(own)
        streets = [street for _, street in answers if street is not None]
        street = min(streets, key=lambda each: each[1], default=("", 0.0))[0]
        found: list[FoundPlace] = []
        for places, _ in answers:
            found += _new(places, found)
        found.sort(key=lambda each: each.distance_m or 0.0)
        if not found and not street:
            others = await self._others(lambda geocoder: geocoder.reverse(point))
            found = [FoundPlace(place, None, _apart_m(point, place.point), source) for source, place in others]
        return Here(found[:MOST_NEAR], street)

    async def _own(self, ask: Callable[[], list[_Answer]]) -> list[_Answer]:
        try:
            return await self._workers.run(ask)
        except NoPlaces:
            if self._geocoder is None:
                raise
            return []

    async def _others(self, ask: Callable[[Geocoder], Awaitable[list[Place]]]) -> list[tuple[str, Place]]:
        """What the geocoder says, and who it is; nothing where it does not answer."""
        if self._geocoder is None:
            return []
        try:
            return [(self._geocoder.name, place) for place in await ask(self._geocoder)]
        except Unavailable as error:
            _log.warning(
                "geocoder not asked", geocoder=self._geocoder.name, reason=error.reason, cause=repr(error.__cause__)
            )
            return []


def _as_answer(place: Place, wanted: Wanted, source: str) -> FoundPlace:
    query = read(wanted.text)
    spellings = [" ".join(words(name)) for name in (place.name, place.name_en)]
    score = 0.0
    if query is not None:
        score = max(
            (match_score(query, each) or misspelt_score(query, each) for each in spellings if each), default=0.0
        )
    if wanted.near is None:
        return FoundPlace(place, score, None, source, score)
    metres = _apart_m(wanted.near, place.point)
    return FoundPlace(place, score, metres, source, score + float(nearness(np.array(metres))))


def _new(answers: Sequence[FoundPlace], known: Sequence[FoundPlace]) -> list[FoundPlace]:
    """Those that are not known: maps may overlap, and a geocoder may know what they know."""
    return [each for each in answers if not any(_are_one(each, other) for other in known)]


def _are_one(one: FoundPlace, other: FoundPlace) -> bool:
    same_name = words(one.place.name) == words(other.place.name)
    return same_name and _apart_m(one.place.point, other.place.point) < _SAME_M


def _apart_m(one: Point, other: Point) -> float:
    degrees = (one.latitude, one.longitude, other.latitude, other.longitude)
    return float(distance_m(*(np.array(each) for each in degrees)))
