"""Where arcs run on the map, and the line of a path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from air.geodesy import distance_m
from air.places import Point
from router.graph.graph import Graph, full_shapes
from router.search.engine import Path
from router.search.kernel import Floats, Ints


class Shapes:
    """The shapes of all arcs of a graph, from tail to head."""

    def __init__(self, graph: Graph) -> None:
        self._latitude, self._longitude, self._first = full_shapes(graph)

    def of(self, arc: int) -> Floats:
        """The shape of an arc, float64[p, 2], degrees: latitude, longitude; p is at least 2."""
        points = slice(self._first[arc], self._first[arc + 1])
        return np.stack([self._latitude[points], self._longitude[points]], axis=1)

    def of_many(self, arcs: Ints) -> tuple[Floats, NDArray[np.int64]]:
        """The shapes of arcs laid end to end, float64[p, 2], and for each point the index of its arc in `arcs`."""
        count = self._first[arcs + 1] - self._first[arcs]
        which = np.repeat(np.arange(len(arcs)), count)
        step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        points = self._first[arcs][which] + step
        return np.stack([self._latitude[points], self._longitude[points]], axis=1), which

    def line(self, path: Path) -> Floats:
        """The line of a path, float64[p, 2], degrees, without points that repeat the one before; p is at least 2."""
        points, which = self.of_many(path.arcs)
        last = len(path.arcs) - 1
        if last == 0:
            line = part(points, path.start_fraction, path.end_fraction)
        else:
            start = part(points[which == 0], path.start_fraction, 1.0)
            end = part(points[which == last], 0.0, path.end_fraction)
            line = np.concatenate([start, points[(which > 0) & (which < last)], end])
        moves = np.ones(len(line), dtype=bool)
        moves[1:] = np.any(line[1:] != line[:-1], axis=1)
        distinct = line[moves]
        return distinct if len(distinct) > 1 else np.repeat(distinct, 2, axis=0)


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
