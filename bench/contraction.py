"""The contracted graph beside the other searches: what it takes to make, to bring metrics in, and to ask.

routingkit-cch is the peer where it is installed (`pip install routingkit-cch`); it is given our order.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Final

import numpy as np

from bench.figures import Figure, milliseconds
from router.graph.graph import Graph
from router.search.contraction import Contraction, contract
from router.search.contraction_engine import ContractionEngine, order_of
from router.search.customization import CustomizedMetrics, Customizer
from router.search.engine import Engine, Path, Place
from router.search.kernel import Ints
from router.search.metric import Metric

_METRICS: Final = 16
_CLOSED_FOR_PEER: Final = 2**31 - 1

_Ends = tuple[Place, Place]


def contraction_figures(graph: Graph, metric: Metric, trips: Sequence[_Ends]) -> Iterator[Figure]:
    """Contracts the graph, and asks for trips between nodes, the starts of their places' arcs."""
    order_of(graph)  # compiles
    started = time.thread_time()
    order = order_of(graph)
    ordered = time.thread_time()
    contraction = contract(graph.tail, graph.head, order)
    yield Figure(
        "order and contract a graph, once",
        f"{ordered - started:.1f} s and {time.thread_time() - ordered:.2f} s",
        "",
        f"{contraction.link_count:,} links, climbs of up to {contraction.height}",
    )
    metrics, taken = _customized(contraction, metric)
    yield Figure(
        "bring metrics into a contraction",
        f"{1000 * taken:.0f} ms, {1000 * taken / _METRICS:.1f} ms each",
        "",
        f"{_METRICS} metrics in one sweep",
    )
    engine, search, customized = ContractionEngine(graph, contraction), Engine(graph), metrics.metric(0)
    engine.find(customized, *trips[0])
    ours = [_timed(partial(engine.find, customized, *ends)) for ends in trips]
    guided = [_timed(partial(search.find, metric, *ends)) for ends in trips]
    against = [f"A* {milliseconds(guided)}: {np.median(guided) / np.median(ours):.0f} ×"]
    against += _peer(graph, order, metric, trips)
    unequal = sum(_cost(engine.find(customized, *ends)) != _cost(search.find(metric, *ends)) for ends in trips)
    yield Figure(
        "fastest way, contraction hierarchy",
        milliseconds(ours),
        "; ".join(against),
        f"{len(trips)} trips on foot, {unequal} of another cost than by A*",
    )


def _customized(contraction: Contraction, metric: Metric) -> tuple[CustomizedMetrics, float]:
    """So many metrics like one, and the least of a few times taken; the first one touches fresh memory."""
    customizer = Customizer(contraction, _METRICS)
    metrics = customizer.room()
    metrics.weight[:] = np.where(metric.weight >= 0, metric.weight + np.arange(_METRICS)[:, None], metric.weight)
    return metrics, min(_timed(partial(customizer.customize, metrics)) for _ in range(4))


def _peer(graph: Graph, order: Ints, metric: Metric, trips: Sequence[_Ends]) -> list[str]:
    if importlib.util.find_spec("routingkit_cch") is None:
        return []
    peer: ModuleType = importlib.import_module("routingkit_cch")
    weight = np.where(metric.weight >= 0, metric.weight.astype(np.int64), _CLOSED_FOR_PEER)
    hierarchy = peer.CCH(order.tolist(), graph.tail.tolist(), graph.head.tolist(), False)
    started = time.thread_time()
    query = peer.CCHQuery(peer.CCHMetric(hierarchy, weight.tolist()))
    prepared = time.thread_time() - started
    pairs = [tuple(int(graph.tail[end.arc]) for end in ends) for ends in trips]

    def ask(pair: tuple[int, ...]) -> object:
        return query.run(*pair).arc_path

    ask(pairs[0])
    theirs = [_timed(partial(ask, pair)) for pair in pairs]
    return [f"routingkit-cch {milliseconds(theirs)}, a metric in {1000 * prepared:.0f} ms"]


def _cost(path: Path | None) -> int | None:
    return None if path is None else path.cost


def _timed(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
