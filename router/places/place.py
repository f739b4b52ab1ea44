"""A place with a name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from air.places import Point


class Kind(IntEnum):
    """What kind of place it is; the numbers are kept in files of places."""

    OTHER = 0
    STATION = 1
    STOP = 2
    AREA = 3
    STREET = 4
    PARK = 5
    SCHOOL = 6
    HEALTH = 7
    SHOP = 8
    SIGHT = 9
    BUILDING = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A place with a name.

    Attributes:
        name: As it is written there.
        name_en: In English; empty where none is known.
        address: Where it is, in words; empty where that is not known.
        kind: What kind of place it is.
        point: Where it is.
    """

    name: str
    name_en: str
    address: str
    kind: Kind
    point: Point


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place that answers a question.

    Attributes:
        place: The place.
        match_score: How well its name matches, 0 to 1, where 1 is the name itself; None where no name was asked for.
        distance_m: How far it is from the point asked about, great circle, metres; None without one.
        source: Who knows it.
        rank: What answers to a name are sorted by, the highest first; 0 where no name was asked for.
    """

    place: Place
    match_score: float | None
    distance_m: float | None
    source: str
    rank: float = 0.0
