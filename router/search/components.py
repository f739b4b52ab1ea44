"""Which nodes can be reached from each other and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled
from router.search.kernel import Ints

_UNSEEN = -1


def strong_components(first_out: Ints, head: Ints, is_open: NDArray[np.bool_]) -> Ints:
    """The strongly connected component of each node over open arcs, int32[n]: 0 is the largest.

    Kosaraju's algorithm: depth first along the arcs, then against them in the order in which nodes were left.
    """
    node_count = len(first_out) - 1
    tail = np.repeat(np.arange(node_count, dtype=np.int32), np.diff(first_out))
    order = _order_left(*_rows(node_count, tail[is_open], head[is_open]))
    component = _reached(*_rows(node_count, head[is_open], tail[is_open]), order[::-1])
    size = np.bincount(component)
    rank = np.empty(len(size), dtype=np.int32)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size), dtype=np.int32)
    largest_first: Ints = rank[component]
    return largest_first


def _rows(node_count: int, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """The arcs from `start` to `end` in compressed sparse rows."""
    first = np.zeros(node_count + 1, dtype=np.int32)
    first[1:] = np.cumsum(np.bincount(start, minlength=node_count))
    return first, end[np.argsort(start, kind="stable")]


@compiled
def _order_left(first: Ints, end: Ints) -> Ints:
    """The nodes in the order in which a depth-first walk over all of them leaves each for good."""
    node_count = len(first) - 1
    seen = np.zeros(node_count, dtype=np.bool_)
    next_arc = first[:-1].copy()
    trail = np.empty(node_count, dtype=np.int32)
    order = np.empty(node_count, dtype=np.int32)
    left = 0
    for root in range(node_count):
        if seen[root]:
            continue
        seen[root] = True
        trail[0] = root
        depth = 1
        while depth > 0:
            node = trail[depth - 1]
            if next_arc[node] == first[node + 1]:
                order[left] = node
                left += 1
                depth -= 1
                continue
            neighbour = end[next_arc[node]]
            next_arc[node] += 1
            if not seen[neighbour]:
                seen[neighbour] = True
                trail[depth] = neighbour
                depth += 1
    return order


@compiled
def _reached(first: Ints, end: Ints, roots: Ints) -> Ints:
    """Numbers the nodes by the first root from which they are reached, int32[n]."""
    component = np.full(len(first) - 1, _UNSEEN, dtype=np.int32)
    pending = np.empty(len(first) - 1, dtype=np.int32)
    count = 0
    for root in roots:
        if component[root] != _UNSEEN:
            continue
        component[root] = count
        pending[0] = root
        depth = 1
        while depth > 0:
            depth -= 1
            node = pending[depth]
            for neighbour in end[first[node] : first[node + 1]]:
                if component[neighbour] == _UNSEEN:
                    component[neighbour] = count
                    pending[depth] = neighbour
                    depth += 1
        count += 1
    return component
