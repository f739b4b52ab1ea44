"""Cheapest ways over a contraction against networkx: costs, arcs, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from router.graph.graph import Graph
from router.graph.osm import ImportReport
from router.modes import TravelMode, is_open, seconds
from router.plane import on_plane
from router.search.contraction_query import ContractionQuery, Found, TornMetric
from router.search.customization import LARGEST_LINK, PROFILES, Customizer, WeightsTooLarge, arc_places
from router.search.tariff import SHORTEST, Tariff
from tests.router.search.multigraph import Multigraph, customized, random_multigraph

Ints = NDArray[np.int32]


def assert_sound(graph: Multigraph, weight: Ints, found: Found, start: int, end: int) -> None:
    """The arcs lead from start to end, pass no node twice, are open, and cost what is said."""
    nodes = [start, *graph.head[found.arcs].tolist()]
    assert graph.tail[found.arcs].tolist() == nodes[:-1]
    assert nodes[-1] == end
    assert len(set(nodes)) == len(nodes)
    assert np.all(weight[found.arcs] >= 0)
    assert weight[found.arcs].sum(dtype=np.int64) == found.cost


def assert_agrees(graph: Multigraph, weight: Ints, starts: Sequence[int]) -> int:
    """From each start to all nodes, for each row of weights; returns how many ways there are."""
    contraction = graph.contracted()
    metrics, query, ways = customized(contraction, weight), ContractionQuery(contraction), 0
    for row in range(len(weight)):
        net = graph.to_networkx(weight[row])
        for start in starts:
            costs = nx.single_source_dijkstra_path_length(net, start)
            for end in range(len(graph.plane)):
                found = query.find(metrics[row], [(start, 0)], [(end, 0)])
                assert (None if found is None else found.cost) == costs.get(end)
                if found is not None:
                    assert_sound(graph, weight[row], found, start, end)
                    ways += 1
    return ways


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 12), st.integers(0, 40), st.sampled_from([(-1, 4), (0, 2), (1, 2), (0, 9999)])
)
def test_agrees_with_networkx_on_any_small_graph(seed: int, nodes: int, arcs: int, weights: tuple[int, int]) -> None:
    """Closed arcs, weights of zero, equal weights, loops, parallels, and parts that do not hang together."""
    weight = np.random.default_rng(seed).integers(*weights, size=(2, arcs)).astype(np.int32)
    assert_agrees(random_multigraph(seed, nodes, arcs), weight, range(nodes))


def test_agrees_with_networkx_on_larger_graphs() -> None:
    for seed, arcs in ((1, 260), (2, 500)):
        weight = np.random.default_rng(seed).integers(-30, 300, size=(3, arcs)).astype(np.int32)
        assert assert_agrees(random_multigraph(seed, 200, arcs), weight, range(0, 200, 25)) > 100


def test_agrees_with_networkx_in_the_middle_of_the_simulated_city(
    simulated_streets: tuple[Graph, ImportReport],
) -> None:
    city, _ = simulated_streets
    graph, arcs = middle(city, 700)
    rng = np.random.default_rng(1)
    costs = {mode: seconds(city, mode)[arcs] * 1000 for mode in TravelMode}
    weights = [
        np.where(is_open(city, mode)[arcs], np.rint(cost), -1)
        for mode in TravelMode
        for cost in (costs[mode], city.length_m[arcs] * 1000, costs[mode] * rng.uniform(0.5, 5, len(arcs)))
    ]
    assert assert_agrees(graph, np.array(weights, dtype=np.int32), [3]) > 9 * 500


def middle(city: Graph, count: int) -> tuple[Multigraph, Ints]:
    """The nodes nearest to a city's middle, and which of its arcs lie between them."""
    plane = on_plane(np.stack([city.latitude, city.longitude], axis=1))
    nearest = np.argsort(np.hypot(*(plane - np.median(plane, axis=0)).T))[:count]
    number = np.full(city.node_count, -1, dtype=np.int32)
    number[nearest] = np.arange(count)
    arcs = np.flatnonzero((number[city.tail] >= 0) & (number[city.head] >= 0)).astype(np.int32)
    return Multigraph(plane[nearest], number[city.tail[arcs]], number[city.head[arcs]]), arcs


class TestEnds:
    """Seeds and entries on the line 0 → 1 → 2 → 3, each arc of cost 10."""

    graph = Multigraph(
        np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]),
        np.array([0, 1, 2], dtype=np.int32),
        np.array([1, 2, 3], dtype=np.int32),
    )
    contraction = graph.contracted()
    metric = customized(contraction, np.full((1, 3), 10, dtype=np.int32))[0]
    query = ContractionQuery(contraction)

    def test_the_cheapest_of_both_is_taken(self) -> None:
        found = self.query.find(self.metric, [(0, 1), (1, 12)], [(2, 21), (3, 10)])
        assert found is not None
        assert (found.cost, found.seed, found.entry, found.arcs.tolist()) == (1 + 30 + 10, 0, 1, [0, 1, 2])

    def test_ends_may_be_one_node(self) -> None:
        found = self.query.find(self.metric, [(1, 3)], [(1, 4)])
        assert found is not None
        assert (found.cost, found.arcs.tolist()) == (7, [])

    def test_two_seeds_on_one_node_are_the_cheaper_one(self) -> None:
        found = self.query.find(self.metric, [(1, 9), (1, 3)], [(2, 5), (2, 0)])
        assert found is not None
        assert (found.cost, found.seed, found.entry) == (13, 1, 1)

    def test_against_the_arrows_there_is_no_way(self) -> None:
        assert self.query.find(self.metric, [(3, 0)], [(0, 0)]) is None

    def test_without_ends_there_is_no_way(self) -> None:
        assert self.query.find(self.metric, [], [(0, 0)]) is None
        assert self.query.find(self.metric, [(0, 0)], []) is None

    def test_only_what_is_cheaper_counts(self) -> None:
        assert self.query.find(self.metric, [(0, 0)], [(3, 0)], below=30) is None
        assert self.query.find(self.metric, [(0, 0)], [(3, 0)], below=31) is not None


def test_the_largest_weights_do_not_overflow() -> None:
    """Each of 40 arcs costs as much as may be; no link spans two that are open, as every other one is closed."""
    nodes = 41
    steps = np.arange(nodes - 1, dtype=np.int32)
    graph = Multigraph(np.stack([np.arange(nodes), np.zeros(nodes)], axis=1).astype(float), steps, steps + np.int32(1))
    contraction = graph.contracted()
    weight = np.where(steps % 2 == 0, LARGEST_LINK, -1).astype(np.int32)[None]
    query, metrics = ContractionQuery(contraction), customized(contraction, weight)
    found = query.find(metrics[0], [(0, 2**40)], [(1, 2**41)])
    assert found is not None
    assert found.cost == int(LARGEST_LINK) + 2**40 + 2**41
    assert query.find(metrics[0], [(0, 0)], [(2, 0)]) is None


@pytest.mark.parametrize("weight", [2**30 - 1, 2**29, 2**28])
def test_weights_whose_ways_links_cannot_hold_are_refused_and_not_lost(weight: int) -> None:
    """Three arcs of 2^28 are one link, or two."""
    steps = np.arange(20, dtype=np.int32)
    graph = Multigraph(np.stack([np.arange(21), np.zeros(21)], axis=1).astype(float), steps, steps + np.int32(1))
    with pytest.raises(WeightsTooLarge, match="larger unit"):
        customized(graph.contracted(), np.full((1, 20), weight, dtype=np.int32))


def test_a_customizer_forgets_the_metrics_before() -> None:
    graph = random_multigraph(3, 60, 150)
    contraction = graph.contracted()
    milliseconds, millimeters, load = drawn(3, 150)
    customizer, fresh = (Customizer(contraction, milliseconds, millimeters) for _ in range(2))
    metrics, expected = customizer.room(), fresh.room()
    for scale in (1, 3):
        metrics.load[:] = scale * load
        customizer.customize(metrics, TARIFFS_DRAWN)
    expected.load[:] = 3 * load
    fresh.customize(expected, TARIFFS_DRAWN)
    assert np.array_equal(metrics.up, expected.up)
    assert np.array_equal(metrics.down, expected.down)


TARIFFS_DRAWN = [SHORTEST, Tariff(1.0, 1.0, 0.0), Tariff(0.0, 2.5, 0.0), Tariff(0.1, 0.9, 0.3)]


def drawn(seed: int, arcs: int) -> tuple[NDArray[np.int32], Ints, NDArray[np.float32]]:
    """Times of four profiles, lengths, and loads; each profile has arcs that are closed to it."""
    rng = np.random.default_rng(seed)
    milliseconds = rng.integers(-20, 300, size=(PROFILES, arcs)).astype(np.int32)
    return milliseconds, rng.integers(1, 300, arcs).astype(np.int32), rng.uniform(0, 4, arcs).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_every_profile_by_every_tariff_agrees_with_networkx(seed: int) -> None:
    """What is charged is reckoned here by hand, from the times, loads and lengths by arc."""
    graph = random_multigraph(seed, 8, 24)
    contraction = graph.contracted()
    milliseconds, millimeters, load = drawn(seed, 24)
    place = arc_places(contraction)
    by_place = np.empty_like(milliseconds), np.empty_like(millimeters)
    by_place[0][:, place], by_place[1][place] = milliseconds, millimeters
    customizer, query = Customizer(contraction, *by_place), ContractionQuery(contraction)
    metrics = customizer.room()
    metrics.load[place] = load
    customizer.customize(metrics, TARIFFS_DRAWN)
    for profile in range(PROFILES):
        for row, tariff in enumerate(TARIFFS_DRAWN):
            cost = (
                milliseconds[profile] * (tariff.time + tariff.load * load.astype(float)) + millimeters * tariff.length
            )
            weight = np.where(milliseconds[profile] < 0, -1, np.floor(cost + 0.5)).astype(np.int32)
            costs = nx.single_source_dijkstra_path_length(graph.to_networkx(weight), 0)
            for end in range(8):
                found = query.find(metrics.metric(profile, row), [(0, 0)], [(end, 0)])
                assert (None if found is None else found.cost) == costs.get(end)
                if found is not None:
                    assert_sound(graph, weight, found, 0, end)


def test_a_metric_that_changed_under_a_query_is_told_and_the_next_query_is_sound() -> None:
    graph = random_multigraph(4, 60, 200)
    contraction = graph.contracted()
    weight = np.random.default_rng(4).integers(1, 100, size=(1, 200)).astype(np.int32)
    metric, query = customized(contraction, weight)[0], ContractionQuery(contraction)
    far = max(range(60), key=lambda end: len(getattr(query.find(metric, [(0, 0)], [(end, 0)]), "arcs", ())))
    before = query.find(metric, [(0, 0)], [(far, 0)])
    kept = metric.milliseconds.copy()
    metric.milliseconds[:] = 1000
    with pytest.raises(TornMetric):
        query.find(metric, [(0, 0)], [(far, 0)])
    metric.milliseconds[:] = kept
    after = query.find(metric, [(0, 0)], [(far, 0)])
    assert before is not None
    assert after is not None
    assert np.array_equal(before.arcs, after.arcs)
