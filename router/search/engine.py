"""One least-cost way at a time over one graph, from any place on an arc to any other."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from air.geodesy import EARTH_RADIUS_M
from air.places import Point
from router.graph.graph import Graph
from router.read_only import read_only
from router.search.kernel import LABEL_COLUMNS, NO_ENTRY, UNREACHABLE, Floats, Ints, Longs, search, unpack
from router.search.landmarks import Landmarks, at_place, floor_millimeters
from router.search.metric import Metric

_MOST_SEEDS = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the street network.

    Attributes:
        arc: The arc that it is on, or whose opposite it is on: an edge is open by either.
        fraction: How far along the arc, 0 at its tail to 1 at its head, by length.
        point: Where that is.
        distance_m: How far that is from the point that was asked for.
    """

    arc: int
    fraction: float
    point: Point
    distance_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A way from place to place.

    Attributes:
        cost: In the unit of the metric.
        arcs: int32[k], in order; k is at least 1.
        start_fraction: How far along the first arc it starts.
        end_fraction: How far along the last arc it ends.
    """

    cost: int
    arcs: Ints
    start_fraction: float
    end_fraction: float

    def runs_as(self, other: Path) -> bool:
        """True when it is the same way, whatever either costs."""
        return (
            self.start_fraction == other.start_fraction
            and self.end_fraction == other.end_fraction
            and np.array_equal(self.arcs, other.arcs)
        )

    def portions(self) -> Floats:
        """The share of each arc that is travelled, float64[k]: 1 but for the first and the last."""
        portion = np.ones(len(self.arcs))
        portion[0] -= self.start_fraction
        portion[-1] -= 1.0 - self.end_fraction
        return portion


class _Workspace(threading.local):
    """What a search writes to; each thread has its own, and uses it again for each search."""

    def __init__(self, nodes: int, arcs: int) -> None:
        self.labels: Longs = np.zeros((nodes, LABEL_COLUMNS), dtype=np.int64)
        self.keys: Longs = np.zeros(arcs + _MOST_SEEDS, dtype=np.int64)
        self.nodes: Ints = np.zeros(arcs + _MOST_SEEDS, dtype=np.int32)
        self.arcs: Ints = np.zeros(nodes + 1, dtype=np.int32)
        self.generation = 0


class Engine:
    """Finds ways through one graph; any number of threads may ask at once.

    Attributes:
        position: float64[n, 3], where the nodes are, metres from the Earth's centre.
    """

    def __init__(self, graph: Graph, landmarks: Landmarks | None = None) -> None:
        """Of a graph; without landmarks A* is guided by the straight line alone."""
        self._graph = graph
        self._landmarks = landmarks if landmarks is not None else read_only(np.zeros((0, 0), dtype=np.int32))
        self._millimeters = floor_millimeters(graph.length_m)
        self.position = from_centre(graph.latitude, graph.longitude)
        self._workspace = _Workspace(graph.node_count, graph.arc_count)

    def warm_up(self, metric: Metric) -> None:
        """Compiles the search for the arrays of this graph, by one that ends where it starts."""
        here = Place(0, 0.0, Point(float(self._graph.latitude[0]), float(self._graph.longitude[0])), 0.0)
        self.find(metric, here, here)
        seeded = np.full((1, LABEL_COLUMNS), -1, dtype=np.int64)
        unpack(seeded, self._graph.tail, 0, self._workspace.arcs)

    def find(self, metric: Metric, origin: Place, destination: Place, *, guided: bool = True) -> Path | None:
        """The way of least cost, exactly; None when there is none.

        Args:
            metric: What to minimise.
            origin: Where it starts.
            destination: Where it ends.
            guided: True for A*, False for Dijkstra's algorithm; both find the same cost.
        """
        starts = ways_along(self._graph, metric.weight, origin)
        ends = ways_along(self._graph, metric.weight, destination)
        direct, direct_path = way_on_one_arc(metric.weight, starts, ends)
        graph, space = self._graph, self._workspace
        seeds = [(graph.head[arc], share(metric.weight, arc, 1.0 - at), arc) for arc, at in starts]
        entries = [(graph.tail[arc], share(metric.weight, arc, at), arc) for arc, at in ends]
        space.generation += 1
        cost, entry = search(
            graph.first_out,
            graph.head,
            metric.weight,
            self.position,
            metric.least_per_meter if guided else 0.0,
            _rows(seeds),
            _rows(entries),
            from_centre(np.array([destination.point.latitude]), np.array([destination.point.longitude]))[0],
            self._landmarks,
            self._known_of(destination),
            direct,
            space.labels,
            space.keys,
            space.nodes,
            space.generation,
        )
        if entry == NO_ENTRY:
            return direct_path
        count = unpack(space.labels, graph.tail, entries[entry][0], space.arcs)
        last_arc, end_fraction = ends[entry]
        arcs = np.append(space.arcs[:count][::-1], np.int32(last_arc))
        start_fraction = next(at for arc, at in starts if arc == arcs[0])
        return Path(int(cost), arcs, start_fraction, end_fraction)

    def _known_of(self, place: Place) -> Longs:
        graph, known = self._graph, np.empty(self._landmarks.shape[1], dtype=np.int64)
        at_place(
            self._landmarks, graph.tail, graph.head, graph.reverse, self._millimeters, place.arc, place.fraction, known
        )
        return known


def ways_along(graph: Graph, weight: Ints, place: Place) -> list[tuple[int, float]]:
    """The open arcs on which a place lies, and how far along each."""
    both = [(place.arc, place.fraction), (int(graph.reverse[place.arc]), 1.0 - place.fraction)]
    return [(arc, at) for arc, at in both if arc >= 0 and weight[arc] >= 0]


def way_on_one_arc(
    weight: Ints, starts: list[tuple[int, float]], ends: list[tuple[int, float]]
) -> tuple[int, Path | None]:
    """The way that stays on one arc, where both places lie on it and the arc leads from the one to the other."""
    ways = [
        Path(share(weight, arc, end - start), np.array([arc], dtype=np.int32), start, end)
        for arc, start in starts
        for other, end in ends
        if arc == other and start <= end
    ]
    best = min(ways, key=lambda way: way.cost, default=None)
    return (int(UNREACHABLE), None) if best is None else (best.cost, best)


def share(weight: Ints, arc: int, of_it: float) -> int:
    """The cost of a share of an arc, rounded up, so that no part is cheaper than the potential takes it to be."""
    return math.ceil(float(weight[arc]) * of_it)


def _rows(rows: list[tuple[int, int, int]]) -> Longs:
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def from_centre(latitude: Floats, longitude: Floats) -> Floats:
    """Places on the sphere of `air.geodesy` as float64[k, 3], metres from its centre.

    The straight line between two of them is shorter than the great circle, by a ten-millionth over ten kilometres.
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    return EARTH_RADIUS_M * np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
