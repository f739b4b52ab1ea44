"""In which order to contract the nodes of a street graph: nested dissection, with separators found by inertial flow.

A separator is a small set of nodes without which a part of the graph falls in two. Contracting what lies on either side
before the separator, all the way down, keeps shortcuts few: they run within a part and to the separators around it.

Inertial flow (Schild and Sommer 2015, doi:10.1007/978-3-319-20086-6_22) finds one by drawing a line across the map: the
fifth of the nodes that lies farthest on one side and the fifth on the other are kept apart by a least cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled
from router.search.kernel import Floats, Ints

_LEAF: Final = 8
"""Parts of at most this many nodes are ordered by least degree."""

_ENDS: Final = 0.2
"""The share of a part's nodes, on either side, that no cut may divide."""

_DIRECTIONS: Final = 4
"""How many lines are tried, at equal angles."""

_UNSEEN, _SOURCE, _SINK = -1, -2, -3
_GONE = 2**31
_NEAR, _FAR, _SEPARATOR = 0, 1, 2

_Bytes = NDArray[np.int8]


def contraction_order(tail: Ints, head: Ints, plane: Floats) -> Ints:
    """The nodes in the order of their contraction, int32[n]; equal graphs have equal orders.

    Args:
        tail: int32[m].
        head: int32[m]; directions, loops and parallel arcs make no difference.
        plane: float64[n, 2], where the nodes lie on a map whose scale is equal in all directions.
    """
    node_count = len(plane)
    angle = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    along = np.stack([np.cos(angle), np.sin(angle)]).T @ plane.T
    across = np.argsort(along, axis=1, kind="stable").astype(np.int32)
    _dissect(*_neighbours(node_count, tail, head), across)
    order: Ints = across[0].copy()
    return order


def _neighbours(node_count: int, tail: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Each node's neighbours in compressed sparse rows, each once."""
    start, end = np.concatenate((tail, head)), np.concatenate((head, tail))
    apart = start != end
    pair = np.unique(start[apart].astype(np.int64) * node_count + end[apart])
    first = np.searchsorted(pair, np.arange(node_count + 1, dtype=np.int64) * node_count)
    return first.astype(np.int32), (pair % max(node_count, 1)).astype(np.int32)


@compiled
def _dissect(first: Ints, neighbour: Ints, across: Ints) -> None:
    """Sorts the first row of `across` in place: of each part the near side, the far side, and last the separator.

    Args:
        first: int32[n + 1].
        neighbour: int32, the neighbours of node v are `neighbour[first[v]:first[v + 1]]`.
        across: int32[d, n], in each row all nodes as they lie along a direction. Rows are divided alike, and what is
            on one side stays sorted: no part is sorted again.
    """
    directions, node_count = across.shape
    place = np.zeros(node_count, dtype=np.int32)
    begins = np.zeros(node_count + 1, dtype=np.int32)
    ends = np.full(node_count + 1, node_count, dtype=np.int32)
    pending = 1
    while pending > 0:
        pending -= 1
        begin, end = begins[pending], ends[pending]
        part = across[0, begin:end].copy()
        for here in range(end - begin):
            place[part[here]] = here
        row, other = _within(first, neighbour, part, place)
        if end - begin <= _LEAF:
            by_degree = _by_least_degree(row, other)
            for here in range(end - begin):
                across[0, begin + here] = part[by_degree[here]]
            continue
        local = np.empty((directions, end - begin), dtype=np.int32)
        for direction in range(directions):
            for here in range(end - begin):
                local[direction, here] = place[across[direction, begin + here]]
        side = _divide(row, other, local)
        near_end = far_end = 0
        for direction in range(directions):
            near_end, far_end = _sort_by_side(across[direction, begin:end], local[direction], part, side)
        begins[pending], ends[pending] = begin, begin + near_end
        begins[pending + 1], ends[pending + 1] = begin + near_end, begin + far_end
        pending += 2


@compiled
def _sort_by_side(nodes: Ints, local: Ints, part: Ints, side: _Bytes) -> tuple[int, int]:
    """Puts one row of a part in order of side, in place; returns where the far side and the separator begin."""
    at = near_end = far_end = 0
    for which in (_NEAR, _FAR, _SEPARATOR):
        for here in local:
            if side[here] == which:
                nodes[at] = part[here]
                at += 1
        if which == _NEAR:
            near_end = at
        elif which == _FAR:
            far_end = at
    return near_end, far_end


@compiled
def _within(first: Ints, neighbour: Ints, part: Ints, place: Ints) -> tuple[Ints, Ints]:
    """The rows of a part, whose nodes are numbered from 0 in their order; neighbours outside it are left out."""
    row = np.zeros(len(part) + 1, dtype=np.int32)
    total = 0
    for node in part:
        total += first[node + 1] - first[node]
    other = np.empty(total, dtype=np.int32)
    count = 0
    for here in range(len(part)):
        node = part[here]
        for at in range(first[node], first[node + 1]):
            there = place[neighbour[at]]
            # A node of another part has a place in that one.
            if there < len(part) and part[there] == neighbour[at]:
                other[count] = there
                count += 1
        row[here + 1] = count
    return row, other[:count]


@compiled
def _by_least_degree(row: Ints, other: Ints) -> Ints:
    """The nodes of a small part, each time the one with fewest neighbours left, whose neighbours are then joined."""
    count = len(row) - 1
    joined = np.zeros((count, count), dtype=np.bool_)
    degree = np.zeros(count, dtype=np.int64)
    for here in range(count):
        for there in other[row[here] : row[here + 1]]:
            joined[here, there] = True
            degree[here] += 1
    order = np.empty(count, dtype=np.int32)
    for step in range(count):
        best = 0
        for here in range(count):
            if degree[here] < degree[best]:
                best = here
        order[step] = best
        degree[best] = _GONE
        for one in range(count):
            if not joined[best, one]:
                continue
            joined[one, best] = False
            degree[one] -= 1
            for another in range(count):
                if joined[best, another] and one != another and not joined[one, another]:
                    joined[one, another] = True
                    degree[one] += 1
        joined[best] = False
    return order


@compiled
def _divide(row: Ints, other: Ints, across: Ints) -> _Bytes:
    """The side of each node of a part, by the cut that has the smallest separator for what it cuts off."""
    directions, count = across.shape
    twin = _twins(row, other)
    best_side = np.full(count, _SEPARATOR, dtype=np.int8)
    best = np.inf
    for direction in range(directions):
        # Each node cut off is worth `best` of the separator's at the most, and half of all nodes are.
        most = int(min(best * count / 2, len(other))) + 1
        # Of all least cuts these are the nearest to one end and to the other.
        for cut in _least_cuts(row, other, twin, across[direction], most):
            side, separator, smaller = _separated(row, other, cut)
            if separator < best * smaller:
                best = separator / smaller
                best_side = side
    return best_side


@compiled
def _twins(row: Ints, other: Ints) -> Ints:
    """The arc back of each arc."""
    twin = np.empty(len(other), dtype=np.int32)
    for here in range(len(row) - 1):
        for arc in range(row[here], row[here + 1]):
            for back in range(row[other[arc]], row[other[arc] + 1]):
                if other[back] == here:
                    twin[arc] = back
    return twin


@compiled
def _separated(row: Ints, other: Ints, is_far: _Bytes) -> tuple[_Bytes, int, int]:
    """The sides of a cut with its separator, how large that is, and how large the smaller side is.

    The separator is those ends of the arcs cut, on one side, that are fewer.
    """
    at_edge = np.zeros(len(is_far), dtype=np.bool_)
    sizes = np.zeros(2, dtype=np.int64)
    edges = np.zeros(2, dtype=np.int64)
    for here in range(len(is_far)):
        for there in other[row[here] : row[here + 1]]:
            if is_far[here] != is_far[there]:
                at_edge[here] = True
        sizes[is_far[here]] += 1
        edges[is_far[here]] += at_edge[here]
    fewer = _NEAR if edges[_NEAR] <= edges[_FAR] else _FAR
    side = is_far.copy()
    for here in range(len(side)):
        if at_edge[here] and side[here] == fewer:
            side[here] = _SEPARATOR
    sizes[fewer] -= edges[fewer]
    return side, edges[fewer], min(sizes[_NEAR], sizes[_FAR])


@compiled
def _least_cuts(row: Ints, other: Ints, twin: Ints, across: Ints, most: int) -> tuple[_Bytes, _Bytes]:
    """The near and the far side of two least cuts between the first and the last of the nodes `across`.

    Every street carries one unit, either way. What the first still reach, when no more can flow to the last, is the
    near side of one cut, and what still reaches the last the far side of the other. When `most` units flow it gives up,
    with all nodes on one side.
    """
    count = len(across)
    ends = max(int(count * _ENDS), 1)
    sources, sinks = across[:ends], across[count - ends :]
    room = np.ones(len(other), dtype=np.int8)
    came_by = np.empty(count, dtype=np.int32)
    queue = np.empty(count, dtype=np.int32)
    near = np.zeros(count, dtype=np.int8)
    far = np.zeros(count, dtype=np.int8)
    flow = 0
    while True:
        sent = _send_more(row, other, twin, room, sources, sinks, came_by, queue)
        flow += sent
        if sent == 0:
            break
        if flow >= most:
            return near, far
    for here in range(count):
        near[here] = _FAR if came_by[here] == _UNSEEN or came_by[here] == _SINK else _NEAR
    back_room = np.empty(len(other), dtype=np.int8)
    for arc in range(len(other)):
        back_room[arc] = room[twin[arc]]
    _send_more(row, other, twin, back_room, sinks, sources, came_by, queue)
    for here in range(count):
        far[here] = _NEAR if came_by[here] == _UNSEEN or came_by[here] == _SINK else _FAR
    return near, far


@compiled
def _send_more(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    row: Ints, other: Ints, twin: Ints, room: _Bytes, sources: Ints, sinks: Ints, came_by: Ints, queue: Ints
) -> int:
    """Sends what it can from sources to sinks in one breadth-first search; returns how many units.

    The search goes on after it has reached a sink, and tries the way to each: of those that share an arc one gets
    through. So it sends less than there is room for, but something whenever there is; when it sends nothing, it has
    written to `came_by` the arc by which it came to each node that can still be reached.
    """
    came_by[:] = _UNSEEN
    for sink in sinks:
        came_by[sink] = _SINK
    filled = 0
    for source in sources:
        came_by[source] = _SOURCE
        queue[filled] = source
        filled += 1
    flow = 0
    at = 0
    while at < filled:
        here = queue[at]
        at += 1
        for arc in range(row[here], row[here + 1]):
            there = other[arc]
            if room[arc] == 0:
                continue
            if came_by[there] == _UNSEEN:
                came_by[there] = arc
                queue[filled] = there
                filled += 1
            elif came_by[there] == _SINK:
                flow += _send(other, twin, room, came_by, arc)
    return flow


@compiled
def _send(other: Ints, twin: Ints, room: _Bytes, came_by: Ints, last: int) -> int:
    """Sends one unit by the way that a search took to an arc and by the arc; returns 0 when there is no room left."""
    arc = last
    while arc >= 0:
        if room[arc] == 0:
            return 0
        arc = came_by[other[twin[arc]]]
    arc = last
    while arc >= 0:
        room[arc] -= 1
        room[twin[arc]] += 1
        arc = came_by[other[twin[arc]]]
    return 1
