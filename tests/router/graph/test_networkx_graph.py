from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from router.graph.graph import Access
from router.graph.networkx_graph import to_networkx
from tests.router.graph.drawing import Drawing, on_a_line, town


def test_the_edges_are_the_arcs_that_the_traveller_may_use(tmp_path: Path) -> None:
    graph, _ = town().imported(tmp_path)
    for access in Access:
        drawn = to_networkx(graph, graph.length_m, access)
        arcs = {key for _, _, key in drawn.edges(keys=True)}
        assert arcs == set(np.flatnonzero(graph.access & access).tolist())
        assert drawn.number_of_nodes() == graph.node_count


def test_weights_are_the_callers_and_the_rest_is_the_arcs(tmp_path: Path) -> None:
    graph, _ = Drawing(on_a_line(1, 2), [([1, 2], {"highway": "steps", "name": "돌계단"})]).imported(tmp_path)
    drawn = to_networkx(graph, np.array([7, 9]), Access.FOOT)
    assert drawn.edges[0, 1, 0] == {
        "weight": 7,
        "length_m": pytest.approx(graph.length_m[0]),
        "road_class": "STEPS",
        "street": "돌계단",
    }
    assert nx.shortest_path_length(drawn, 1, 0, weight="weight") == 9
    assert drawn.nodes[0]["latitude"] == 36.0
