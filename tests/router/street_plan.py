"""Small graphs drawn by hand: nodes in metres east and north of a corner of Seoul, edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from air.geodesy import EARTH_RADIUS_M
from air.places import Point
from router.graph.components import weak_components
from router.graph.graph import Access, Graph, RoadClass, full_shapes, polyline_lengths_m, version_of

CORNER = Point(37.55, 126.95)
METERS_A_DEGREE = np.radians(1.0) * EARTH_RADIUS_M

BOTH = Access.FOOT | Access.BIKE | Access.WHEELCHAIR | Access.CAR


def at(east_m: float, north_m: float) -> Point:
    """The point that many metres from the corner."""
    return Point(
        CORNER.latitude + north_m / METERS_A_DEGREE,
        CORNER.longitude + east_m / (METERS_A_DEGREE * np.cos(np.radians(CORNER.latitude))),
    )


@dataclass(frozen=True)
class Edge:
    """A street from one node to another; `back` is who may use it the other way."""

    start: int
    end: int
    road_class: RoadClass = RoadClass.LOCAL
    forth: Access = BOTH
    back: Access = BOTH
    via: tuple[tuple[float, float], ...] = ()
    street: str = ""


def plan(nodes: Sequence[tuple[float, float]], edges: Sequence[Edge]) -> Graph:
    """The graph of nodes (metres east and north) and edges."""
    arcs: list[tuple[int, int, Edge, Access, tuple[tuple[float, float], ...], int]] = []
    for number, edge in enumerate(edges):
        if edge.forth:
            arcs.append((edge.start, edge.end, edge, edge.forth, edge.via, number))
        if edge.back:
            arcs.append((edge.end, edge.start, edge, edge.back, edge.via[::-1], number))
    arcs.sort(key=lambda arc: arc[0])
    points = [at(*node) for node in nodes]
    shape = [at(*bend) for arc in arcs for bend in arc[4]]
    tail = np.array([arc[0] for arc in arcs], dtype=np.int32)
    head = np.array([arc[1] for arc in arcs], dtype=np.int32)
    reverse = np.full(len(arcs), -1, dtype=np.int32)
    numbers = [arc[5] for arc in arcs]
    for here, number in enumerate(numbers):
        for there, other in enumerate(numbers):
            if here != there and number == other:
                reverse[here] = there
    streets = tuple(sorted({"", *(edge.street for edge in edges)}))
    graph = Graph(
        name="street plan",
        version="",
        simulated=True,
        latitude=np.array([point.latitude for point in points]),
        longitude=np.array([point.longitude for point in points]),
        first_out=np.searchsorted(tail, np.arange(len(nodes) + 1)).astype(np.int32),
        tail=tail,
        head=head,
        length_m=np.ones(len(arcs)),
        road_class=np.array([arc[2].road_class for arc in arcs], dtype=np.uint8),
        access=np.array([arc[3] for arc in arcs], dtype=np.uint8),
        reverse=reverse,
        shape_first=np.cumsum([0, *(len(arc[4]) for arc in arcs)]).astype(np.int32),
        shape_latitude=np.array([point.latitude for point in shape], dtype=np.float64),
        shape_longitude=np.array([point.longitude for point in shape], dtype=np.float64),
        street=np.array([streets.index(arc[2].street) for arc in arcs], dtype=np.int32),
        streets=streets,
        component=weak_components(len(nodes), tail, head),
        speed_limit_kmh=np.full(len(arcs), 50, dtype=np.uint8),
        grade_percent=np.zeros(len(arcs), dtype=np.int8),
        green=np.zeros(len(arcs), dtype=np.uint8),
    )
    graph = replace(graph, length_m=polyline_lengths_m(*full_shapes(graph)))
    return replace(graph, version=version_of(graph))


def arc_of(graph: Graph, tail: int, head: int) -> int:
    """The only arc from one node to another."""
    (arc,) = np.flatnonzero((graph.tail == tail) & (graph.head == head))
    return int(arc)
