"""Ways whose cost depends on when each arc is reached: A* that reckons an arc's cost in the hour in which it begins it.

No metric of any hour is made: the load of an arc follows from a few figures of its cell in that hour. So ways may be
asked for at many departures at little cost.

It is exact where a way ends within the hour in which it starts, and where hours are alike. Across the turn of an hour
it need not be: the search keeps one label a node, of least cost, and a dearer one that comes later, or sooner, to
cleaner air is lost. Costs are those of the way found in any case.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from air.geodesy import Floats
from router.exposure.street import Features
from router.read_only import read_only
from router.search.backwards import ANYWHERE, ARC, FIRST_COST, NODE, REST, STATE, Streets, Terrain, settle_back
from router.search.compiled import compiled
from router.search.engine import Path, Place, from_centre, share, way_on_one_arc, ways_along
from router.search.heap import pop, push
from router.search.kernel import NO_ENTRY, UNREACHABLE, Ints, Longs
from router.search.metric import Metric

_HOUR_MS: Final = 3_600_000.0

# Columns of a node's row beside those of the search back: a stamp, the cost so far, the time so far, and the arc by
# which, or the complement of the first arc. The one between is another search's, which looks for its own stamp there.
_STATE, _COST, _TIME, _BY = 3, 4, 5, 7


class Hours(NamedTuple):
    """What ways cost from one departure on.

    Attributes:
        load: float64[hour, cell, 3], from the hour of departure on: the load on an arc is the first, plus the second
            times the arc's first feature, plus the third times its second. The last hour goes on for ever.
        cell: int32[m], the cell of each arc.
        features: float32[m, 2], 0 to 1.
        left: How much of the first hour is left, in the unit of the arcs' times.
        hour: How long an hour is in that unit.
        time: What a unit of time is worth.
        air: What a unit of time at a load of 1 is worth.
    """

    load: Floats
    cell: Ints
    features: Features
    left: float
    hour: float
    time: float
    air: float

    def least(self) -> float:
        """No unit of time costs less than this."""
        return self.time + self.air * float((self.load[..., 0] + np.minimum(self.load[..., 1:], 0.0).sum(axis=2)).min())


@compiled
def _cost(hours: Hours, arc: int, begun: int, taken: int) -> int:
    """Of an arc that is begun and takes so long; at its very end an hour is not over."""
    hour = 0
    if begun > hours.left:
        hour = min(int(np.ceil((begun - hours.left) / hours.hour)), len(hours.load) - 1)
    cell = hours.cell[arc]
    load = hours.load[hour, cell, 0] + hours.load[hour, cell, 1] * hours.features[arc, 0]
    load += hours.load[hour, cell, 2] * hours.features[arc, 1]
    # Rounded up, as what is left is rounded down: so no rest is taken for more than it is.
    return int(np.ceil(taken * (hours.time + hours.air * load)))


@compiled
def _comes_to(rows: Longs, node: int, settled: int, stamp: int, cost: int, time: int, by: int) -> bool:
    """Notes a way to a node; False when the node does not matter, or has been come to at no more."""
    if rows[node, STATE] != settled or rows[node, _STATE] == stamp:
        return False
    if rows[node, _STATE] == stamp - 1 and rows[node, _COST] <= cost:
        return False
    rows[node, _STATE], rows[node, _COST], rows[node, _TIME], rows[node, _BY] = stamp - 1, cost, time, by
    return True


@compiled
def _end(hours: Hours, entries: Longs, node: int, cost: int, time: int, best: int, entry: int) -> tuple[int, int]:
    """The best cost and entry, where a node may be the last one."""
    for row in range(len(entries)):
        if entries[row, NODE] == node:
            whole = cost + _cost(hours, int(entries[row, ARC]), time, int(entries[row, FIRST_COST]))
            if whole < best:
                best, entry = whole, row
    return best, entry


@compiled
def _search(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    streets: Streets,
    weight: Ints,
    hours: Hours,
    least: float,
    best: int,
    seeds: Longs,
    entries: Longs,
    settled: int,
    stamp: int,
    rows: Longs,
    keys: Longs,
    nodes: Ints,
) -> int:
    """The entry of the way found from the seeds; NO_ENTRY when there is none that costs less than is asked for.

    Args:
        streets: The graph.
        weight: int32[m], the time on each arc; negative on closed arcs.
        hours: What it costs.
        least: No unit of time costs less than this.
        best: Ways that cost this or more are of no interest.
        seeds: int64[k, 4], how ways start: node, time, anything, arc.
        entries: int64[j, 4], how they end.
        settled: The stamp of the nodes that matter; their rows hold the time that is left from them.
        stamp: Above that of every search before on these rows by 2 or more.
        rows: int64[n, ROW].
        keys: int64[m + k], room for the heap.
        nodes: int32[m + k], likewise.
    """
    best_entry, size = NO_ENTRY, 0
    for row in range(len(seeds)):
        node, time, arc = seeds[row, NODE], seeds[row, FIRST_COST], seeds[row, ARC]
        cost = _cost(hours, arc, 0, time)
        if _comes_to(rows, node, settled, stamp, cost, time, ~arc):
            size = push(keys, nodes, size, cost + int(least * rows[node, REST]), node)
    while size > 0 and keys[0] < best:
        node = nodes[0]
        size = pop(keys, nodes, size)
        if rows[node, _STATE] == stamp:
            continue
        rows[node, _STATE] = stamp
        cost, time = rows[node, _COST], rows[node, _TIME]
        best, best_entry = _end(hours, entries, node, cost, time, best, best_entry)
        for arc in range(streets.first_out[node], streets.first_out[node + 1]):
            after, taken = streets.head[arc], weight[arc]
            if taken < 0:
                continue
            after_cost = cost + _cost(hours, arc, time, taken)
            if _comes_to(rows, after, settled, stamp, after_cost, time + taken, arc):
                size = push(keys, nodes, size, after_cost + int(least * rows[after, REST]), after)
    return best_entry


@compiled
def _unpack(streets: Streets, rows: Longs, node: int, last: int, arcs: Ints) -> int:
    """Writes the arcs of the way to a node, and the last one, to the end of `arcs`; returns where they begin."""
    place = len(arcs) - 1
    arcs[place] = last
    while True:
        place -= 1
        by = rows[node, _BY]
        if by < 0:
            arcs[place] = ~by
            return place
        arcs[place] = by
        node = streets.tail[by]


@compiled
def _cost_along(hours: Hours, weight: Ints, arcs: Ints, first: int, last: int) -> int:
    """Of a way whose first and last arc take so long."""
    time, cost = 0, 0
    for place in range(len(arcs)):
        taken = int(weight[arcs[place]])
        if place == 0:
            taken = first
        elif place == len(arcs) - 1:
            taken = last
        cost += _cost(hours, arcs[place], time, taken)
        time += taken
    return cost


class TimeDependentSearch:
    """Finds ways on one graph at many departures; any number of threads may ask at once."""

    def __init__(self, terrain: Terrain) -> None:
        """Of a graph."""
        self._terrain = terrain

    def warm_up(self) -> None:
        """Compiles what a search needs only when it finds another way than the one that is known."""
        space = self._terrain.workspace
        space.rows[0, _BY] = -1
        _unpack(self._terrain.streets, space.rows, 0, 0, space.items)

    def find(
        self, time: Metric, origin: Place, destination: Place, known: Path, departures: Sequence[Hours]
    ) -> tuple[Path, ...]:
        """The cheapest ways found from an origin to a destination, one a departure; the cost told is that in the hours.

        Args:
            time: The time on each arc.
            origin: Where ways start.
            destination: Where they end.
            known: A way between them, such as the fastest: none found is dearer.
            departures: What ways cost from each departure on.
        """
        graph, streets, space = self._terrain.graph, self._terrain.streets, self._terrain.workspace
        weight = read_only(time.weight)
        starts, ends = (ways_along(graph, time.weight, place) for place in (origin, destination))
        seeds = _rows([(graph.head[arc], share(time.weight, arc, 1.0 - at), arc) for arc, at in starts])
        entries = _rows([(graph.tail[arc], share(time.weight, arc, at), arc) for arc, at in ends])
        _, direct = way_on_one_arc(time.weight, starts, ends)
        candidates = [known] if direct is None else [known, direct]
        standing = [
            min((_costed(path, weight, hours) for path in candidates), key=lambda path: path.cost)
            for hours in departures
        ]
        least = [hours.least() for hours in departures]
        settled = space.next_stamp()
        settle_back(
            streets,
            weight,
            weight,
            False,
            ANYWHERE,
            time.least_per_meter,
            from_centre(np.array([origin.point.latitude]), np.array([origin.point.longitude]))[0],
            seeds,
            entries,
            int(UNREACHABLE),
            0,
            max(_longest(path.cost, rate) for path, rate in zip(standing, least, strict=True)),
            math.inf,
            settled,
            space.rows,
            space.keys,
            space.items,
        )
        found = []
        for hours, rate, path in zip(departures, least, standing, strict=True):
            entry = _search(
                streets,
                weight,
                hours,
                rate,
                path.cost,
                seeds,
                entries,
                settled,
                space.next_stamp(),
                space.rows,
                space.keys,
                space.items,
            )
            found.append(path if entry == NO_ENTRY else self._path(weight, hours, entries[entry], starts, ends))
        return tuple(found)

    def _path(
        self, weight: Ints, hours: Hours, entry: Longs, starts: list[tuple[int, float]], ends: list[tuple[int, float]]
    ) -> Path:
        space = self._terrain.workspace
        begins = _unpack(self._terrain.streets, space.rows, int(entry[NODE]), int(entry[ARC]), space.items)
        arcs = space.items[begins:].copy()
        start = next(at for arc, at in starts if arc == arcs[0])
        end = next(at for arc, at in ends if arc == arcs[-1])
        return _costed(Path(0, arcs, start, end), weight, hours)


def _rows(ways: list[tuple[int, int, int]]) -> Longs:
    """Rows of (node, time, nothing, arc) of ways that take so long on an arc to or from a node."""
    return np.array([(node, time, 0, arc) for node, time, arc in ways], dtype=np.int64).reshape(-1, 4)


def _cheapest(paths: Sequence[Path], weight: Ints, hours: Hours) -> Path:
    return min((_costed(path, weight, hours) for path in paths), key=lambda path: path.cost)


def _costed(path: Path, weight: Ints, hours: Hours) -> Path:
    first, last = int(path.arcs[0]), int(path.arcs[-1])
    until = path.end_fraction if len(path.arcs) == 1 else 1.0
    taken = share(weight, first, until - path.start_fraction), share(weight, last, path.end_fraction)
    return replace(path, cost=_cost_along(hours, weight, path.arcs, *taken))


def _longest(cost: int, least: float) -> int:
    """How long a way may take at least so much a unit of time, and cost no more than that."""
    return int(min(cost / max(least, sys.float_info.min), float(UNREACHABLE)))
