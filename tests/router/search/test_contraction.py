"""What a contraction is made of, and that its shortcuts stay few."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.search.contraction import Contraction, contract
from router.search.nested_dissection import contraction_order
from tests.router.search.multigraph import Multigraph, random_multigraph

multigraphs = st.builds(random_multigraph, st.integers(0, 2**32), st.integers(1, 40), st.integers(0, 90))


def ends_of_links(contraction: Contraction) -> set[tuple[int, int]]:
    return set(zip(contraction.lower.tolist(), contraction.upper.tolist(), strict=True))


def by_the_book(graph: Multigraph, rank: np.ndarray[tuple[int], np.dtype[np.int32]]) -> set[tuple[int, int]]:
    """Contracts one node after the other, joining all that are left around it."""
    net = nx.Graph((int(rank[a]), int(rank[b])) for a, b in zip(graph.tail, graph.head, strict=True) if a != b)
    links = set()
    for low in sorted(net):
        above = sorted(net[low])
        links |= {(low, high) for high in above}
        net.remove_node(low)
        net.add_edges_from((a, b) for a in above for b in above if a < b)
    return links


@settings(max_examples=60, deadline=None)
@given(multigraphs)
def test_links_are_those_of_contracting_node_by_node(graph: Multigraph) -> None:
    contraction = graph.contracted()
    assert sorted(contraction.rank.tolist()) == list(range(len(graph.plane)))
    assert ends_of_links(contraction) == by_the_book(graph, contraction.rank)


@settings(max_examples=60, deadline=None)
@given(multigraphs)
def test_the_tree_leads_to_the_lowest_upper_end(graph: Multigraph) -> None:
    contraction = graph.contracted()
    above: dict[int, list[int]] = {}
    for low, high in sorted(ends_of_links(contraction)):
        above.setdefault(low, []).append(high)
    count = contraction.node_count
    assert contraction.parent.tolist() == [above.get(rank, [count])[0] for rank in range(count)]
    longest = 0
    for rank in range(count):
        climbed, here = 0, rank
        while here < count:
            climbed, here = climbed + 1, int(contraction.parent[here])
        longest = max(longest, climbed)
    assert contraction.height == longest


@settings(max_examples=60, deadline=None)
@given(multigraphs)
def test_each_arc_is_found_on_its_link_and_each_link_below_its_upper_end(graph: Multigraph) -> None:
    contraction = graph.contracted()
    for arc, (tail, head) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        link = contraction.link[arc]
        assert (link < 0) == (tail == head)
        if link >= 0:
            ranks = (contraction.lower[link], contraction.upper[link])
            start, end = contraction.rank[[tail, head]]
            assert (start, end) == (ranks if contraction.is_up[arc] else ranks[::-1])
            on_it = contraction.arc_on[contraction.first_arc[link] : contraction.first_arc[link + 1]]
            assert (arc if contraction.is_up[arc] else ~arc) in on_it
    for high in range(contraction.node_count):
        down = contraction.down[contraction.first_down[high] : contraction.first_down[high + 1]]
        assert np.all(contraction.upper[down] == high)
        assert np.all(np.diff(contraction.lower[down]) > 0)
        assert np.array_equal(
            contraction.down_end[contraction.first_down[high] : contraction.first_down[high + 1]],
            contraction.lower[down],
        )
    assert contraction.first_down[-1] == contraction.link_count


def blocks(side: int) -> Multigraph:
    """A grid of two-way streets, somewhat crooked."""
    node = np.arange(side * side, dtype=np.int32)
    east, north = node[node % side < side - 1], node[:-side]
    tail, head = np.concatenate((east, north)), np.concatenate((east + 1, north + side)).astype(np.int32)
    plane = np.stack([node % side, node // side], axis=1) + np.random.default_rng(1).uniform(-0.3, 0.3, (side**2, 2))
    return Multigraph(plane * 100, np.concatenate((tail, head)), np.concatenate((head, tail)))


def test_the_order_of_equal_graphs_is_equal() -> None:
    assert np.array_equal(blocks(40).contracted().rank, blocks(40).contracted().rank)


def test_climbs_are_short_and_links_few_in_a_city_of_blocks() -> None:
    """A separator of the whole is a street of `side` crossings, those of its quarters half as long, and so on."""
    side = 60
    graph = blocks(side)
    contraction = graph.contracted()
    assert contraction.height < 4 * side
    row_by_row = contract(graph.tail, graph.head, np.arange(side**2, dtype=np.int32))
    assert contraction.link_count < row_by_row.link_count / 2


@pytest.mark.parametrize("nodes", [1, 2, 300])
def test_nodes_on_one_spot_and_without_arcs_have_an_order(nodes: int) -> None:
    none = np.zeros(0, dtype=np.int32)
    order = contraction_order(none, none, np.zeros((nodes, 2)))
    assert sorted(order.tolist()) == list(range(nodes))
    assert contract(none, none, order).link_count == 0


def test_nodes_that_are_all_neighbours_have_an_order() -> None:
    tail, head = (index.astype(np.int32) for index in np.nonzero(~np.eye(60, dtype=bool)))
    order = contraction_order(tail, head, np.zeros((60, 2)))
    assert contract(tail, head, order).link_count == 60 * 59 / 2
