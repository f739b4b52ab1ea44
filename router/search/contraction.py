"""Which shortcuts a graph gets when its nodes are contracted one after the other, whatever its weights are.

Customizable contraction hierarchies (Dibbelt, Strasser and Wagner 2016, doi:10.1145/2886843): contracting a node joins
all its neighbours that are left. What comes of it depends on the order alone, and is made once a graph; weights are
brought in later (`router.search.customization`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.read_only import read_only
from router.search.compiled import compiled
from router.search.kernel import Ints

_NONE = -1


class Contraction(NamedTuple):
    """The nodes by rank, of which the lowest is contracted first, and the `k` links between them.

    A link joins two nodes that are neighbours in the graph, or were when all nodes below both were contracted. It may
    be travelled both ways: upwards, from its lower end to its upper one, and downwards. The arrays are read-only;
    compiled code takes them all as they are.

    Attributes:
        rank: int32[n], the rank of each node. All else here speaks of ranks.
        parent: int32[n], the lowest upper end of each rank's links; n where there is none. A search that climbs from
            a rank visits this one next, and meets all that it can reach: this is the elimination tree.
        height: The most ranks on a way up that tree.
        first_up: int32[n + 1]; the links whose lower end is rank r are `first_up[r]:first_up[r + 1]`.
        upper: int32[k], the upper end of each link, rising within each lower end.
        lower: int32[k], the lower end of each link.
        first_down: int32[n + 1]; the links whose upper end is rank r are `down[first_down[r]:first_down[r + 1]]`.
        down: int32[k], links, by rising lower end within each upper one.
        down_end: int32[k], the lower end of each of these, to be read one after the other.
        link: int32[m], the link on which each arc of the graph lies; -1 for loops, which no way needs.
        is_up: bool[m], whether the arc leads upwards.
        first_arc: int32[k + 1]; the arcs that lie on link l are `arc_on[first_arc[l]:first_arc[l + 1]]`.
        arc_on: int32, an arc of the graph if it leads upwards, else its complement.
    """

    rank: Ints
    parent: Ints
    height: int
    first_up: Ints
    upper: Ints
    lower: Ints
    first_down: Ints
    down: Ints
    down_end: Ints
    link: Ints
    is_up: NDArray[np.bool_]
    first_arc: Ints
    arc_on: Ints

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.rank)

    @property
    def link_count(self) -> int:
        """How many links there are."""
        return len(self.upper)


def contract(tail: Ints, head: Ints, order: Ints) -> Contraction:
    """Contracts the nodes of a graph in an order.

    Args:
        tail: int32[m].
        head: int32[m].
        order: int32[n], all nodes, that to be contracted first in front (`contraction_order`).
    """
    node_count = len(order)
    rank = np.empty(node_count, dtype=np.int32)
    rank[order] = np.arange(node_count, dtype=np.int32)
    low, high = np.minimum(rank[tail], rank[head]), np.maximum(rank[tail], rank[head])
    joins = np.flatnonzero(low != high)
    first_low, low_end = _rows(node_count, high[joins], low[joins])
    parent = _elimination_tree(first_low, low_end)
    first_up, upper = _fill(first_low, low_end, parent)
    lower = np.repeat(np.arange(node_count, dtype=np.int32), np.diff(first_up))
    first_down, down = _rows(node_count, upper, np.arange(len(upper), dtype=np.int32))
    link = np.full(len(tail), _NONE, dtype=np.int32)
    # Links are sorted by lower end, then by upper one.
    key = lower.astype(np.int64) * node_count + upper
    link[joins] = np.searchsorted(key, low[joins].astype(np.int64) * node_count + high[joins])
    is_up = rank[tail] < rank[head]
    first_arc, arc_on = _rows(len(upper), link[joins], np.where(is_up[joins], joins, ~joins).astype(np.int32))
    return Contraction(
        rank=read_only(rank),
        parent=read_only(parent),
        height=_height(parent),
        first_up=read_only(first_up),
        upper=read_only(upper),
        lower=read_only(lower),
        first_down=read_only(first_down),
        down=read_only(down),
        down_end=read_only(lower[down]),
        link=read_only(link),
        is_up=read_only(is_up),
        first_arc=read_only(first_arc),
        arc_on=read_only(arc_on),
    )


def _rows(count: int, owner: Ints, member: Ints) -> tuple[Ints, Ints]:
    """The members of each owner, in compressed sparse rows; within a row they keep their order."""
    first = np.zeros(count + 1, dtype=np.int32)
    first[1:] = np.cumsum(np.bincount(owner, minlength=count))
    return first, member[np.argsort(owner, kind="stable")]


@compiled
def _elimination_tree(first_low: Ints, low_end: Ints) -> Ints:
    """The parent of each rank, n where there is none (Liu 1986, doi:10.1145/6497.6499).

    For each rank in turn, the trees of its lower neighbours become its children; `above` keeps short cuts to the roots.
    """
    count = len(first_low) - 1
    parent = np.full(count, count, dtype=np.int32)
    above = np.full(count, count, dtype=np.int32)
    for high in range(count):
        for low in low_end[first_low[high] : first_low[high + 1]]:
            here = low
            while above[here] < high:
                above[here], here = high, above[here]
            if above[here] == count and here != high:
                above[here] = high
                parent[here] = high
    return parent


@compiled
def _fill(first_low: Ints, low_end: Ints, parent: Ints) -> tuple[Ints, Ints]:
    """The upper ends of each rank's links: rank h is one of r's when r lies between a lower neighbour of h and h."""
    count = len(parent)
    met = np.full(count, count, dtype=np.int32)
    first_up = np.zeros(count + 1, dtype=np.int32)
    for high in range(count):
        for low in low_end[first_low[high] : first_low[high + 1]]:
            here = low
            while here != high and met[here] != high:
                met[here] = high
                first_up[here + 1] += 1
                here = parent[here]
    for here in range(count):
        first_up[here + 1] += first_up[here]
    upper = np.empty(first_up[count], dtype=np.int32)
    filled = first_up[:-1].copy()
    met[:] = count
    for high in range(count):
        for low in low_end[first_low[high] : first_low[high + 1]]:
            here = low
            while here != high and met[here] != high:
                met[here] = high
                upper[filled[here]] = high
                filled[here] += 1
                here = parent[here]
    return first_up, upper


@compiled
def _height(parent: Ints) -> int:
    count = len(parent)
    depth = np.zeros(count + 1, dtype=np.int32)
    highest = 0
    for here in range(count - 1, -1, -1):
        depth[here] = depth[parent[here]] + 1
        highest = max(highest, depth[here])
    return highest
