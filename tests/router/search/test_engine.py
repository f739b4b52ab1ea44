"""The compiled search against networkx on the same weights, and on streets small enough to do by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from router.graph.graph import Access, Graph
from router.search.engine import Engine, Path, Place
from router.search.kernel import LARGEST_WEIGHT
from router.search.landmarks import landmarks_of
from router.search.metric import Metric
from tests.router.street_plan import Edge, arc_of, at, plan

Bools = NDArray[np.bool_]


def place(graph: Graph, arc: int, fraction: float) -> Place:
    """A place on a straight arc."""
    tail, head = graph.tail[arc], graph.head[arc]
    latitude = graph.latitude[tail] + fraction * (graph.latitude[head] - graph.latitude[tail])
    longitude = graph.longitude[tail] + fraction * (graph.longitude[head] - graph.longitude[tail])
    return Place(arc, fraction, type(at(0, 0))(float(latitude), float(longitude)), 0.0)


def by_length(graph: Graph, is_open: Bools | None = None) -> Metric:
    """Centimetres."""
    return Metric.of(
        graph.length_m * 100, graph.length_m, np.ones(graph.arc_count, bool) if is_open is None else is_open
    )


def oracle(graph: Graph, metric: Metric, origin: Place, destination: Place) -> int | None:
    """The least cost by networkx: the places become nodes that split the arcs on which they lie."""
    net: nx.MultiDiGraph[str | int] = nx.MultiDiGraph()
    net.add_nodes_from(["from", "to"])
    for arc in np.flatnonzero(metric.weight >= 0).tolist():
        net.add_edge(int(graph.tail[arc]), int(graph.head[arc]), weight=int(metric.weight[arc]))

    def ways(at_place: Place) -> list[tuple[int, float]]:
        both = [(at_place.arc, at_place.fraction), (int(graph.reverse[at_place.arc]), 1 - at_place.fraction)]
        return [(arc, at_) for arc, at_ in both if arc >= 0 and metric.weight[arc] >= 0]

    for arc, start in ways(origin):
        net.add_edge("from", int(graph.head[arc]), weight=int(np.ceil(metric.weight[arc] * (1 - start))))
        for other, end in ways(destination):
            if arc == other and start <= end:
                net.add_edge("from", "to", weight=int(np.ceil(metric.weight[arc] * (end - start))))
    for arc, end in ways(destination):
        net.add_edge(int(graph.tail[arc]), "to", weight=int(np.ceil(metric.weight[arc] * end)))
    try:
        return int(nx.dijkstra_path_length(net, "from", "to"))
    except nx.NetworkXNoPath:
        return None


def assert_sound(graph: Graph, metric: Metric, path: Path, origin: Place, destination: Place) -> None:
    """The arcs hang together, are open, start and end where they should, and cost what is said."""
    assert np.all(metric.weight[path.arcs] >= 0)
    assert np.array_equal(graph.head[path.arcs[:-1]], graph.tail[path.arcs[1:]])
    for arc, fraction, end in (
        (path.arcs[0], path.start_fraction, origin),
        (path.arcs[-1], path.end_fraction, destination),
    ):
        assert (arc == end.arc and fraction == end.fraction) or (
            arc == graph.reverse[end.arc] and fraction == pytest.approx(1 - end.fraction)
        )
    assert path.cost == pytest.approx(np.sum(metric.weight[path.arcs] * path.portions()), abs=2.0)


def assert_agrees(graph: Graph, metric: Metric, origin: Place, destination: Place) -> None:
    """Dijkstra, A* with landmarks and without, and networkx find the same cost, or all find no way."""
    expected = oracle(graph, metric, origin, destination)
    for engine, guided in searches(graph):
        path = engine.find(metric, origin, destination, guided=guided)
        assert (None if path is None else path.cost) == expected
        if path is not None:
            assert_sound(graph, metric, path, origin, destination)


def searches(graph: Graph) -> list[tuple[Engine, bool]]:
    """Dijkstra's algorithm, A* by the straight line, and A* by landmarks."""
    plain = Engine(graph)
    return [(plain, False), (plain, True), (Engine(graph, landmarks_of(graph)), True)]


def grid(side: int, seed: int) -> Graph:
    """A grid of streets with jitter, a quarter of them one-way, some missing."""
    rng = np.random.default_rng(seed)
    jitter = rng.uniform(-30, 30, (side * side, 2))
    nodes = [(100.0 * (i % side) + jitter[i, 0], 100.0 * (i // side) + jitter[i, 1]) for i in range(side * side)]
    edges = []
    for i in range(side * side):
        for j in ([i + 1] if (i + 1) % side else []) + ([i + side] if i + side < side * side else []):
            draw = rng.random()
            if draw < 0.1:
                continue
            edges.append(Edge(i, j, back=Access(0)) if draw < 0.35 else Edge(i, j))
    return plan(nodes, edges)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_networkx_on_hundreds_of_random_pairs(seed: int) -> None:
    graph = grid(12, seed)
    rng = np.random.default_rng(seed)
    engines = searches(graph)
    for metric in (
        by_length(graph),
        Metric.of(
            graph.length_m * rng.uniform(50, 400, graph.arc_count), graph.length_m, rng.random(graph.arc_count) > 0.05
        ),
    ):
        for _ in range(60):
            origin, destination = (
                place(graph, int(rng.integers(graph.arc_count)), float(rng.choice([0.0, 1.0, rng.random()])))
                for _ in range(2)
            )
            expected = oracle(graph, metric, origin, destination)
            for engine, guided in engines:
                path = engine.find(metric, origin, destination, guided=guided)
                assert (None if path is None else path.cost) == expected
                if path is not None:
                    assert_sound(graph, metric, path, origin, destination)


@st.composite
def small_plans(draw: st.DrawFn) -> tuple[Graph, Metric, Place, Place]:
    count = draw(st.integers(2, 7))
    nodes = [(draw(st.integers(0, 900)) + 0.0, draw(st.integers(0, 900)) + 0.0) for _ in range(count)]
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    directions = st.sampled_from([Access(0), Access.FOOT])
    edges = [Edge(*draw(ends), forth=Access.FOOT, back=draw(directions)) for _ in range(draw(st.integers(1, 12)))]
    graph = plan(nodes, edges)
    # Weights may be anything: nothing but the least weight per metre ties them to the map.
    cost = np.array(draw(st.lists(st.integers(1, 5000), min_size=graph.arc_count, max_size=graph.arc_count)), float)
    shut = np.array(draw(st.lists(st.booleans(), min_size=graph.arc_count, max_size=graph.arc_count)))
    metric = Metric.of(cost, graph.length_m, ~shut | (draw(st.integers(0, 2)) > 0))
    fraction = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    arcs = st.integers(0, graph.arc_count - 1)
    return graph, metric, place(graph, draw(arcs), draw(fraction)), place(graph, draw(arcs), draw(fraction))


@settings(max_examples=300, deadline=None)
@given(small_plans())
def test_agrees_with_networkx_on_any_small_graph(case: tuple[Graph, Metric, Place, Place]) -> None:
    assert_agrees(*case)


class TestOnOneArc:
    """Both ends on the one street from node 0 to node 1, 100 m."""

    def test_forwards(self) -> None:
        graph = plan([(0, 0), (100, 0)], [Edge(0, 1)])
        arc = arc_of(graph, 0, 1)
        path = Engine(graph).find(by_length(graph), place(graph, arc, 0.25), place(graph, arc, 0.75))
        assert path is not None
        assert path.arcs.tolist() == [arc]
        assert path.cost == 5000
        assert path.portions().tolist() == [0.5]

    def test_backwards_takes_the_opposite_arc(self) -> None:
        graph = plan([(0, 0), (100, 0)], [Edge(0, 1)])
        arc, back = arc_of(graph, 0, 1), arc_of(graph, 1, 0)
        path = Engine(graph).find(by_length(graph), place(graph, arc, 0.75), place(graph, arc, 0.25))
        assert path is not None
        assert path.arcs.tolist() == [back]
        assert (path.start_fraction, path.end_fraction) == (0.25, 0.75)

    def test_backwards_on_a_one_way_goes_round_the_block(self) -> None:
        one_way = Access(0)
        graph = plan(
            [(0, 0), (100, 0), (100, 100), (0, 100)],
            [Edge(0, 1, back=one_way), Edge(1, 2), Edge(2, 3), Edge(3, 0)],
        )
        arc = arc_of(graph, 0, 1)
        path = Engine(graph).find(by_length(graph), place(graph, arc, 0.75), place(graph, arc, 0.25))
        assert path is not None
        assert path.arcs.tolist() == [arc, arc_of(graph, 1, 2), arc_of(graph, 2, 3), arc_of(graph, 3, 0), arc]
        assert path.portions().tolist() == [0.25, 1, 1, 1, 0.25]

    def test_backwards_on_a_one_way_without_a_block_finds_no_way(self) -> None:
        graph = plan([(0, 0), (100, 0)], [Edge(0, 1, back=Access(0))])
        arc = arc_of(graph, 0, 1)
        assert Engine(graph).find(by_length(graph), place(graph, arc, 0.75), place(graph, arc, 0.25)) is None

    def test_leaves_a_slow_street_for_a_fast_one_beside_it(self) -> None:
        graph = plan([(0, 0), (100, 0)], [Edge(0, 1), Edge(0, 1, via=((50, 10),))])
        slow, fast = np.flatnonzero((graph.tail == 0) & (graph.head == 1))
        cost = np.full(graph.arc_count, 10_000.0)
        cost[[fast, graph.reverse[fast]]] = 10.0
        metric = Metric.of(cost, graph.length_m, np.ones(graph.arc_count, bool))
        path = Engine(graph).find(metric, place(graph, int(slow), 0.1), place(graph, int(slow), 0.9))
        assert path is not None
        assert path.arcs.tolist() == [graph.reverse[slow], fast, graph.reverse[slow]]
        assert path.cost == 1000 + 10 + 1000


def test_the_largest_weights_do_not_overflow() -> None:
    nodes = [(100.0 * i, 0.0) for i in range(50)]
    graph = plan(nodes, [Edge(i, i + 1) for i in range(49)])
    metric = Metric.of(np.full(graph.arc_count, 1e30), graph.length_m, np.ones(graph.arc_count, bool))
    first, last = arc_of(graph, 0, 1), arc_of(graph, 48, 49)
    path = Engine(graph).find(metric, place(graph, first, 0.0), place(graph, last, 1.0))
    assert path is not None
    assert path.cost == 49 * int(LARGEST_WEIGHT)


def test_a_workspace_forgets_the_search_before() -> None:
    graph = grid(8, 5)
    engine, metric = Engine(graph), by_length(graph)
    there = place(graph, 0, 0.5), place(graph, graph.arc_count - 1, 0.5)
    first = engine.find(metric, *there)
    engine.find(by_length(graph, graph.access == 0), *there)
    again = engine.find(metric, *there)
    assert first is not None
    assert again is not None
    assert first.cost == again.cost
    assert np.array_equal(first.arcs, again.arcs)
