"""The compiled search: Dijkstra's algorithm and A* in one kernel, from within an arc to within an arc.

Costs are whole numbers, so that sums are exact and do not depend on the order of addition: two searches agree to the
last digit or one of them is wrong. A weight is an int32 below 2^30 and a cost an int64, so a way would need 2^31 arcs
to overflow; a weight of CLOSED shuts its arc.
"""

from __future__ import annotations

from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled
from router.search.heap import NONE, Whole, pop, push
from router.search.landmarks import bound

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

CLOSED: Final = np.int32(-1)
"""The weight of an arc that may not be used."""

LARGEST_WEIGHT: Final = np.int32(2**30 - 1)
"""No weight is above it."""

UNREACHABLE: Final = np.int64(2**62)
"""The cost of what cannot be reached; no sum of weights comes near it."""

LABEL_COLUMNS: Final = 4
"""A node's label: distance, potential, parent and generation side by side, so that a visit touches one cache line."""

NO_ENTRY: Final = cast("int", np.int64(-1))
"""In place of an entry: the way stays on the arc on which it starts."""

_DISTANCE, _POTENTIAL, _PARENT, _GENERATION = 0, 1, 2, 3
_NODE, _COST, _ARC = 0, 1, 2
_SETTLED = -1
_LARGEST_POTENTIAL = 2.0**60
# A place within an arc is put on the map by a straight line between two points of its shape, so that its distance to
# them along the arc is short of the great circle: over ten kilometres by millimetres.
_SLACK_M = 1.0
_MILLIMETERS = 1000.0


@compiled
def potential(position: Floats, node: Whole, target: Floats, rate: float) -> int:
    """A lower bound of the cost between a node and a place: `rate` a metre of the straight line, less the slack."""
    if rate == 0.0:
        return 0
    x = position[node, 0] - target[0]
    y = position[node, 1] - target[1]
    z = position[node, 2] - target[2]
    return int(min(max(rate * (np.sqrt(x * x + y * y + z * z) - _SLACK_M), 0.0), _LARGEST_POTENTIAL))


@compiled
def _rest(position: Floats, node: Whole, target: Floats, rate: float, landmarks: Ints, at_target: Longs) -> int:
    if rate == 0.0:
        return 0
    straight = potential(position, node, target, rate)
    return max(straight, int(min(rate / _MILLIMETERS * bound(landmarks, node, at_target), _LARGEST_POTENTIAL)))


@compiled
def _best_entry(entries: Longs, node: Whole, distance: int, best: int, best_entry: int) -> tuple[int, int]:
    for row in range(len(entries)):
        if entries[row, _NODE] == node and distance + entries[row, _COST] < best:
            best = distance + entries[row, _COST]
            best_entry = row
    return best, best_entry


@compiled
def search(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays; the engine is its one caller
    first_out: Ints,
    head: Ints,
    weight: Ints,
    position: Floats,
    rate: float,
    seeds: Longs,
    entries: Longs,
    target: Floats,
    landmarks: Ints,
    at_target: Longs,
    direct: int,
    labels: Longs,
    keys: Longs,
    nodes: Ints,
    generation: int,
) -> tuple[int, int]:
    """The least cost from the seeds to the entries, and by which entry; UNREACHABLE when there is no way.

    The potential of a node is `rate` times its straight distance from the target, less a metre of slack, or what the
    landmarks know of its distance, whichever is more, rounded down. With a rate no greater than the least weight per
    metre of any arc it never overestimates and obeys the triangle inequality, so each node is settled once. With rate 0
    this is Dijkstra's algorithm.

    Args:
        first_out: int32[n + 1], where the arcs of each node begin.
        head: int32[m].
        weight: int32[m], 0 to LARGEST_WEIGHT, or CLOSED.
        position: float64[n, 3], metres from the Earth's centre.
        rate: Cost per metre, for the potential.
        seeds: int64[k, 3], rows of (node, cost of getting there, arc by which).
        entries: int64[j, 3], rows of (node, cost from there to the target, arc by which).
        target: float64[3], metres from the Earth's centre.
        landmarks: int32[n, 2·l], `router.search.landmarks`; l may be 0.
        at_target: int64[2·l], what they know of the target.
        direct: The cost of a way that passes no node; UNREACHABLE when there is none.
        labels: int64[n, 4], kept between searches.
        keys: int64[m + k], room for the heap.
        nodes: int32[m + k], likewise.
        generation: Above that of every search before on these labels; it saves clearing them.

    Returns:
        The cost, and the row of `entries` that the way ends by, or NO_ENTRY for the direct way (and for none at all).
    """
    size = NONE
    for row in range(len(seeds)):
        node = np.int32(seeds[row, _NODE])
        cost = seeds[row, _COST]
        if labels[node, _GENERATION] == generation and labels[node, _DISTANCE] <= cost:
            continue
        labels[node, _GENERATION] = generation
        labels[node, _DISTANCE] = cost
        labels[node, _POTENTIAL] = _rest(position, node, target, rate, landmarks, at_target)
        labels[node, _PARENT] = ~seeds[row, _ARC]
        size = push(keys, nodes, size, cost + labels[node, _POTENTIAL], node)
    best = direct
    best_entry = NO_ENTRY
    while size > 0 and keys[0] < best:
        node = nodes[0]
        size = pop(keys, nodes, size)
        if labels[node, _POTENTIAL] == _SETTLED:
            continue
        labels[node, _POTENTIAL] = _SETTLED
        distance = labels[node, _DISTANCE]
        best, best_entry = _best_entry(entries, node, distance, best, best_entry)
        for arc in range(first_out[node], first_out[node + 1]):
            if weight[arc] < 0:
                continue
            next_node = head[arc]
            next_distance = distance + weight[arc]
            if labels[next_node, _GENERATION] != generation:
                labels[next_node, _GENERATION] = generation
                labels[next_node, _POTENTIAL] = _rest(position, next_node, target, rate, landmarks, at_target)
            elif labels[next_node, _POTENTIAL] == _SETTLED or labels[next_node, _DISTANCE] <= next_distance:
                continue
            labels[next_node, _DISTANCE] = next_distance
            labels[next_node, _PARENT] = arc
            size = push(keys, nodes, size, next_distance + labels[next_node, _POTENTIAL], next_node)
    return best, best_entry


@compiled
def unpack(labels: Longs, tail: Ints, node: int, arcs: Ints) -> int:
    """Writes the arcs of the way to a settled node into `arcs`, last arc first; returns how many there are."""
    count = 0
    while True:
        parent = labels[node, _PARENT]
        if parent < 0:
            arcs[count] = ~parent
            return count + 1
        arcs[count] = parent
        count += 1
        node = tail[parent]
