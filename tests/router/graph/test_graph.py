from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from router.graph.graph import ARRAYS, BrokenGraph, Graph, check, full_shapes, version_of
from tests.router.graph.drawing import town


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return town().imported(tmp_path_factory.mktemp("town"))[0]


def _set(field: str, index: int, value: float) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        array = getattr(graph, field).copy()
        array[index] = value
        return replace(graph, **{field: array})

    return change


@pytest.mark.parametrize(
    ("change", "invariant"),
    [
        (lambda graph: replace(graph, head=graph.head.astype(np.int64)), "head is a flat array of int32"),
        (lambda graph: replace(graph, street=graph.street[:-1]), "street has one entry"),
        (_set("first_out", 0, 1), "first_out rises"),
        (_set("shape_first", 1, 99), "shape_first rises"),
        (_set("tail", 0, 1), "sorted by tail"),
        (_set("head", 0, 99), "head is a node"),
        (_set("latitude", 0, np.nan), "on Earth"),
        (_set("shape_longitude", 0, 181.0), "on Earth"),
        (_set("road_class", 0, 99), "road_class is a RoadClass"),
        (_set("access", 0, 0), "someone may use each arc"),
        (_set("access", 0, 64), "someone may use each arc"),
        (_set("speed_limit_kmh", 0, 0), "at some speed"),
        (_set("speed_limit_kmh", 0, 7), "same speed limit"),
        (_set("grade_percent", 0, -128), "steeper than"),
        (_set("grade_percent", 0, 5), "falls on its reverse"),
        (_set("green", 0, 7), "same green"),
        (_set("street", 0, -1), "every street has a name"),
        (lambda graph: replace(graph, streets=("가", *graph.streets[1:])), "first street name is empty"),
        (_set("reverse", 0, 0), "reverse pairs two arcs"),
        (_set("reverse", 0, 99), "every reverse is an arc"),
        (_set("length_m", 0, 0.0), "same length"),
        (lambda graph: replace(graph, length_m=graph.length_m * 2), "great-circle length"),
        (lambda graph: replace(graph, length_m=graph.length_m * 0), "at least 0.001 m long"),
        (lambda graph: replace(graph, shape_latitude=graph.shape_latitude + 0.1), "great-circle length"),
        (_set("shape_latitude", 0, 36.0001), "same shape"),
        (lambda graph: replace(graph, component=1 - graph.component), "connected components by falling size"),
        (lambda graph: replace(graph, version="0" * 12), "version is the hash"),
        (lambda graph: replace(graph, simulated=True), "version is the hash"),
    ],
)
def test_a_broken_invariant_is_named(graph: Graph, change: Callable[[Graph], Graph], invariant: str) -> None:
    check(graph)
    with pytest.raises(BrokenGraph, match=invariant) as broken:
        check(change(graph))
    assert invariant in broken.value.metadata["invariant"]


def test_the_version_is_of_the_content_and_not_of_the_name(graph: Graph) -> None:
    assert version_of(replace(graph, name="another")) == graph.version
    assert version_of(replace(graph, streets=(*graph.streets[:-1], "다른 길"))) != graph.version


def test_nobody_writes_to_a_graph(graph: Graph) -> None:
    for field, _ in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(graph, field)[:1] = 0


def test_a_full_shape_runs_from_tail_to_head(graph: Graph) -> None:
    latitude, longitude, first = full_shapes(graph)
    for arc in range(graph.arc_count):
        points = slice(first[arc], first[arc + 1])
        assert latitude[points][0] == graph.latitude[graph.tail[arc]]
        assert longitude[points][-1] == graph.longitude[graph.head[arc]]
        inner = slice(graph.shape_first[arc], graph.shape_first[arc + 1])
        np.testing.assert_array_equal(latitude[points][1:-1], graph.shape_latitude[inner])
