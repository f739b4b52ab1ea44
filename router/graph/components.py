"""Which parts of a graph hang together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weak_components(node_count: int, tail: NDArray[np.int32], head: NDArray[np.int32]) -> NDArray[np.int32]:
    """The weakly connected component of each node, int32[n]: 0 is the largest, ties go to the lowest node.

    Minimum-label hooking with pointer jumping (Shiloach and Vishkin 1982), which numpy runs without a loop over nodes;
    every two rounds at least halve what is still apart.
    """
    parent = np.arange(node_count, dtype=np.int64)
    while True:
        low = np.minimum(parent[tail], parent[head])
        high = np.maximum(parent[tail], parent[head])
        apart = low != high
        if not apart.any():
            break
        # A root takes the lowest label that any of its members has met; every other node then points at its root again.
        np.minimum.at(parent, high[apart], low[apart])
        while True:
            grandparent = parent[parent]
            if np.array_equal(grandparent, parent):
                break
            parent = grandparent
    _, lowest, label, size = np.unique(parent, return_index=True, return_inverse=True, return_counts=True)
    by_size = np.lexsort((lowest, -size))
    rank = np.empty(len(by_size), dtype=np.int32)
    rank[by_size] = np.arange(len(by_size), dtype=np.int32)
    component: NDArray[np.int32] = rank[label]
    return component
