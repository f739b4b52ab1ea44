"""Ways in air that changes by the hour, against every way there is, reckoned one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.graph.graph import Graph
from router.read_only import read_only
from router.search.backwards import Terrain
from router.search.engine import Engine, Path, Place, share, way_on_one_arc, ways_along
from router.search.metric import Metric
from router.search.time_dependent import Hours, TimeDependentSearch
from tests.router.search.test_engine import grid, place, small_plans

CELLS = 4


def hours_on(graph: Graph, seed: int, *, count: int, left: float, hour: float, time: float, air: float) -> Hours:
    """Air drawn anew for each hour and cell, and streets on which it differs."""
    rng = np.random.default_rng(seed)
    load = np.stack(
        [rng.uniform(1, 5, (count, CELLS)), rng.uniform(0, 2, (count, CELLS)), rng.uniform(-0.9, 0, (count, CELLS))],
        axis=2,
    )
    cell = rng.integers(CELLS, size=graph.arc_count).astype(np.int32)
    features = rng.random((graph.arc_count, 2)).astype(np.float32)
    everywhere = read_only(np.arange(CELLS, dtype=np.int32))
    return Hours(read_only(load), everywhere, read_only(cell), read_only(features), left, hour, time, air)


def cost_of(hours: Hours, pieces: list[tuple[int, int]]) -> int:
    """What pieces of a way cost, each an arc and its time, one after the other."""
    cost, passed = 0, 0
    for arc, taken in pieces:
        turned = 0 if passed <= hours.left else math.ceil((passed - hours.left) / hours.hour)
        a, b, c = hours.load[min(turned, len(hours.load) - 1), hours.cell[arc]].tolist()
        load = a + b * float(hours.features[arc, 0]) + c * float(hours.features[arc, 1])
        cost += math.ceil(taken * (hours.time + hours.air * load))
        passed += taken
    return cost


def pieces_of(metric: Metric, path: Path) -> list[tuple[int, int]]:
    """The arcs of a path, each with the time on it."""
    if len(path.arcs) == 1:
        arc = int(path.arcs[0])
        return [(arc, share(metric.weight, arc, path.end_fraction - path.start_fraction))]
    first, *between, last = path.arcs.tolist()
    return [
        (first, share(metric.weight, first, 1.0 - path.start_fraction)),
        *((arc, int(metric.weight[arc])) for arc in between),
        (last, share(metric.weight, last, path.end_fraction)),
    ]


def every_way(graph: Graph, metric: Metric, origin: Place, destination: Place) -> list[list[tuple[int, int]]]:
    """All ways that come to no node twice, as pieces."""
    starts, ends = (ways_along(graph, metric.weight, end) for end in (origin, destination))
    found = []
    _, direct = way_on_one_arc(metric.weight, starts, ends)
    if direct is not None:
        found.append(pieces_of(metric, direct))

    def go_on(node: int, seen: frozenset[int], pieces: list[tuple[int, int]]) -> None:
        found.extend([*pieces, (arc, share(metric.weight, arc, at))] for arc, at in ends if graph.tail[arc] == node)
        for arc in range(graph.first_out[node], graph.first_out[node + 1]):
            after = int(graph.head[arc])
            if metric.weight[arc] >= 0 and after not in seen:
                go_on(after, seen | {after}, [*pieces, (arc, int(metric.weight[arc]))])

    for arc, at in starts:
        node = int(graph.head[arc])
        go_on(node, frozenset({node}), [(arc, share(metric.weight, arc, 1.0 - at))])
    return found


def search_on(graph: Graph) -> TimeDependentSearch:
    return TimeDependentSearch(Terrain(graph, Engine(graph).position, most_labels=0))


WORTHS = st.sampled_from([(1.0, 0.0), (1.0, 1.0), (1.0, 4.0), (0.0, 1.0)])


@settings(max_examples=100, deadline=None)
@given(small_plans(), st.integers(0, 10**6), st.sampled_from([700.0, 3000.0, 1e9]), WORTHS)
def test_against_every_way_there_is(
    case: tuple[Graph, Metric, Place, Place], seed: int, hour: float, worth: tuple[float, float]
) -> None:
    graph, metric, origin, destination = case
    fastest = Engine(graph).find(metric, origin, destination)
    if fastest is None:
        return
    first, *others = (
        hours_on(graph, seed + at, count=3, left=hour * share, hour=hour, time=worth[0], air=worth[1])
        for at, share in enumerate((1.0, 0.4, 0.0))
    )
    departures = [first, *(first._replace(load=other.load, left=other.left) for other in others)]
    found = search_on(graph).find(metric, origin, destination, fastest, departures)
    ways = every_way(graph, metric, origin, destination)
    for hours, path in zip(departures, found, strict=True):
        pieces = pieces_of(metric, path)
        assert np.array_equal(graph.head[path.arcs[:-1]], graph.tail[path.arcs[1:]])
        assert path.cost == cost_of(hours, pieces)
        least = min(cost_of(hours, way) for way in ways)
        assert least <= path.cost <= cost_of(hours, pieces_of(metric, fastest))
        if max(sum(taken for _, taken in way) for way in ways) <= hours.left or worth[1] == 0.0:
            assert path.cost == least


@pytest.mark.parametrize("seed", [1, 2])
def test_where_hours_are_alike_it_finds_what_the_search_on_weights_finds(seed: int) -> None:
    graph, rng = grid(12, seed), np.random.default_rng(seed)
    time = Metric.of(graph.length_m * 770, graph.length_m, rng.random(graph.arc_count) > 0.03)
    one = hours_on(graph, seed, count=1, left=0.0, hour=60_000.0, time=1.0, air=2.0)
    alike = one._replace(load=read_only(np.repeat(one.load, 5, axis=0)))
    load = (one.load[0, one.cell] * np.column_stack([np.ones(graph.arc_count), one.features])).sum(axis=1)
    cost = np.where(time.weight >= 0, np.ceil(time.weight * (1.0 + 2.0 * load)), -1.0)
    static = Metric.of(cost, graph.length_m, time.weight >= 0)
    engine, search, found = Engine(graph), search_on(graph), 0
    for _ in range(40):
        origin, destination = (place(graph, int(rng.integers(graph.arc_count)), 0.0) for _ in range(2))
        expected, fastest = (engine.find(metric, origin, destination) for metric in (static, time))
        if expected is None or fastest is None:
            continue
        (path,) = search.find(time, origin, destination, fastest, [alike])
        assert path.cost == expected.cost
        found += 1
    assert found > 20


def test_across_the_turn_of_hours_it_is_seldom_dearer_than_the_best_and_never_by_much() -> None:
    dearer = []
    for seed in range(120):
        graph, rng = grid(4, seed), np.random.default_rng(seed)
        time = Metric.of(graph.length_m * 770, graph.length_m, np.ones(graph.arc_count, bool))
        origin, destination = (place(graph, int(arc), 0.5) for arc in rng.choice(graph.arc_count, 2, replace=False))
        fastest = Engine(graph).find(time, origin, destination)
        if fastest is None:
            continue
        # Each hour has up to a half more or less than a day's mean: a real forecast changes by less.
        hours = hours_on(graph, seed, count=1, left=50_000.0, hour=100_000.0, time=1.0, air=1.0)
        hours = hours._replace(load=read_only(hours.load * rng.uniform(0.5, 1.5, (9, CELLS, 1))))
        (path,) = search_on(graph).find(time, origin, destination, fastest, [hours])
        least = min(cost_of(hours, way) for way in every_way(graph, time, origin, destination))
        if least:
            dearer.append(path.cost / least - 1.0)
    assert len(dearer) > 90
    assert np.mean(np.array(dearer) > 0) < 0.1
    assert max(dearer) < 0.1
