"""From ways as they were drawn to a Graph: cut, join, and lay out in rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.graph.components import weak_components
from router.graph.contraction import Chains, Segments, contract
from router.graph.graph import SHORTEST_ARC_M, Floats, Graph, RoadClass, polyline_lengths_m, version_of
from router.graph.green import green_shares
from router.graph.pieces import Pieces, Ways, pieces_of

Longs = NDArray[np.int64]

_MORTON_BITS: Final = 16
_ALL_GREEN: Final = 255


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
    speed_limit_kmh: Longs
    grade_percent: Longs
    green: Longs


def assemble(name: str, ways: Ways) -> Graph:
    """The graph of the ways; without a single piece of street it has no nodes."""
    pieces = pieces_of(ways)
    shares = green_shares(pieces, ways.parks, ways.greens)
    road_class = _with_park_paths(ways, pieces, shares.in_park)
    chains = contract(_segments(ways, road_class, pieces), len(pieces.latitude))
    first, last = chains.node_first[:-1], chains.node_first[1:] - 1
    kept, numbered = _number_nodes(pieces, np.concatenate((chains.nodes[first], chains.nodes[last])))
    start, end = np.split(numbered, 2)
    forward, backward = pieces.forward[chains.segment], pieces.backward[chains.segment]
    way = pieces.way[chains.segment]
    speed, grade, green = _averages(ways, pieces, chains, shares.near_green)
    edges = _Edges(
        chains=chains,
        start=start,
        end=end,
        length_m=polyline_lengths_m(pieces.latitude[chains.nodes], pieces.longitude[chains.nodes], chains.node_first),
        road_class=road_class[way],
        forward=np.where(chains.along, forward, backward),
        backward=np.where(chains.along, backward, forward),
        street=ways.street[way],
        speed_limit_kmh=speed,
        grade_percent=grade,
        green=green,
    )
    return _lay_out(name, ways, pieces, kept, edges)


def _with_park_paths(ways: Ways, pieces: Pieces, in_park: Floats) -> Longs:
    """The class of each way; a footway or cycleway of which more than half lies in a park is a park path."""
    path = np.isin(ways.road_class, (RoadClass.FOOTWAY, RoadClass.CYCLEWAY))
    inside = np.bincount(pieces.way, pieces.length_m * in_park, minlength=len(path))
    most = inside > np.bincount(pieces.way, pieces.length_m, minlength=len(path)) / 2
    return np.where(path & most, np.int64(RoadClass.PARK_PATH), ways.road_class)


def _averages(ways: Ways, pieces: Pieces, chains: Chains, green: Floats) -> tuple[Longs, Longs, Longs]:
    """Of each edge the speed limit as its mean over time, the grade, and the share of it that is green, 0 to 255."""
    if not len(chains.step):
        return (np.zeros(0, dtype=np.int64),) * 3
    length, way, first = pieces.length_m[chains.step], pieces.way[chains.step], chains.step_first[:-1]
    length = np.maximum(length, SHORTEST_ARC_M)
    total = np.add.reduceat(length, first)
    speed = total / np.add.reduceat(length / ways.speed_limit_kmh[way], first)
    rise = np.where(chains.step_along, ways.grade_percent[way], -ways.grade_percent[way])
    grade = np.add.reduceat(length * rise, first) / total
    share = np.add.reduceat(length * green[chains.step], first) / total
    rounded = (np.rint(values).astype(np.int64) for values in (speed, grade, share * _ALL_GREEN))
    speed_limit, grade_percent, all_green = rounded
    return speed_limit, grade_percent, all_green


def _segments(ways: Ways, road_class: Longs, pieces: Pieces) -> Segments:
    street_and_class = (ways.street * 256 + road_class)[pieces.way]
    kind = (street_and_class * 256 + pieces.forward) * 256 + pieces.backward
    reverse = (street_and_class * 256 + pieces.backward) * 256 + pieces.forward
    return Segments(pieces.start, pieces.end, kind, reverse)


def _number_nodes(pieces: Pieces, ends: Longs) -> tuple[Longs, Longs]:
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


def _lay_out(name: str, ways: Ways, pieces: Pieces, kept: Longs, edges: _Edges) -> Graph:
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
        speed_limit_kmh=edges.speed_limit_kmh[edge].astype(np.uint8),
        grade_percent=np.where(is_along, edges.grade_percent[edge], -edges.grade_percent[edge]).astype(np.int8),
        green=edges.green[edge].astype(np.uint8),
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
