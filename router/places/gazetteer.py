"""All that has a name in an extract, made ready to be searched: each place once, with the area that it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import Floats
from air.places import Point
from router.graph.pieces import UNITS_PER_DEGREE
from router.places.extract import Named, StreetPieces, read_names
from router.places.hangul import has_syllable
from router.places.merging import Longs, merged, most_central
from router.places.place import Kind, Place
from router.places.tags import Level, Meaning, Names
from router.plane import on_plane, stretch

_SAME_STREET_M: Final = 700.0
_SAME_PLACE_M: Final = {
    **dict.fromkeys(Kind, 60.0),
    **dict.fromkeys((Kind.STATION, Kind.AREA), 600.0),
    **dict.fromkeys((Kind.STOP, Kind.PARK, Kind.SCHOOL, Kind.OTHER), 200.0),
}
"""How near two of a kind with one name are the same: a stop has two sides, a shop has branches."""

_AREA_REACH_M: Final = {Level.TOWN: 30_000.0, Level.DISTRICT: 6_000.0, Level.QUARTER: 1_500.0}
"""How far from the middle of an area its places may be; without outlines, the nearest middle is the best guess."""


@dataclass(frozen=True, slots=True)
class StreetLines:
    """Pieces of streets, `w` of them, with all their points end to end, `p` of them.

    Attributes:
        names: Of each piece.
        first: int64[w + 1], where the points of each begin.
        points: int32[p, 2], latitude and longitude in 1e-7 degrees.
    """

    names: tuple[str, ...]
    first: Longs
    points: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Places with all that they are found by.

    Attributes:
        places: Each once.
        importance: How likely each is meant when its name is typed, 0 to 1.
        spellings: What each may be found by: folded words with a space between them.
        streets: The pieces of all streets that have a name.
    """

    places: tuple[Place, ...]
    importance: tuple[float, ...]
    spellings: tuple[tuple[str, ...], ...]
    streets: StreetLines


def gather(path: Path) -> Gazetteer:
    """The places of an extract that is whole, as the import of its streets has found."""
    named, pieces = read_names(path)
    each_once = [*_merge_places(named), *_merge_streets(pieces)]
    return Gazetteer(
        places=tuple(
            Place(one.names.name, one.names.name_en, address, one.meaning.kind, Point(one.latitude, one.longitude))
            for one, address in zip(each_once, _addresses(each_once), strict=True)
        ),
        importance=tuple(one.meaning.importance for one in each_once),
        spellings=tuple(one.names.spellings for one in each_once),
        streets=_lines(pieces),
    )


def _merge_places(named: Sequence[Named]) -> list[Named]:
    """Each place once: the most important of those that are one, with the names and the address of all of them."""
    if not named:
        return []
    groups: dict[tuple[str, Kind], int] = {}
    group = [groups.setdefault((one.names.spellings[0], one.meaning.kind), len(groups)) for one in named]
    points = np.array([(one.latitude, one.longitude) for one in named])
    reach = np.array([_SAME_PLACE_M[one.meaning.kind] for one in named])
    clusters: dict[int, list[Named]] = {}
    for one, cluster in zip(named, merged(np.array(group), points, reach).tolist(), strict=True):
        clusters.setdefault(cluster, []).append(one)
    return [_one_of(same) for same in clusters.values()]


def _one_of(same: Sequence[Named]) -> Named:
    if len(same) == 1:
        return same[0]
    best = max(same, key=lambda one: one.meaning.importance)
    spellings = dict.fromkeys(spelling for one in (best, *same) for spelling in one.names.spellings)
    name_en = best.names.name_en or next((one.names.name_en for one in same if one.names.name_en), "")
    address = best.own_address or next((one.own_address for one in same if one.own_address), "")
    return replace(best, names=Names(best.names.name, name_en, tuple(spellings)), own_address=address)


def _merge_streets(pieces: StreetPieces) -> list[Named]:
    """Each street once, at the point of it that is nearest to its middle."""
    if not pieces.lines:
        return []
    size = np.array([len(line) for line in pieces.lines])
    name, importance = np.array(pieces.name, dtype=np.int64), np.array(pieces.importance)
    points = np.concatenate(pieces.lines)[:, ::-1]
    of_point = np.repeat(name, size)
    cluster = merged(of_point, points, np.full(len(points), _SAME_STREET_M))
    middle = most_central(cluster, points)
    highest = np.zeros(len(middle))
    np.maximum.at(highest, cluster, np.repeat(importance, size))
    names = tuple(pieces.names)
    return [
        Named(names[of], Meaning(Kind.STREET, street_importance), "", latitude, longitude)
        for of, street_importance, (latitude, longitude) in zip(
            of_point[middle].tolist(), highest.tolist(), points[middle].tolist(), strict=True
        )
    ]


def _lines(pieces: StreetPieces) -> StreetLines:
    names = [names.name for names in pieces.names]
    points = np.concatenate((np.empty((0, 2)), *pieces.lines))[:, ::-1]
    return StreetLines(
        names=tuple(names[name] for name in pieces.name),
        first=np.cumsum([0, *map(len, pieces.lines)], dtype=np.int64),
        points=np.round(points * UNITS_PER_DEGREE).astype(np.int32),
    )


def _addresses(places: Sequence[Named]) -> list[str]:
    """Where each place is: the areas that it lies in, then street and number, in the order that is usual there."""
    if not places:
        return []
    points = np.array([(one.latitude, one.longitude) for one in places])
    level = np.array([one.meaning.level for one in places])
    parts: list[list[str]] = [[] for _ in places]
    for of, reach_m in _AREA_REACH_M.items():
        # A town lies in no district; what is no area lies in one of each level.
        inside = np.flatnonzero((level > of) | (level == Level.NONE))
        for place, area in _nearest(points, inside, np.flatnonzero(level == of), reach_m):
            parts[place].append(places[area].names.name)
    for one, part in zip(places, parts, strict=True):
        part.append(one.own_address)
    return [_in_words([each for each in part if each]) for part in parts]


def _nearest(points: Floats, asked: Longs, among: Longs, reach_m: float) -> Iterable[tuple[int, int]]:
    """Each of the asked that has one of the others within reach, and the nearest of these."""
    if not len(asked) or not len(among):
        return ()
    place = np.asarray(shapely.points(on_plane(points)))
    tree = shapely.STRtree(place[among])
    of, nearest = tree.query_nearest(place[asked], all_matches=False)
    metres = shapely.distance(place[asked[of]], place[among[nearest]]) / stretch(points[asked[of], 0])
    near = metres <= reach_m
    return zip(asked[of[near]].tolist(), among[nearest[near]].tolist(), strict=True)


def _in_words(parts: Sequence[str]) -> str:
    """Korea writes the largest first, most others the smallest."""
    is_hangul = any(has_syllable(part) for part in parts)
    return " ".join(parts) if is_hangul else ", ".join(reversed(parts))
