"""Strongly connected components against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from router.search.components import strong_components


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.booleans()), max_size=40))
def test_agrees_with_networkx(node_count: int, drawn: list[tuple[int, int, bool]]) -> None:
    arcs = sorted((tail % node_count, head % node_count, is_open) for tail, head, is_open in drawn)
    tails = np.array([arc[0] for arc in arcs], dtype=np.int32)
    component = strong_components(
        np.searchsorted(tails, np.arange(node_count + 1)).astype(np.int32),
        np.array([arc[1] for arc in arcs], dtype=np.int32),
        np.array([arc[2] for arc in arcs], dtype=bool),
    )
    net: nx.DiGraph[int] = nx.DiGraph()
    net.add_nodes_from(range(node_count))
    net.add_edges_from((tail, head) for tail, head, is_open in arcs if is_open)
    expected = {frozenset(members) for members in nx.strongly_connected_components(net)}
    found = {frozenset(np.flatnonzero(component == number).tolist()) for number in range(component.max() + 1)}
    assert found == expected
    sizes = np.bincount(component)
    assert np.all(np.diff(sizes) <= 0)
