"""Readers wait for nobody and never see half a value; the writer waits for readers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from router.search.contraction_query import ContractionQuery
from router.search.customization import PROFILES, TARIFFS, CustomizedMetrics, Customizer
from router.search.generations import Generations
from router.search.tariff import Tariff
from tests.router.search.multigraph import random_multigraph


def test_queries_see_one_field_or_the_other_while_new_ones_come() -> None:
    graph = random_multigraph(1, 400, 1600)
    contraction = graph.contracted()
    rng = np.random.default_rng(1)
    fields = rng.uniform(1, 10, size=(5, 1600)).astype(np.float32)
    query = ContractionQuery(contraction)
    times = rng.integers(1, 1000, size=(PROFILES, 1600)).astype(np.int32)
    customizer = Customizer(contraction, times, times[0])
    generations = Generations(customizer.room(), customizer.room())

    def take_in(field: NDArray[np.float32]) -> None:
        def write(metrics: CustomizedMetrics) -> None:
            metrics.load[:] = field
            customizer.customize(metrics, [Tariff(1.0, worth, 0.0) for worth in range(TARIFFS)])

        generations.replace(write)

    def costs(metrics: CustomizedMetrics) -> tuple[int, ...]:
        ways = [query.find(metrics.metric(row, 1 + row), [(0, 0)], [(1, 0)]) for row in range(2)]
        return tuple(way.cost for way in ways if way is not None)

    expected = set()
    for field in fields:
        take_in(field)
        with generations.read() as metrics:
            expected.add(costs(metrics))
    assert len(expected) == len(fields)

    take_in(fields[0])
    done = threading.Event()

    def ask() -> set[tuple[int, ...]]:
        seen = set()
        while True:
            last = done.is_set()
            with generations.read() as metrics:
                seen.add(costs(metrics))
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
