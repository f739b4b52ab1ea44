"""The front of two costs against every pair of costs that a way can have, reckoned without any search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.graph.graph import Graph
from router.search.backwards import Terrain
from router.search.engine import Engine, Path, Place, share, way_on_one_arc, ways_along
from router.search.front import TOLERANCE, Front, FrontSearch, FrontTooLarge
from router.search.metric import Metric
from tests.router.search.test_engine import grid, place, small_plans
from tests.router.street_plan import Edge, arc_of, plan

Costs = tuple[int, int]


def undominated(pairs: set[Costs]) -> set[Costs]:
    """By rising first cost, each with a second cost below all before."""
    kept: set[Costs] = set()
    least: int | None = None
    for first, second in sorted(pairs):
        if least is None or second < least:
            kept.add((first, second))
            least = second
    return kept


def oracle(graph: Graph, first: Metric, second: Metric, origin: Place, destination: Place) -> list[Costs]:
    """The front: the pairs at each node are spread along all arcs until nothing changes."""
    starts, ends = (ways_along(graph, first.weight, end) for end in (origin, destination))
    at_node: list[set[Costs]] = [set() for _ in range(graph.node_count)]
    for arc, at in starts:
        at_node[graph.head[arc]].add((share(first.weight, arc, 1.0 - at), share(second.weight, arc, 1.0 - at)))
    changed = True
    while changed:
        changed = False
        for arc in np.flatnonzero(first.weight >= 0).tolist():
            step = int(first.weight[arc]), int(second.weight[arc])
            here, there = at_node[graph.tail[arc]], at_node[graph.head[arc]]
            spread = undominated(there | {(a + step[0], b + step[1]) for a, b in here})
            if spread != there:
                at_node[graph.head[arc]] = spread
                changed = True
    found = {
        (a + share(first.weight, arc, at), b + share(second.weight, arc, at))
        for arc, at in ends
        for a, b in at_node[graph.tail[arc]]
    }
    _, direct = way_on_one_arc(first.weight, starts, ends)
    if direct is not None:
        arc, along = int(direct.arcs[0]), direct.end_fraction - direct.start_fraction
        found.add((share(first.weight, arc, along), share(second.weight, arc, along)))
    return sorted(undominated(found))


def costs_of(front: Front) -> list[Costs]:
    return list(zip(front.first.tolist(), front.second.tolist(), strict=True))


def cost_along(metric: Metric, path: Path) -> int:
    """What a path costs, with parts of arcs rounded up as a search does."""
    if len(path.arcs) == 1:
        return share(metric.weight, int(path.arcs[0]), path.end_fraction - path.start_fraction)
    ends = share(metric.weight, int(path.arcs[0]), 1.0 - path.start_fraction)
    ends += share(metric.weight, int(path.arcs[-1]), path.end_fraction)
    return ends + int(metric.weight[path.arcs[1:-1]].sum())


def assert_sound(graph: Graph, first: Metric, second: Metric, front: Front) -> None:
    """Each way hangs together and costs what is said."""
    for path, costs in zip(front.paths, costs_of(front), strict=True):
        assert np.array_equal(graph.head[path.arcs[:-1]], graph.tail[path.arcs[1:]])
        assert (cost_along(first, path), cost_along(second, path)) == costs
        assert path.cost == costs[0]


def search_on(graph: Graph, most_labels: int = 50_000) -> FrontSearch:
    return FrontSearch(Terrain(graph, Engine(graph).position, most_labels=most_labels))


def another(metric: Metric, graph: Graph, seed: int) -> Metric:
    """A second cost, as if drawn anew: half of the arcs at one of a few values, so that sums are often equal."""
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random(graph.arc_count) < 0.5, rng.choice([1, 100, 1000], graph.arc_count), 0)
    return Metric.of(cost + rng.integers(1, 5000, graph.arc_count), graph.length_m, metric.weight >= 0)


@settings(max_examples=120, deadline=None)
@given(small_plans(), st.integers(0, 10**6), st.sampled_from([np.inf, 2.0, 1.25]))
def test_every_point_of_the_front_and_no_other(
    case: tuple[Graph, Metric, Place, Place], seed: int, stretch: float
) -> None:
    graph, first, origin, destination = case
    second = another(first, graph, seed)
    front = search_on(graph).find(first, second, origin, destination, stretch=stretch)
    expected = oracle(graph, first, second, origin, destination)
    if front is None:
        assert not expected
        return
    assert costs_of(front) == [costs for costs in expected if stretch == np.inf or costs[0] <= stretch * expected[0][0]]
    assert front.tolerance == 0.0
    assert_sound(graph, first, second, front)


def crossing(side: int, seed: int) -> tuple[Graph, Metric, Metric, Place, Place]:
    """Two costs of every arc that have nothing to do with each other, and places in opposite corners of a grid."""
    graph, rng = grid(side, seed), np.random.default_rng(seed)
    first, second = (
        Metric.of(rng.uniform(1, 40_000, graph.arc_count), graph.length_m, np.ones(graph.arc_count, bool))
        for _ in range(2)
    )
    return graph, first, second, place(graph, 0, 0.25), place(graph, graph.arc_count - 1, 0.75)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_front_of_dozens_of_ways_across_a_grid(seed: int) -> None:
    graph, first, second, *ends = crossing(14, seed)
    front = search_on(graph).find(first, second, *ends)
    assert front is not None
    assert costs_of(front) == oracle(graph, first, second, *ends)
    assert_sound(graph, first, second, front)
    assert len(front.paths) > 12


def test_with_too_little_room_the_front_is_told_within_the_tolerance_or_not_at_all() -> None:
    graph, first, second, *ends = crossing(26, 3)
    exact = search_on(graph).find(first, second, *ends)
    assert exact is not None
    coarse: Front | None = None
    for room in range(20_000, 0, -100):
        try:
            front = search_on(graph, room).find(first, second, *ends)
        except FrontTooLarge:
            break
        assert front is not None
        if front.tolerance:
            coarse = front
    else:
        pytest.fail("a front of dozens of ways found room in a hundred labels")
    assert coarse is not None
    assert coarse.tolerance == TOLERANCE
    assert 1 < len(coarse.paths) < len(exact.paths)
    assert_sound(graph, first, second, coarse)
    for first_cost, second_cost in costs_of(exact):
        assert any(a <= first_cost and b <= (1 + TOLERANCE) * second_cost for a, b in costs_of(coarse))


def test_costs_too_large_to_be_told_apart_are_refused() -> None:
    graph = plan([(100.0 * i, 0.0) for i in range(400)], [Edge(i, i + 1) for i in range(399)])
    first = Metric.of(graph.length_m * 100, graph.length_m, np.ones(graph.arc_count, bool))
    second = Metric.of(np.full(graph.arc_count, 1e30), graph.length_m, first.weight >= 0)
    ends = place(graph, arc_of(graph, 0, 1), 0.0), place(graph, arc_of(graph, 398, 399), 1.0)
    with pytest.raises(FrontTooLarge):
        search_on(graph).find(first, second, *ends)


def test_where_the_fastest_is_the_cleanest_there_is_one_way() -> None:
    graph = plan([(0, 0), (100, 0)], [Edge(0, 1)])
    first = Metric.of(graph.length_m * 100, graph.length_m, np.ones(graph.arc_count, bool))
    arc = arc_of(graph, 0, 1)
    front = search_on(graph).find(first, first, place(graph, arc, 0.75), place(graph, arc, 0.25))
    assert front is not None
    assert costs_of(front) == [(5000, 5000)]
    assert front.paths[0].arcs.tolist() == [arc_of(graph, 1, 0)]
