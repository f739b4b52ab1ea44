"""Ways from within an arc to within an arc: the contraction against Dijkstra's algorithm, A* and networkx."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings

from router.graph.graph import Graph
from router.modes import TravelMode, is_open, seconds
from router.search.contraction import contract
from router.search.contraction_engine import ContractionEngine, order_of
from router.search.engine import Engine, Place
from router.search.metric import Metric
from tests.router.real_streets import real_streets
from tests.router.search.multigraph import customized
from tests.router.search.test_engine import assert_sound, by_length, grid, oracle, place, small_plans


@settings(max_examples=100, deadline=None)
@given(small_plans())
def test_agrees_with_networkx_on_any_small_graph(case: tuple[Graph, Metric, Place, Place]) -> None:
    graph, metric, origin, destination = case
    contraction = contract(graph.tail, graph.head, order_of(graph))
    customized_metric = customized(contraction, metric.weight[None])[0]
    path = ContractionEngine(graph, contraction).find(customized_metric, origin, destination)
    assert (None if path is None else path.cost) == oracle(graph, metric, origin, destination)
    if path is not None:
        assert_sound(graph, metric, path, origin, destination)


def assert_agrees_with_search(graph: Graph, metrics: list[Metric], pairs: int) -> None:
    """From random places to random places."""
    contraction = contract(graph.tail, graph.head, order_of(graph))
    engine, search = ContractionEngine(graph, contraction), Engine(graph)
    rows = customized(contraction, np.stack([metric.weight for metric in metrics]))
    rng, reached = np.random.default_rng(5), 0
    for row, metric in enumerate(metrics):
        for _ in range(pairs):
            origin, destination = (
                place(graph, int(rng.integers(graph.arc_count)), float(rng.choice([0.0, 1.0, rng.random()])))
                for _ in range(2)
            )
            expected = search.find(metric, origin, destination, guided=False)
            path = engine.find(rows[row], origin, destination)
            assert (None if path is None else path.cost) == (None if expected is None else expected.cost)
            if path is not None:
                assert_sound(graph, metric, path, origin, destination)
                reached += 1
    assert reached > len(metrics) * pairs / 2


def test_agrees_with_search_in_a_city_of_blocks() -> None:
    graph = grid(14, 4)
    rng = np.random.default_rng(4)
    shut = rng.random(graph.arc_count) > 0.05
    load = Metric.of(graph.length_m * rng.uniform(50, 400, graph.arc_count), graph.length_m, shut)
    assert_agrees_with_search(graph, [by_length(graph), load], 200)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["seoul_sinchon_ewha", "monaco"])
def test_agrees_with_search_on_real_streets(real_data: File, name: str) -> None:
    graph, _ = real_streets(real_data, name)
    metrics = [
        Metric.of(cost * 1000, graph.length_m, is_open(graph, mode))
        for mode in TravelMode
        for cost in (seconds(graph, mode), graph.length_m)
    ]
    assert_agrees_with_search(graph, metrics, 100)
