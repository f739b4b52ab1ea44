"""What landmarks know of distances, against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np

from router.graph.graph import Graph
from router.search.landmarks import LANDMARKS, OUT_OF_REACH, at_place, bound, floor_millimeters, landmarks_of
from tests.router.search.test_engine import grid
from tests.router.street_plan import Edge, plan


def by_millimeter(graph: Graph) -> nx.DiGraph[int]:
    net: nx.DiGraph[int] = nx.DiGraph()
    length = floor_millimeters(graph.length_m)
    for arc in np.lexsort((-length,)).tolist():
        net.add_edge(int(graph.tail[arc]), int(graph.head[arc]), length=int(length[arc]))
    return net


def test_distances_are_those_of_networkx_both_ways() -> None:
    graph = grid(9, 1)
    net, known = by_millimeter(graph), landmarks_of(graph)
    chosen = [
        int(np.flatnonzero((known[:, row] == 0) & (known[:, LANDMARKS + row] == 0))[0]) for row in range(LANDMARKS)
    ]
    assert len(set(chosen)) == LANDMARKS
    for row, node in enumerate(chosen):
        forth = nx.single_source_dijkstra_path_length(net, node, weight="length")
        back = nx.single_source_dijkstra_path_length(net.reverse(), node, weight="length")
        for other in range(graph.node_count):
            assert known[other, row] == forth.get(other, OUT_OF_REACH)
            assert known[other, LANDMARKS + row] == back.get(other, OUT_OF_REACH)


def test_no_way_to_a_place_is_shorter_than_landmarks_say_and_most_are_little_longer() -> None:
    graph = grid(9, 2)
    net, known, length = by_millimeter(graph), landmarks_of(graph), floor_millimeters(graph.length_m)
    rng, shares = np.random.default_rng(2), list[float]()
    for _ in range(40):
        arc, along = int(rng.integers(graph.arc_count)), float(rng.random())
        target = np.empty(2 * LANDMARKS, dtype=np.int64)
        at_place(known, graph.tail, graph.head, graph.reverse, length, arc, along, target)
        back = int(graph.reverse[arc])
        parts = [(int(graph.tail[arc]), length[arc] * along)]
        parts += [(int(graph.tail[back]), length[back] * (1 - along))] if back >= 0 else []
        for node in rng.integers(graph.node_count, size=5).tolist():
            ways = nx.single_source_dijkstra_path_length(net, node, weight="length")
            true = min((ways[entry] + part for entry, part in parts if entry in ways), default=None)
            if true is not None:
                assert bound(known, node, target) <= true
                shares.append(bound(known, node, target) / max(true, 1.0))
    assert np.median(shares) > 0.8


def test_a_graph_of_islands_and_one_of_nothing_have_landmarks_that_say_nothing() -> None:
    islands = plan([(0, 0), (100, 0), (500, 0), (600, 0)], [Edge(0, 1), Edge(2, 3)])
    known = landmarks_of(islands)
    assert known.shape == (4, 2 * LANDMARKS)
    assert (known[islands.component == 1] == OUT_OF_REACH).all()
