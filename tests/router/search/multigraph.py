"""Directed graphs with loops and parallel arcs, as bare arrays, and what networkx makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from router.search.contraction import Contraction, contract
from router.search.customization import CustomizedMetrics, Customizer
from router.search.nested_dissection import contraction_order

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Multigraph:
    """Arcs by tail and head; nodes have places on a map in metres."""

    plane: NDArray[np.float64]
    tail: Ints
    head: Ints

    def contracted(self) -> Contraction:
        return contract(self.tail, self.head, contraction_order(self.tail, self.head, self.plane))

    def to_networkx(self, weight: Ints) -> nx.MultiDiGraph[int]:
        """Open arcs alone."""
        net: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        net.add_nodes_from(range(len(self.plane)))
        for arc in np.flatnonzero(weight >= 0).tolist():
            net.add_edge(int(self.tail[arc]), int(self.head[arc]), weight=int(weight[arc]))
        return net


def random_multigraph(seed: int, nodes: int, arcs: int) -> Multigraph:
    """Arcs between any nodes, loops and parallels among them."""
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(nodes, size=(2, arcs)).astype(np.int32)
    return Multigraph(rng.random((nodes, 2)) * 1000, tail, head)


def customized(contraction: Contraction, weight: NDArray[np.int32]) -> CustomizedMetrics:
    """The metrics whose rows are given, int32[q, m]."""
    customizer = Customizer(contraction, len(weight))
    metrics = customizer.room()
    metrics.weight[:] = weight
    customizer.customize(metrics)
    return metrics
