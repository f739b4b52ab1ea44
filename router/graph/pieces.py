"""Ways as the straight pieces between their points, cut and closed where barriers stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import distance_m
from router.graph.graph import ANYONE, Floats

Longs = NDArray[np.int64]

Outline = tuple[Floats, ...]
"""Of an area: its border, then those of its holes, each float64[k, 2] of longitude and latitude, closed."""

UNITS_PER_DEGREE: Final = 10_000_000
"""OpenStreetMap keeps coordinates as whole numbers of 1e-7 degrees."""

NOWHERE: Final = 2_147_483_647
"""The coordinate of a node that a way names but the extract does not hold."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways that someone may use, `w` of them, with all their points end to end, `p` of them.

    Attributes:
        size: int64[w], how many points each way has.
        node: int64[p], OpenStreetMap's node ids.
        x: int32[p], longitude in 1e-7 degrees, or NOWHERE.
        y: int32[p], latitude in 1e-7 degrees, or NOWHERE.
        road_class: int64[w], a RoadClass.
        forward: int64[w], a set of Access along the way.
        backward: int64[w], a set of Access against the way.
        speed_limit_kmh: int64[w].
        grade_percent: int64[w], metres that it rises over a hundred, along the way.
        street: int64[w], an index into `streets`.
        streets: Names; the first is "".
        parks: Outlines of parks.
        greens: Likewise of woods, grass, and the like.
        barriers: int64, ids of nodes at which barriers stand.
        stopped: int64, the set of Access that each of these stops.
        simulated: Whether the streets are a simulated city's.
    """

    size: Longs
    node: Longs
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    road_class: Longs
    forward: Longs
    backward: Longs
    speed_limit_kmh: Longs
    grade_percent: Longs
    street: Longs
    streets: tuple[str, ...]
    parks: tuple[Outline, ...]
    greens: tuple[Outline, ...]
    barriers: Longs
    stopped: Longs
    simulated: bool


@dataclass(frozen=True, slots=True)
class Pieces:
    """The straight pieces of ways between two points that are both there, `k` of them.

    Attributes:
        latitude: float64[n], of nodes, degrees.
        longitude: float64[n].
        start: int64[k], nodes.
        end: int64[k], nodes.
        way: int64[k], whose piece it is.
        length_m: float64[k].
        forward: int64[k], a set of Access from start to end.
        backward: int64[k], a set of Access from end to start.
    """

    latitude: Floats
    longitude: Floats
    start: Longs
    end: Longs
    way: Longs
    length_m: Floats
    forward: Longs
    backward: Longs


def pieces_of(ways: Ways) -> Pieces:
    """The pieces that someone may use."""
    way_of_point = np.repeat(np.arange(len(ways.size)), ways.size)
    there = ways.x != NOWHERE
    ids, point, index = np.unique(ways.node[there], return_index=True, return_inverse=True)
    latitude, longitude = ways.y[there][point] / UNITS_PER_DEGREE, ways.x[there][point] / UNITS_PER_DEGREE
    node = np.full(len(ways.node), -1, dtype=np.int64)
    node[there] = index
    # A way that lost a node is cut there; a node given twice in a row is one.
    at = np.flatnonzero((way_of_point[:-1] == way_of_point[1:]) & there[:-1] & there[1:] & (node[:-1] != node[1:]))
    start, end, way = node[at], node[at + 1], way_of_point[at]
    length = distance_m(latitude[start], longitude[start], latitude[end], longitude[end])
    pieces = Pieces(latitude, longitude, start, end, way, length, ways.forward[way], ways.backward[way])
    stopped = np.zeros(len(ids), dtype=np.int64)
    if len(ids):
        at_barrier = np.minimum(np.searchsorted(ids, ways.barriers), len(ids) - 1)
        known = ids[at_barrier] == ways.barriers
        stopped[at_barrier[known]] = ways.stopped[known]
    return _cut(_close(pieces, stopped, ways.road_class[way]), stopped == ANYONE)


def _close(pieces: Pieces, stopped: Longs, road_class: Longs) -> Pieces:
    """Closes pieces to those whom the barrier at their end stops.

    Where a way goes on behind a barrier, closing the shorter of the two pieces beside it suffices. A barrier where
    several meet guards the lesser streets against those of the main one, which goes by: all but those of its class are
    closed, and all where they are of one class. At a dead end it stops nobody.
    """
    ends = np.concatenate((pieces.start, pieces.end))
    at = np.flatnonzero((stopped[ends] > 0) & (stopped[ends] != ANYONE))
    if not len(at):
        return pieces
    piece = at % len(pieces.start)
    at = at[np.lexsort((pieces.length_m[piece], ends[at]))]
    node, piece = ends[at], at % len(pieces.start)
    first = np.flatnonzero(np.concatenate(([True], node[1:] != node[:-1])))
    count = np.diff(np.concatenate((first, [len(node)])))
    group = np.repeat(np.arange(len(first)), count)
    lowest = np.minimum.reduceat(road_class[piece], first)
    highest = np.maximum.reduceat(road_class[piece], first)
    is_shortest = np.arange(len(node)) == first[group]
    is_lesser = (road_class[piece] > lowest[group]) | (lowest == highest)[group]
    closes = np.where(count[group] > 2, is_lesser, is_shortest & (count[group] == 2))  # noqa: PLR2004 - a way goes on
    open_to = np.full(len(pieces.start), int(ANYONE), dtype=np.int64)
    np.bitwise_and.at(open_to, piece[closes], ~stopped[node[closes]])
    forward, backward = pieces.forward & open_to, pieces.backward & open_to
    kept = np.flatnonzero((forward | backward) > 0)
    return Pieces(
        latitude=pieces.latitude,
        longitude=pieces.longitude,
        start=pieces.start[kept],
        end=pieces.end[kept],
        way=pieces.way[kept],
        length_m=pieces.length_m[kept],
        forward=forward[kept],
        backward=backward[kept],
    )


def _cut(pieces: Pieces, closed: NDArray[np.bool_]) -> Pieces:
    """Every piece that touches a node that nobody may pass ends there at a node of its own."""
    ends = np.concatenate((pieces.start, pieces.end))
    at_closed = np.flatnonzero(closed[ends])
    latitude = np.concatenate((pieces.latitude, pieces.latitude[ends[at_closed]]))
    longitude = np.concatenate((pieces.longitude, pieces.longitude[ends[at_closed]]))
    ends[at_closed] = len(pieces.latitude) + np.arange(len(at_closed))
    start, end = np.split(ends, 2)
    return replace(pieces, latitude=latitude, longitude=longitude, start=start, end=end)
