"""How far all nodes of a graph are from a few of them, and back: what guides A* (Goldberg and Harrelson 2005, ALT).

By the triangle inequality, from here to there is no shorter than the one's distance from a landmark less the other's,
nor than their distances to it. Lengths are over all arcs, whoever may use them: so one set of landmarks bounds every
metric of every way of moving, by the least that it charges for a metre.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.graph.graph import Graph
from router.read_only import read_only
from router.search.compiled import compiled
from router.search.heap import NONE, Whole, pop, push

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

LANDMARKS: Final = 8
"""How many there are: a node's distances, from each and to each, fill one cache line."""

Landmarks = Ints
"""int32[n, 2·LANDMARKS], millimetres: from each landmark to the node, then from the node to each; OUT_OF_REACH.

There is no row at all where there are no landmarks.
"""

OUT_OF_REACH: Final = np.int32(-1)

_FARTHEST: Final = 2**31 - 1


def landmarks_of(graph: Graph) -> Landmarks:
    """Landmarks far from each other: each the node farthest from those before, there and back.

    They lie in the largest component alone; elsewhere they say nothing.
    """
    nodes = np.flatnonzero(graph.component == 0)
    found = np.full((graph.node_count, 2 * LANDMARKS), OUT_OF_REACH, dtype=np.int32)
    if len(nodes) == 0:
        return read_only(found)
    length = floor_millimeters(graph.length_m)
    forth = graph.first_out, graph.head, length
    by_head = np.argsort(graph.head, kind="stable")
    first_in = np.zeros(graph.node_count + 1, dtype=np.int32)
    first_in[1:] = np.cumsum(np.bincount(graph.head, minlength=graph.node_count))
    back = read_only(first_in), read_only(graph.tail[by_head]), read_only(length[by_head])
    keys = np.empty(graph.arc_count + 1, dtype=np.int64)
    heap = np.empty(graph.arc_count + 1, dtype=np.int32)
    away = np.full(graph.node_count, np.iinfo(np.int64).max)
    start = int(nodes[0])
    # The first is farthest from any node, and no landmark itself.
    for number in range(-1, LANDMARKS):
        from_here = _distances(*forth, start, keys, heap)
        to_here = _distances(*back, start, keys, heap)
        if number >= 0:
            found[:, number], found[:, LANDMARKS + number] = from_here, to_here
        reached = (from_here != OUT_OF_REACH) & (to_here != OUT_OF_REACH)
        there_and_back = np.where(reached, from_here.astype(np.int64) + to_here, OUT_OF_REACH)
        away = there_and_back if number < 0 else np.minimum(away, there_and_back)
        start = int(nodes[np.argmax(away[nodes])])
    return read_only(found)


def floor_millimeters(length_m: Floats) -> Ints:
    """Lengths (float64[m], metres) as whole millimetres, rounded down: a bound must not be above what it bounds."""
    return read_only(np.minimum(np.floor(1000.0 * length_m), _FARTHEST).astype(np.int32))


@compiled
def _distances(first: Ints, end: Ints, length: Ints, start: int, keys: Longs, heap: Ints) -> Ints:
    """The distance of each node from one, by Dijkstra's algorithm; OUT_OF_REACH beyond what an int32 holds, too."""
    distance = np.full(len(first) - 1, OUT_OF_REACH, dtype=np.int32)
    distance[start] = 0
    keys[0], heap[0], size = 0, start, NONE + 1
    while size > 0:
        away, node = keys[0], heap[0]
        size = pop(keys, heap, size)
        if away > distance[node]:
            continue
        for arc in range(first[node], first[node + 1]):
            there = away + length[arc]
            if there <= _FARTHEST and (distance[end[arc]] == OUT_OF_REACH or there < distance[end[arc]]):
                distance[end[arc]] = there
                size = push(keys, heap, size, there, end[arc])
    return distance


@compiled
def at_place(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    landmarks: Landmarks, tail: Ints, head: Ints, reverse: Ints, length: Ints, arc: int, along: float, found: Longs
) -> None:
    """Writes what a place on an arc is from each landmark and to each (int64[2·LANDMARKS], or OUT_OF_REACH).

    Args:
        landmarks: The nodes' distances.
        tail: int32[m].
        head: int32[m].
        reverse: int32[m].
        length: int32[m], whole millimetres (`floor_millimeters`).
        arc: The arc that the place is on; it is on the opposite, too.
        along: How far along, 0 to 1.
        found: To write to.
    """
    count = landmarks.shape[1] // 2
    for number in range(2 * count):
        found[number] = OUT_OF_REACH
    for opposite in range(2):
        side = np.int64(reverse[arc]) if opposite else np.int64(arc)
        if side < 0:
            continue
        # Rounded so that the two parts make the whole, and the part that is bounded is not above itself.
        before = int(length[side] * (1.0 - along if opposite else along))
        for number in range(2 * count):
            known = landmarks[tail[side] if number < count else head[side], number]
            if known != OUT_OF_REACH:
                there = known + (before if number < count else length[side] - before)
                if found[number] == OUT_OF_REACH or there < found[number]:
                    found[number] = there


@compiled
def bound(landmarks: Landmarks, node: Whole, target: Longs) -> int:
    """A length in millimetres below which no way leads from a node to a place (`at_place`)."""
    count = len(target) // 2
    best = 0
    for number in range(count):
        if landmarks[node, number] != OUT_OF_REACH and target[number] != OUT_OF_REACH:
            best = max(best, int(target[number]) - landmarks[node, number])
    for number in range(count, 2 * count):
        if landmarks[node, number] != OUT_OF_REACH and target[number] != OUT_OF_REACH:
            best = max(best, landmarks[node, number] - int(target[number]))
    return best
