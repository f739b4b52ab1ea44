"""What is left to the destination from each node that matters: Dijkstra's algorithm against the arcs.

A search forwards that knows the exact rest of each of its ways wastes nothing on ways that lead nowhere. Two costs are
told side by side: the one that is least, and another along the same way.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import numpy as np

from router.graph.graph import Graph
from router.read_only import read_only
from router.search.compiled import compiled
from router.search.heap import NONE, Whole, pop, push
from router.search.kernel import Floats, Ints, Longs, potential

NODE: Final = 0
FIRST_COST: Final = 1
SECOND_COST: Final = 2
ARC: Final = 3
"""Columns of the ends of a way: a node, both costs between it and the end, and the arc by which."""

STATE: Final = 0
REST: Final = 1
REST_OF_OTHER: Final = 2
"""Columns of what is left from a node: a stamp, the least cost, and the other cost along the way of least cost."""

SECOND_HALF: Final = 3
"""Where the same columns of the second of two searches begin."""

ROW: Final = 8
"""How many columns a node's row has: one cache line; the last two are free for a search forwards."""

ANYWHERE: Final = -1
"""In place of a stamp: no node is left out."""

MOST_ENDS: Final = 2
"""A place lies on one arc, or on that and its opposite."""

MOST_LABELS: Final = 2**20
"""A search of several labels a node keeps no more than this."""

_STAMPS: Final = 8


class Streets(NamedTuple):
    """A graph as searches in both directions take it; n nodes, m arcs. The arrays are not to be written to.

    Attributes:
        first_out: int32[n + 1], where the arcs of each node begin.
        head: int32[m].
        tail: int32[m].
        first_in: int32[n + 1], where the arcs to each node begin in `arc_in`.
        arc_in: int32[m], arcs by their heads.
        position: float64[n, 3], metres from the Earth's centre.
    """

    first_out: Ints
    head: Ints
    tail: Ints
    first_in: Ints
    arc_in: Ints
    position: Floats


class Workspace(threading.local):
    """What searches write to; each thread has its own, and uses it again for each search.

    Attributes:
        rows: int64[n, ROW].
        keys: int64[r], room for a heap of one key an arc and entry, or of so many labels.
        items: int32[r], likewise.
    """

    def __init__(self, nodes: int, arcs: int, most_labels: int) -> None:
        room = max(arcs + MOST_ENDS, most_labels)
        self.rows: Longs = np.zeros((nodes, ROW), dtype=np.int64)
        self.keys: Longs = np.zeros(room, dtype=np.int64)
        self.items: Ints = np.zeros(room, dtype=np.int32)
        self._stamp = 0

    def next_stamp(self) -> int:
        """A stamp above all before, by so much that the few below it are free, too."""
        self._stamp += _STAMPS
        return self._stamp


class Terrain:
    """A graph for searches that look back from the destination first, and what they write to.

    Attributes:
        graph: The graph.
        streets: The same for compiled code.
        workspace: Of each thread.
    """

    def __init__(self, graph: Graph, position: Floats, *, most_labels: int = MOST_LABELS) -> None:
        """Of a graph whose nodes lie at `position` (float64[n, 3], metres from the Earth's centre)."""
        first_in = np.zeros(graph.node_count + 1, dtype=np.int32)
        first_in[1:] = np.cumsum(np.bincount(graph.head, minlength=graph.node_count))
        self.graph = graph
        self.streets = Streets(
            read_only(graph.first_out),
            read_only(graph.head),
            read_only(graph.tail),
            read_only(first_in),
            read_only(np.argsort(graph.head, kind="stable").astype(np.int32)),
            read_only(position),
        )
        self.most_labels = most_labels
        self.workspace = Workspace(graph.node_count, graph.arc_count, most_labels)


@compiled
def settle_back(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    streets: Streets,
    weight: Ints,
    other: Ints,
    swapped: bool,  # noqa: FBT001 - compiled code knows no keywords
    within: int,
    rate: float,
    source: Floats,
    seeds: Longs,
    entries: Longs,
    best: int,
    best_other: int,
    most: int,
    stretch: float,
    stamp: int,
    rows: Longs,
    keys: Longs,
    nodes: Ints,
) -> tuple[int, int, int]:
    """Settles every node through which a way costs no more than is asked for.

    It grows towards the source, so that the nodes settled lie in an ellipse about both ends and not in a circle.

    Args:
        streets: The graph.
        weight: int32[m], the cost to make least; negative on closed arcs.
        other: int32[m], the cost to tell beside it.
        swapped: False when these are the first and second cost of `seeds` and `entries`; True when it is the other way
            round, and the second three columns of a row are written in place of the first.
        within: Only nodes whose first three columns have this stamp matter; ANYWHERE for all nodes.
        rate: The least of `weight` for each metre.
        source: float64[3], where ways start, metres from the Earth's centre.
        seeds: int64[k, 4], rows of (node, first cost, second cost, arc), how ways start.
        entries: int64[j, 4], how ways end.
        best: The cost of a way that passes no node; UNREACHABLE when there is none.
        best_other: Its other cost.
        most: Ways that cost more are of no interest.
        stretch: Nor are those that cost more than the least times this.
        stamp: Above that of every search before on these rows, by 2 or more: settled nodes are stamped with it, and
            nodes that are only seen with 1 less.
        rows: int64[n, ROW], kept between searches.
        keys: int64[m + j], room for the heap.
        nodes: int32[m + j], likewise.

    Returns:
        The least cost, the other cost along that way, and up to what cost nodes are settled. The first is UNREACHABLE
        when no way costs so little.
    """
    at, cost_at, other_at = (SECOND_HALF, SECOND_COST, FIRST_COST) if swapped else (0, FIRST_COST, SECOND_COST)
    most, size = _least_of(most, best, stretch), NONE
    for row in range(len(entries)):
        node, cost = np.int32(entries[row, NODE]), entries[row, cost_at]
        if _comes_to(rows, node, at, within, cost, entries[row, other_at], stamp):
            size = push(keys, nodes, size, cost + potential(streets.position, node, source, rate), node)
    while size > 0 and keys[0] <= most:
        node = nodes[0]
        size = pop(keys, nodes, size)
        if rows[node, at + STATE] == stamp:
            continue
        rows[node, at + STATE] = stamp
        rest, rest_of_other = rows[node, at + REST], rows[node, at + REST_OF_OTHER]
        for row in range(len(seeds)):
            if seeds[row, NODE] == node and rest + seeds[row, cost_at] < best:
                best, best_other = rest + seeds[row, cost_at], rest_of_other + seeds[row, other_at]
                most = _least_of(most, best, stretch)
        for place in range(streets.first_in[node], streets.first_in[node + 1]):
            arc = streets.arc_in[place]
            before, cost = streets.tail[arc], rest + weight[arc]
            if weight[arc] < 0 or not _comes_to(rows, before, at, within, cost, rest_of_other + other[arc], stamp):
                continue
            key = cost + potential(streets.position, before, source, rate)
            if key <= most:
                size = push(keys, nodes, size, key, before)
    return best, best_other, most


@compiled
def _comes_to(rows: Longs, node: Whole, at: int, within: int, cost: int, other: int, stamp: int) -> bool:
    """Notes what is left from a node; False when the node does not matter, or has been come to for no more."""
    if within != ANYWHERE and rows[node, STATE] != within:
        return False
    state = rows[node, at + STATE]
    if state == stamp or (state == stamp - 1 and rows[node, at + REST] <= cost):
        return False
    rows[node, at + STATE] = stamp - 1
    rows[node, at + REST] = cost
    rows[node, at + REST_OF_OTHER] = other
    return True


@compiled
def _least_of(most: int, best: int, stretch: float) -> int:
    # Compared as floats first: the product may be larger than any whole number.
    stretched = best * stretch
    return int(stretched) if stretched < most else most
