"""Directed graphs with loops and parallel arcs, as bare arrays, and what networkx makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from router.search.contraction import Contraction, contract
from router.search.customization import PROFILES, TARIFFS, CustomizedMetric, Customizer, arc_places
from router.search.nested_dissection import contraction_order
from router.search.tariff import FASTEST

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


def customized(contraction: Contraction, weight: NDArray[np.int32]) -> list[CustomizedMetric]:
    """The metrics whose rows are given, int32[q, m]: as times of so many profiles, and charged for time alone."""
    metrics: list[CustomizedMetric] = []
    place = arc_places(contraction)
    for first in range(0, len(weight), PROFILES):
        some = weight[first : first + PROFILES]
        times = np.full((PROFILES, weight.shape[1]), -1, dtype=np.int32)
        times[: len(some), place] = some
        customizer = Customizer(contraction, times, np.zeros(weight.shape[1], dtype=np.int32))
        room = customizer.room()
        customizer.customize(room, [FASTEST] * TARIFFS)
        metrics += [room.metric(profile, 0) for profile in range(len(some))]
    return metrics
