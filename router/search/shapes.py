"""Where arcs run on the map, and the line of a path."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from air.geodesy import EARTH_RADIUS_M, distance_m
from air.places import Point
from router.graph.graph import Graph
from router.search.compiled import compiled
from router.search.engine import Path
from router.search.kernel import Floats, Ints, Longs


class Drawn(NamedTuple):
    """The arrays of a graph that say where its arcs run, as they are: they may be mapped from a file."""

    tail: Ints
    head: Ints
    latitude: Floats
    longitude: Floats
    shape_first: Ints
    shape_latitude: Floats
    shape_longitude: Floats

    @classmethod
    def of(cls, graph: Graph) -> Drawn:
        """Those of a graph."""
        return cls(*(getattr(graph, field) for field in cls._fields))


class Shapes:
    """The shapes of all arcs of a graph, from tail to head."""

    def __init__(self, graph: Graph) -> None:
        self._drawn = Drawn.of(graph)

    def of(self, arc: int) -> Floats:
        """The shape of an arc, float64[p, 2], degrees: latitude, longitude; p is at least 2."""
        return _laid_out(self._drawn, np.array([arc], dtype=np.int32))[0]

    def of_many(self, arcs: Ints) -> tuple[Floats, Longs]:
        """The shapes of arcs laid end to end, float64[p, 2], and for each point the index of its arc in `arcs`."""
        return _laid_out(self._drawn, arcs)

    def line(self, path: Path) -> Floats:
        """The line of a path, float64[p, 2], degrees, without points that repeat the one before; p is at least 2."""
        return _line(self._drawn, path.arcs, path.start_fraction, path.end_fraction)


def one_arc_an_edge(graph: Graph) -> NDArray[np.bool_]:
    """One arc of each edge, the lower of an arc and its reverse, bool[m]."""
    one: NDArray[np.bool_] = (graph.reverse < 0) | (np.arange(graph.arc_count) < graph.reverse)
    return one


def steps_m(shape: Floats) -> Floats:
    """The great-circle lengths of the steps of a shape (float64[p, 2], degrees), float64[p - 1], metres."""
    return distance_m(shape[:-1, 0], shape[:-1, 1], shape[1:, 0], shape[1:, 1])


def point_at(shape: Floats, fraction: float) -> Point:
    """The point that far along a shape, 0 to 1 by length."""
    latitude, longitude = part(shape, fraction, fraction)[0].tolist()
    return Point(latitude, longitude)


def part(shape: Floats, start: float, end: float) -> Floats:
    """The part of a shape (float64[p, 2], degrees) between two fractions of its length, start no greater than end."""
    along = np.concatenate([[0.0], np.cumsum(steps_m(shape))])
    marks = np.array([start, end]) * along[-1]
    ends = np.stack([np.interp(marks, along, shape[:, axis]) for axis in (0, 1)], axis=1)
    inside = (along > marks[0]) & (along < marks[1])
    return np.concatenate([ends[:1], shape[inside], ends[1:]])


@compiled
def point_count(drawn: Drawn, arc: int) -> int:
    """How many points the shape of an arc has, with its ends."""
    return int(drawn.shape_first[arc + 1] - drawn.shape_first[arc]) + 2


@compiled
def point_of(drawn: Drawn, arc: int, number: int) -> tuple[float, float]:
    """The latitude and longitude of one of the points of an arc's shape, counted from its tail, degrees."""
    if number == 0:
        return drawn.latitude[drawn.tail[arc]], drawn.longitude[drawn.tail[arc]]
    at = drawn.shape_first[arc] + number - 1
    if at == drawn.shape_first[arc + 1]:
        return drawn.latitude[drawn.head[arc]], drawn.longitude[drawn.head[arc]]
    return drawn.shape_latitude[at], drawn.shape_longitude[at]


@compiled
def step_m(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """The great-circle distance of two points, metres, as `air.geodesy.distance_m` has it."""
    phi_a, phi_b = math.radians(latitude_a), math.radians(latitude_b)
    half_phi, half_lambda = (phi_b - phi_a) / 2, math.radians(longitude_b - longitude_a) / 2
    haversine = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(haversine, 1.0)))


@compiled
def length_of(drawn: Drawn, arc: int) -> float:
    """The length of an arc along its shape, metres."""
    total = 0.0
    before = point_of(drawn, arc, 0)
    for number in range(1, point_count(drawn, arc)):
        here = point_of(drawn, arc, number)
        total += step_m(before[0], before[1], here[0], here[1])
        before = here
    return total


@compiled
def mark_on(drawn: Drawn, arc: int, mark_m: float) -> tuple[float, float]:
    """The point so many metres along an arc, latitude and longitude in degrees; its end where it is no longer."""
    along = 0.0
    before = point_of(drawn, arc, 0)
    for number in range(1, point_count(drawn, arc)):
        here = point_of(drawn, arc, number)
        step = step_m(before[0], before[1], here[0], here[1])
        if along + step >= mark_m and step > 0.0:
            share = (mark_m - along) / step
            return before[0] + share * (here[0] - before[0]), before[1] + share * (here[1] - before[1])
        along += step
        before = here
    return before


@compiled
def _laid_out(drawn: Drawn, arcs: Ints) -> tuple[Floats, Longs]:
    total = 0
    for arc in arcs:
        total += point_count(drawn, arc)
    points, which = np.empty((total, 2)), np.empty(total, np.int64)
    at = 0
    for place in range(len(arcs)):
        for number in range(point_count(drawn, arcs[place])):
            points[at, 0], points[at, 1] = point_of(drawn, arcs[place], number)
            which[at] = place
            at += 1
    return points, which


@compiled
def _line(drawn: Drawn, arcs: Ints, start: float, end: float) -> Floats:
    total = 2
    for arc in arcs:
        total += point_count(drawn, arc)
    line = np.empty((total, 2))
    count, last = 0, len(arcs) - 1
    for place in range(len(arcs)):
        arc = arcs[place]
        is_cut = not 0 < place < last
        length = length_of(drawn, arc) if is_cut else math.inf
        first_m = start * length if place == 0 else -1.0
        last_m = end * length if place == last else math.inf
        if place == 0:
            count = _append(line, count, mark_on(drawn, arc, first_m))
        along = 0.0
        before = point_of(drawn, arc, 0)
        for number in range(point_count(drawn, arc)):
            here = point_of(drawn, arc, number)
            if is_cut:
                along += step_m(before[0], before[1], here[0], here[1])
                before = here
            if first_m < along < last_m:
                count = _append(line, count, here)
        if place == last:
            count = _append(line, count, mark_on(drawn, arc, last_m))
    if count == 1:
        # Not `line[1] = line[0]`: to be able to say that shapes differ, numba would compile the writing of text.
        line[1, 0], line[1, 1] = line[0, 0], line[0, 1]
        count = 2
    return line[:count]


@compiled
def _append(line: Floats, count: int, point: tuple[float, float]) -> int:
    """Appends a point unless it repeats the one before; returns how many there are."""
    if count > 0 and line[count - 1, 0] == point[0] and line[count - 1, 1] == point[1]:
        return count
    line[count, 0], line[count, 1] = point
    return count + 1
