"""Readers wait for nobody and never see half a value; the writer waits for readers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from router.search.contraction_query import ContractionQuery
from router.search.customization import CustomizedMetrics, Customizer
from router.search.generations import Generations
from tests.router.search.multigraph import customized, random_multigraph


def test_queries_see_one_field_or_the_other_while_new_ones_come() -> None:
    graph = random_multigraph(1, 400, 1600)
    contraction = graph.contracted()
    fields = np.random.default_rng(1).integers(1, 1000, size=(5, 2, 1600)).astype(np.int32)
    expected = set()
    query = ContractionQuery(contraction)
    for field in fields:
        alone = customized(contraction, field)
        ways = [query.find(alone.metric(row), [(0, 0)], [(1, 0)]) for row in range(2)]
        expected.add(tuple(way.cost for way in ways if way is not None))
    assert len(expected) == len(fields)
    customizer = Customizer(contraction, 2)
    generations = Generations(customizer.room(), customizer.room())

    def take_in(field: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> None:
        def write(metrics: CustomizedMetrics) -> None:
            metrics.weight[:] = field
            customizer.customize(metrics)

        generations.replace(write)

    take_in(fields[0])
    done = threading.Event()

    def ask() -> set[tuple[int, ...]]:
        seen = set()
        while True:
            last = done.is_set()
            with generations.read() as metrics:
                ways = [query.find(metrics.metric(row), [(0, 0)], [(1, 0)]) for row in range(2)]
            seen.add(tuple(way.cost for way in ways if way is not None))
            if last:
                return seen

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        for number in range(1, 10):
            take_in(fields[number % len(fields)])
        done.set()
        seen = asking.result()
    assert seen <= expected
    assert len(seen) > 1


def test_a_value_is_not_written_to_while_it_is_read_and_nobody_waits_to_read() -> None:
    generations = Generations([1], [2])
    with ThreadPoolExecutor(1) as pool:
        with generations.read() as one:
            generations.replace(lambda value: value.append(0))
            writing = pool.submit(generations.replace, lambda value: value.append(3))
            with generations.read() as other:
                assert other == [2, 0]
            assert one == [1]
            assert not writing.done()
        writing.result()
    with generations.read() as now:
        assert now == [1, 3]


def test_a_writer_that_fails_leaves_the_current_value() -> None:
    generations = Generations("now", "spare")

    def fail(_value: str) -> None:
        raise ValueError("no field")

    with pytest.raises(ValueError, match="no field"):
        generations.replace(fail)
    with generations.read() as value:
        assert value == "now"
