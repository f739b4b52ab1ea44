"""One least-cost way at a time over one contracted graph, from any place on an arc to any other."""

from __future__ import annotations

import math
import threading
from typing import NamedTuple, TypeVar, cast

import numpy as np

from router.graph.graph import Graph
from router.plane import on_plane
from router.search.compiled import compiled
from router.search.contraction import Contraction
from router.search.contraction_query import NOWHERE, TORN, Climbs, cheapest, torn
from router.search.customization import CustomizedMetric, arc_places
from router.search.engine import Path, Place
from router.search.kernel import NO_ENTRY, UNREACHABLE, Floats, Ints, Longs
from router.search.nested_dissection import contraction_order
from router.search.tariff import Floats32, Tariff, charge

_Named = TypeVar("_Named", bound=tuple[object, ...])

_SIDES = 2
_ONE_ARC = 1


def order_of(graph: Graph) -> Ints:
    """The order in which the nodes of a graph are best contracted, int32[n]; seconds of work, once a graph."""
    plane = on_plane(np.stack([graph.latitude, graph.longitude], axis=1))
    return contraction_order(graph.tail, graph.head, plane)


class _Arcs(NamedTuple):
    """Where arcs lead; `place` is where each lies among all (`arc_places`)."""

    tail: Ints
    head: Ints
    reverse: Ints
    place: Ints


class _Workspace(threading.local):
    """What a search writes to; each thread has its own."""

    def __init__(self, contraction: Contraction) -> None:
        self.climbs = _unnamed(Climbs.over(contraction))
        # One more arc at either end than links explain.
        self.arcs: Ints = np.zeros(contraction.node_count + 2, dtype=np.int32)


class ContractionEngine:
    """Finds ways through one graph, as Engine does, by metrics brought into its contraction."""

    def __init__(self, graph: Graph, contraction: Contraction) -> None:
        self._contraction = _unnamed(contraction)
        self._arcs = _unnamed(_Arcs(graph.tail, graph.head, graph.reverse, arc_places(contraction)))
        self._workspace = _Workspace(contraction)

    def find(self, metric: CustomizedMetric, origin: Place, destination: Place) -> Path | None:
        """The way of least cost, exactly; None when there is none."""
        space = self._workspace
        cost, count, start, end = _find(
            self._contraction,
            self._arcs,
            _unnamed(metric.tariff),
            metric[1:],
            origin.arc,
            origin.fraction,
            destination.arc,
            destination.fraction,
            space.climbs,
            space.arcs,
        )
        if count == NOWHERE:
            return None
        if count == TORN:
            raise torn()
        return Path(cost, space.arcs[:count].copy(), start, end)


def _unnamed(fields: _Named) -> _Named:
    """The same without names: compiled code takes it over in half the time, and names it itself."""
    return cast("_Named", tuple(fields))


@compiled
def _find(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    topology: Contraction,
    streets: _Arcs,
    tariff: Tariff,
    metric: tuple[Ints, Floats32, Ints, Ints, Ints],
    origin: int,
    origin_at: float,
    destination: int,
    destination_at: float,
    climbs: Climbs,
    arcs: Ints,
) -> tuple[int, int, float, float]:
    """What `_between` finds, of the same by tuples without names."""
    return _between(
        Contraction(*topology),
        _Arcs(*streets),
        CustomizedMetric(Tariff(*tariff), *metric),
        origin,
        origin_at,
        destination,
        destination_at,
        Climbs(*climbs),
        arcs,
    )


@compiled
def _between(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    topology: Contraction,
    streets: _Arcs,
    metric: CustomizedMetric,
    origin: int,
    origin_at: float,
    destination: int,
    destination_at: float,
    climbs: Climbs,
    arcs: Ints,
) -> tuple[int, int, float, float]:
    """The cost of the best way, how many arcs it has, and how far along the first it starts and the last it ends.

    Places are given by an arc, or its opposite, and how far along that. The arcs are written to `arcs`.
    """
    starts, starts_at, start_cost = np.empty(_SIDES, np.int32), np.empty(_SIDES), np.empty(_SIDES, np.int64)
    ends, ends_at, end_cost = np.empty(_SIDES, np.int32), np.empty(_SIDES), np.empty(_SIDES, np.int64)
    start_count = _open_sides(streets, metric, origin, origin_at, starts, starts_at, start_cost)
    end_count = _open_sides(streets, metric, destination, destination_at, ends, ends_at, end_cost)
    rows = np.empty((start_count + end_count, 2), np.int64)
    for row in range(start_count):
        rows[row, 0] = topology.rank[streets.head[starts[row]]]
        rows[row, 1] = part(start_cost[row], 1.0 - starts_at[row])
    for row in range(end_count):
        rows[start_count + row, 0] = topology.rank[streets.tail[ends[row]]]
        rows[start_count + row, 1] = part(end_cost[row], ends_at[row])
    best, first, last, count = int(UNREACHABLE), NO_ENTRY, NO_ENTRY, NOWHERE
    for start in range(start_count):
        for end in range(end_count):
            if starts[start] == ends[end] and starts_at[start] <= ends_at[end]:
                direct = part(start_cost[start], ends_at[end] - starts_at[start])
                if direct < best:
                    best, first, last, count = direct, start, end, _ONE_ARC
    cost, seed, entry, between = cheapest(topology, metric, rows, start_count, best, climbs, arcs[1:])
    if between == TORN:
        return cost, TORN, 0.0, 0.0
    if between != NOWHERE:
        best, first, last, count = cost, seed, entry, between + 2
    if count == NOWHERE:
        return best, NOWHERE, 0.0, 0.0
    arcs[0] = starts[first]
    arcs[count - 1] = ends[last]
    return best, count, starts_at[first], ends_at[last]


@compiled
def _open_sides(
    streets: _Arcs, metric: CustomizedMetric, arc: int, at: float, sides: Ints, sides_at: Floats, cost: Longs
) -> int:
    """Writes the open arcs on which a place lies, how far along each, and what the whole of it costs; how many."""
    count = 0
    for opposite in range(_SIDES):
        side, side_at = (np.int64(streets.reverse[arc]), 1.0 - at) if opposite else (np.int64(arc), at)
        if side >= 0:
            place = streets.place[side]
            whole = charge(
                metric.tariff, metric.milliseconds[place], np.float64(metric.load[place]), metric.millimeters[place]
            )
            if whole >= 0:
                sides[count], sides_at[count], cost[count] = side, side_at, whole
                count += 1
    return count


@compiled
def part(cost: int, share: float) -> int:
    """The cost of a share of an arc, rounded up, as `router.search.engine.share` has it."""
    return math.ceil(np.float64(cost) * share)
