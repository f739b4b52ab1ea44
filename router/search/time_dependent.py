"""Ways whose cost depends on when each arc is reached: A* that reckons an arc's cost in the hour in which it begins it.

No metric of any hour is made: the load of an arc follows from a few figures of its cell in that hour. All departures
are guided by two searches backwards: of the time that is left, and of time times the mean load of all hours, of which
each hour has some share at least.

It is exact where a way ends within the hour in which it starts, and where hours are alike. Across the turn of an hour
it need not be: the search keeps one label a node, of least cost, and a dearer one that comes later, or sooner, to
cleaner air is lost. Costs are those of the way found in any case.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from air.geodesy import Floats
from router.exposure.street import Features
from router.read_only import read_only
from router.search.backwards import (
    ANYWHERE,
    ARC,
    FIRST_COST,
    NODE,
    REST,
    REST_OF_OTHER,
    SECOND_HALF,
    STATE,
    Streets,
    Terrain,
    settle_back,
)
from router.search.compiled import compiled
from router.search.engine import Path, Place, from_centre, share, way_on_one_arc, ways_along
from router.search.heap import NONE, Whole, pop, push
from router.search.kernel import CLOSED, LARGEST_WEIGHT, NO_ENTRY, UNREACHABLE, Ints, Longs
from router.search.metric import Metric

_HOUR_MS: Final = 3_600_000.0

# Columns of a node's row, beside what the searches back have left: the cost so far, the time so far, a stamp, and the
# arc by which, or the complement of the first arc.
_COST, _TIME, _STATE, _BY = REST_OF_OTHER, SECOND_HALF + REST_OF_OTHER, 6, 7


class Hours(NamedTuple):
    """What ways cost from one departure on.

    Attributes:
        load: float64[hour, place, 3], from the hour of departure on: the load on an arc is the first, plus the second
            times the arc's first feature, plus the third times its second. The last hour goes on for ever.
        place: int32[cell], where the load of a cell is told; -1 where it is not, as no way leads there.
        cell: int32[m], the cell of each arc.
        features: float32[m, 2], 0 to 1.
        left: How much of the first hour is left, in the unit of the arcs' times.
        hour: How long an hour is in that unit.
        time: What a unit of time is worth.
        air: What a unit of time at a load of 1 is worth.
    """

    load: Floats
    place: Ints
    cell: Ints
    features: Features
    left: float
    hour: float
    time: float
    air: float


@compiled
def _load(hours: Hours, load: Floats, hour: int, arc: Whole) -> float:
    place = hours.place[hours.cell[arc]]
    along = load[hour, place, 1] * hours.features[arc, 0] + load[hour, place, 2] * hours.features[arc, 1]
    return float(load[hour, place, 0] + along)


@compiled
def _cost(hours: Hours, arc: Whole, begun: int, taken: Whole) -> int:
    """Of an arc that is begun and takes so long; at its very end an hour is not over."""
    hour = NONE
    if begun > hours.left:
        hour = min(int(np.ceil((begun - hours.left) / hours.hour)), len(hours.load) - 1)
    load = _load(hours, hours.load, hour, arc)
    # Rounded up, as what is left is rounded down: so no rest is taken for more than it is.
    return int(np.ceil(taken * (hours.time + hours.air * load)))


@compiled
def _base(hours: Hours, load: Floats, weight: Ints, base: Ints) -> None:
    """Writes the time on each arc times a load (float64[1, place, 3]), rounded down; CLOSED where none is told."""
    for arc in range(len(weight)):
        base[arc] = CLOSED
        if weight[arc] >= 0 and hours.place[hours.cell[arc]] >= 0:
            base[arc] = np.int32(min(weight[arc] * _load(hours, load, NONE, np.int32(arc)), LARGEST_WEIGHT))


@compiled
def _rest(rows: Longs, node: Whole, least: tuple[float, float]) -> int:
    """No way costs less from a node on: what is left of the time and of the base, each at the least it is worth."""
    return int(least[0] * rows[node, REST] + least[1] * rows[node, SECOND_HALF + REST])


@compiled
def _comes_to(rows: Longs, node: Whole, settled: int, stamp: int, cost: int, time: int, by: Whole) -> bool:
    """Notes a way to a node; False when the node does not matter, or has been come to at no more."""
    if rows[node, SECOND_HALF + STATE] != settled or rows[node, _STATE] == stamp:
        return False
    if rows[node, _STATE] == stamp - 1 and rows[node, _COST] <= cost:
        return False
    rows[node, _STATE], rows[node, _COST], rows[node, _TIME], rows[node, _BY] = stamp - 1, cost, time, by
    return True


@compiled
def _end(hours: Hours, entries: Longs, node: Whole, cost: int, time: int, best: int, entry: int) -> tuple[int, int]:
    """The best cost and entry, where a node may be the last one."""
    for row in range(len(entries)):
        if entries[row, NODE] == node:
            whole = cost + _cost(hours, np.int32(entries[row, ARC]), time, entries[row, FIRST_COST])
            if whole < best:
                best, entry = whole, row
    return best, entry


@compiled
def _search(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    streets: Streets,
    weight: Ints,
    hours: Hours,
    least: tuple[float, float],
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
        least: What a unit of time, and of the base, costs at least.
        best: Ways that cost this or more are of no interest.
        seeds: int64[k, 4], how ways start: node, time, anything, arc.
        entries: int64[j, 4], how they end.
        settled: The stamp of the nodes that matter; their rows hold the time and the base that are left from them.
        stamp: Above that of every search before on these rows by 2 or more.
        rows: int64[n, ROW].
        keys: int64[m + k], room for the heap.
        nodes: int32[m + k], likewise.
    """
    best_entry, size = NO_ENTRY, NONE
    for row in range(len(seeds)):
        node, time, first = np.int32(seeds[row, NODE]), seeds[row, FIRST_COST], np.int32(seeds[row, ARC])
        cost = _cost(hours, first, NONE, time)
        if _comes_to(rows, node, settled, stamp, cost, time, np.int32(~first)):
            size = push(keys, nodes, size, cost + _rest(rows, node, least), node)
    while size > 0 and keys[0] < best:
        node = nodes[0]
        size = pop(keys, nodes, size)
        if rows[node, _STATE] == stamp:
            continue
        rows[node, _STATE] = stamp
        cost, time = rows[node, _COST], rows[node, _TIME]
        best, best_entry = _end(hours, entries, node, cost, time, best, best_entry)
        for arc in range(streets.first_out[node], streets.first_out[node + 1]):
            after, taken = streets.head[arc], np.int64(weight[arc])
            if taken < 0:
                continue
            after_cost = cost + _cost(hours, arc, time, taken)
            if _comes_to(rows, after, settled, stamp, after_cost, time + taken, arc):
                size = push(keys, nodes, size, after_cost + _rest(rows, after, least), after)
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
    time, cost = NONE, NONE
    for place in range(len(arcs)):
        taken: Whole = np.int64(weight[arcs[place]])
        if place == 0:
            taken = first
        elif place == len(arcs) - 1:
            taken = last
        cost += _cost(hours, arcs[place], time, taken)
        time += int(taken)
    return cost


class _Bases(threading.local):
    """What each thread writes a base to."""

    def __init__(self, arcs: int) -> None:
        self.base: Ints = np.zeros(arcs, dtype=np.int32)


class TimeDependentSearch:
    """Finds ways on one graph at many departures; any number of threads may ask at once."""

    def __init__(self, terrain: Terrain) -> None:
        """Of a graph."""
        self._terrain = terrain
        self._bases = _Bases(terrain.graph.arc_count)

    def warm_up(self) -> None:
        """Compiles what a search needs only when it finds another way than the one that is known."""
        space = self._terrain.workspace
        space.rows[0, _BY] = -1
        _unpack(self._terrain.streets, space.rows, 0, 0, space.items)

    def find(
        self,
        time: Metric,
        origin: Place,
        destination: Place,
        known: Path,
        departures: Sequence[Hours],
        *,
        stretch: float = math.inf,
    ) -> tuple[Path, ...]:
        """The cheapest ways found from an origin to a destination, one a departure; the cost told is that in the hours.

        Args:
            time: The time on each arc.
            origin: Where ways start.
            destination: Where they end.
            known: A way between them, such as the fastest: none found is dearer.
            departures: What ways cost from each departure on, one at least; places and features are the same for all.
            stretch: Only ways that take no longer than the fastest times this are looked for.
        """
        graph, streets, space = self._terrain.graph, self._terrain.streets, self._terrain.workspace
        weight, base = read_only(time.weight), self._bases.base
        mean = np.mean([hours.load.mean(axis=0) for hours in departures], axis=0)
        _base(departures[0], read_only(mean[None]), weight, base)
        starts, ends = (ways_along(graph, time.weight, place) for place in (origin, destination))
        seeds = _rows([(graph.head[arc], arc, 1.0 - at) for arc, at in starts], weight, base)
        entries = _rows([(graph.tail[arc], arc, at) for arc, at in ends], weight, base)
        _, direct = way_on_one_arc(time.weight, starts, ends)
        candidates = [known] if direct is None else [known, direct]
        standing = [_cheapest(candidates, weight, hours) for hours in departures]
        least = [(hours.time, hours.air * _likeness(hours.load, mean)) for hours in departures]
        lowest = float(_corners(mean).min())
        longest = max(_most(path.cost, t + b * lowest) for path, (t, b) in zip(standing, least, strict=True))
        source = from_centre(np.array([origin.point.latitude]), np.array([origin.point.longitude]))[0]
        settled, room = space.next_stamp(), (space.rows, space.keys, space.items)
        rate = time.least_per_meter
        soonest, _, _ = settle_back(
            *(streets, weight, read_only(base), False, ANYWHERE, rate, source, seeds, entries),
            *(int(UNREACHABLE), 0, longest, stretch, settled),
            *room,
        )
        if soonest == UNREACHABLE:
            return tuple(standing)
        dearest = max(_most(path.cost - t * soonest, b) for path, (t, b) in zip(standing, least, strict=True))
        settle_back(
            *(streets, read_only(base), weight, True, settled, 0.0, source, seeds, entries),
            *(int(UNREACHABLE), 0, dearest, math.inf, settled),
            *room,
        )
        found = []
        for hours, at_least, path in zip(departures, least, standing, strict=True):
            entry = _search(
                streets,
                weight,
                hours,
                at_least,
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


def _rows(ways: list[tuple[int, int, float]], weight: Ints, base: Ints) -> Longs:
    """Rows of (node, time, base, arc) of ways that take a share of an arc to or from a node."""
    rows = [(node, share(weight, arc, of_it), int(base[arc] * of_it), arc) for node, arc, of_it in ways]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _corners(load: Floats) -> Floats:
    """The loads on arcs whose features are 0 or 1, float64[…, 4]; all others lie between them."""
    alone, first, second = load[..., 0], load[..., 1], load[..., 2]
    corners: Floats = np.stack([alone, alone + first, alone + second, alone + first + second], axis=-1)
    return corners


def _likeness(load: Floats, base: Floats) -> float:
    """What share of its base (float64[place, 3]) an arc's load has at least in each hour (float64[hour, place, 3])."""
    corners = np.maximum(_corners(base), sys.float_info.min)
    return max(float((_corners(load) / corners).min()), 0.0)


def _cheapest(paths: Sequence[Path], weight: Ints, hours: Hours) -> Path:
    return min((_costed(path, weight, hours) for path in paths), key=lambda path: path.cost)


def _costed(path: Path, weight: Ints, hours: Hours) -> Path:
    first, last = int(path.arcs[0]), int(path.arcs[-1])
    until = path.end_fraction if len(path.arcs) == 1 else 1.0
    taken = share(weight, first, until - path.start_fraction), share(weight, last, path.end_fraction)
    return replace(path, cost=_cost_along(hours, weight, path.arcs, *taken))


def _most(cost: float, least: float) -> int:
    """How much there may be of what costs so much at least, for no more than a cost."""
    return int(min(max(cost, 0.0) / max(least, sys.float_info.min), float(UNREACHABLE))) + 1
