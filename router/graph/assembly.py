"""From ways as they were drawn to a Graph: cut, join, and lay out in rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import distance_m
from router.graph.components import weak_components
from router.graph.contraction import Chains, Segments, contract
from router.graph.graph import Floats, Graph, RoadClass, polyline_lengths_m, version_of

Longs = NDArray[np.int64]

UNITS_PER_DEGREE: Final = 10_000_000
"""OpenStreetMap keeps coordinates as whole numbers of 1e-7 degrees."""

NOWHERE: Final = 2_147_483_647
"""The coordinate of a node that a way names but the extract does not hold."""

_MORTON_BITS: Final = 16


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
        street: int64[w], an index into `streets`.
        streets: Names; the first is "".
        parks: Outlines of parks, each float64[k, 2] of longitude and latitude, closed.
        closed_nodes: int64, ids of the nodes that nobody may pass.
        simulated: Whether the streets are a simulated city's.
    """

    size: Longs
    node: Longs
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    road_class: Longs
    forward: Longs
    backward: Longs
    street: Longs
    streets: tuple[str, ...]
    parks: tuple[Floats, ...]
    closed_nodes: Longs
    simulated: bool


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The straight pieces of ways between two points that are both there: nodes by index, and whose piece it is."""

    latitude: Floats
    longitude: Floats
    start: Longs
    end: Longs
    way: Longs


@dataclass(frozen=True, slots=True)
class _Edges:
    """Streets from node to node, in one of their directions each."""

    chains: Chains
    start: Longs
    end: Longs
    length_m: Floats
    road_class: Longs
    forward: Longs
    backward: Longs
    street: Longs


def assemble(name: str, ways: Ways) -> Graph:
    """The graph of the ways; without a single piece of street it has no nodes."""
    pieces = _pieces(ways)
    road_class = _with_park_paths(ways, pieces)
    chains = contract(_segments(ways, road_class, pieces), len(pieces.latitude))
    way = pieces.way[chains.segment]
    first, last = chains.node_first[:-1], chains.node_first[1:] - 1
    kept, numbered = _number_nodes(pieces, np.concatenate((chains.nodes[first], chains.nodes[last])))
    start, end = np.split(numbered, 2)
    edges = _Edges(
        chains=chains,
        start=start,
        end=end,
        length_m=polyline_lengths_m(pieces.latitude[chains.nodes], pieces.longitude[chains.nodes], chains.node_first),
        road_class=road_class[way],
        forward=np.where(chains.along, ways.forward[way], ways.backward[way]),
        backward=np.where(chains.along, ways.backward[way], ways.forward[way]),
        street=ways.street[way],
    )
    return _lay_out(name, ways, pieces, kept, edges)


def _pieces(ways: Ways) -> _Pieces:
    way_of_point = np.repeat(np.arange(len(ways.size)), ways.size)
    there = ways.x != NOWHERE
    ids, point, index = np.unique(ways.node[there], return_index=True, return_inverse=True)
    x, y = ways.x[there][point], ways.y[there][point]
    node = np.full(len(ways.node), -1, dtype=np.int64)
    node[there] = index
    # A way that lost a node is cut there; a node given twice in a row is one.
    joined = (way_of_point[:-1] == way_of_point[1:]) & there[:-1] & there[1:] & (node[:-1] != node[1:])
    at = np.flatnonzero(joined)
    pieces = _Pieces(y / UNITS_PER_DEGREE, x / UNITS_PER_DEGREE, node[at], node[at + 1], way_of_point[at])
    return _cut_at_closed_nodes(pieces, np.isin(ids, ways.closed_nodes))


def _cut_at_closed_nodes(pieces: _Pieces, closed: NDArray[np.bool_]) -> _Pieces:
    """Every piece that touches a closed node ends there at a node of its own."""
    ends = np.concatenate((pieces.start, pieces.end))
    at_closed = np.flatnonzero(closed[ends])
    latitude = np.concatenate((pieces.latitude, pieces.latitude[ends[at_closed]]))
    longitude = np.concatenate((pieces.longitude, pieces.longitude[ends[at_closed]]))
    ends[at_closed] = len(pieces.latitude) + np.arange(len(at_closed))
    start, end = np.split(ends, 2)
    return _Pieces(latitude, longitude, start, end, pieces.way)


def _with_park_paths(ways: Ways, pieces: _Pieces) -> Longs:
    """The class of each way; a footway or cycleway of which more than half lies in a park is a park path."""
    path = np.isin(ways.road_class, (RoadClass.FOOTWAY, RoadClass.CYCLEWAY))
    outlines = [shapely.Polygon(outline) for outline in ways.parks]
    piece = np.flatnonzero(path[pieces.way])
    if not outlines or not len(piece):
        return ways.road_class
    start, end = pieces.start[piece], pieces.end[piece]
    middle = shapely.points(
        (pieces.longitude[start] + pieces.longitude[end]) / 2, (pieces.latitude[start] + pieces.latitude[end]) / 2
    )
    tree = shapely.STRtree([outline for outline in outlines if outline.is_valid])
    inside = np.zeros(len(piece))
    inside[tree.query(middle, predicate="within")[0]] = 1.0
    length = distance_m(pieces.latitude[start], pieces.longitude[start], pieces.latitude[end], pieces.longitude[end])
    way = pieces.way[piece]
    total = np.bincount(way, length, minlength=len(path))
    in_park = np.bincount(way, length * inside, minlength=len(path)) > total / 2
    return np.where(path & in_park, np.int64(RoadClass.PARK_PATH), ways.road_class)


def _segments(ways: Ways, road_class: Longs, pieces: _Pieces) -> Segments:
    street_and_class = ways.street * 256 + road_class
    kind = (street_and_class * 256 + ways.forward) * 256 + ways.backward
    reverse = (street_and_class * 256 + ways.backward) * 256 + ways.forward
    return Segments(pieces.start, pieces.end, kind[pieces.way], reverse[pieces.way])


def _number_nodes(pieces: _Pieces, ends: Longs) -> tuple[Longs, Longs]:
    """The nodes that edges end at, in the order of a Z-curve, and the new numbers of `ends`.

    Neighbours in the city become neighbours in memory, which is what a search walks through.
    """
    used = np.unique(ends)
    code = np.zeros(len(used), dtype=np.int64)
    for axis, values in enumerate((pieces.longitude[used], pieces.latitude[used])):
        low, extent = values.min(initial=180.0), max(float(np.ptp(values)) if len(values) else 0.0, 1e-9)
        step = ((values - low) / extent * ((1 << _MORTON_BITS) - 1)).astype(np.int64)
        for bit in range(_MORTON_BITS):
            code |= ((step >> bit) & 1) << (2 * bit + axis)
    kept = used[np.argsort(code, kind="stable")]
    number = np.full(len(pieces.latitude), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    return kept, number[ends]


def _lay_out(name: str, ways: Ways, pieces: _Pieces, kept: Longs, edges: _Edges) -> Graph:
    along, against = np.flatnonzero(edges.forward), np.flatnonzero(edges.backward)
    edge = np.concatenate((along, against))
    is_along = np.arange(len(edge)) < len(along)
    tail = np.where(is_along, edges.start[edge], edges.end[edge])
    head = np.where(is_along, edges.end[edge], edges.start[edge])
    order = np.lexsort((~is_along, edge, head, tail))
    edge, is_along, tail, head = edge[order], is_along[order], tail[order], head[order]
    arc_along = np.full(len(edges.start), -1, dtype=np.int64)
    arc_against = arc_along.copy()
    arc_along[edge[is_along]] = np.flatnonzero(is_along)
    arc_against[edge[~is_along]] = np.flatnonzero(~is_along)
    shape_first, shape_node = _shapes(edges.chains, edge, is_along)
    first_out = np.zeros(len(kept) + 1, dtype=np.int32)
    np.cumsum(np.bincount(tail, minlength=len(kept)), out=first_out[1:])
    streets, street = _streets_in_use(ways, edges.street[edge])
    graph = Graph(
        name=name,
        version="",
        simulated=ways.simulated,
        latitude=pieces.latitude[kept],
        longitude=pieces.longitude[kept],
        first_out=first_out,
        tail=tail.astype(np.int32),
        head=head.astype(np.int32),
        length_m=edges.length_m[edge],
        road_class=edges.road_class[edge].astype(np.uint8),
        access=np.where(is_along, edges.forward[edge], edges.backward[edge]).astype(np.uint8),
        reverse=np.where(is_along, arc_against[edge], arc_along[edge]).astype(np.int32),
        shape_first=shape_first.astype(np.int32),
        shape_latitude=pieces.latitude[shape_node],
        shape_longitude=pieces.longitude[shape_node],
        street=street.astype(np.int32),
        streets=streets,
        component=weak_components(len(kept), tail.astype(np.int32), head.astype(np.int32)),
    )
    return replace(graph, version=version_of(graph))


def _shapes(chains: Chains, edge: Longs, is_along: NDArray[np.bool_]) -> tuple[Longs, Longs]:
    """Where the shape of each arc begins, and the nodes that are its points, in the direction of the arc."""
    first, size = chains.node_first[edge] + 1, np.diff(chains.node_first)[edge] - 2
    shape_first = np.zeros(len(edge) + 1, dtype=np.int64)
    np.cumsum(size, out=shape_first[1:])
    step = np.arange(shape_first[-1]) - np.repeat(shape_first[:-1], size)
    step = np.where(np.repeat(is_along, size), step, np.repeat(size, size) - 1 - step)
    return shape_first, chains.nodes[np.repeat(first, size) + step]


def _streets_in_use(ways: Ways, street: Longs) -> tuple[tuple[str, ...], Longs]:
    used = np.unique(np.concatenate((np.zeros(1, dtype=np.int64), street)))
    return tuple(ways.streets[index] for index in used), np.searchsorted(used, street)
