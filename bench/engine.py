"""One healthiest way on many streets, CPU time of one thread; peers search by the same weights.

Streets are eight mirrored copies of Porto's where the real data is (CLEANAIR_REAL_DATA), else of the simulated city's;
the air is made by hand. igraph, networkx and routingkit-cch are fetched from PyPI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import networkx as nx
import numpy as np

from bench.city import (
    NOW,
    Trip,
    cpu_seconds,
    known_air,
    many_prepared_streets,
    many_streets,
    places,
    seconds_to_prepare,
    size_of,
    times_slower,
    trips,
)
from bench.figures import Figure, milliseconds
from bench.peers import NoPeer, peer
from router.exposure.metrics import Metrics
from router.graph.graph import Graph
from router.modes import TravelMode
from router.prepared import Prepared
from router.region import Region
from router.route import Algorithm, RouteType
from router.search.kernel import Ints
from router.traveller import Sensitivity
from router.wayfinding import Wayfinder

_TRIPS: Final = 240
_TRIPS_OF_NETWORKX: Final = 40
_CLOSED_FOR_PEER: Final = 2**31 - 1

_Ask = Callable[[Trip], object]


def measure() -> Iterator[Figure]:
    """Prepares the streets, then asks for walks of 0.5 to 20 km between random crossings."""
    graph = many_streets()
    contraction = many_prepared_streets().contraction
    yield Figure(
        "prepare a graph, once: it is kept with it",
        f"{seconds_to_prepare():.1f} s",
        "",
        f"{size_of(graph)}; {contraction.link_count:,} links, climbs of up to {contraction.height}",
    )
    yield from _searches(many_prepared_streets(), trips(graph, _TRIPS))


def _searches(prepared: Prepared, chosen: Sequence[Trip]) -> Iterator[Figure]:
    region, graph = Region(prepared), prepared.graph
    background = Wayfinder(region, known_air(graph), NOW, TravelMode.WALK).background(NOW) or region.air.nothing
    region.make_ready(background)
    region.warm_up()
    ends = places(graph, chosen)
    what = (RouteType.HEALTHIEST, TravelMode.WALK, Sensitivity.NORMAL, background)
    ours: dict[Algorithm, list[float]] = {}
    for algorithm in Algorithm:
        asks = [partial(region.find, *what, *pair, algorithm) for pair in ends]
        asks[0]()
        ours[algorithm] = [cpu_seconds(ask) for ask in asks]
    fast = ours.pop(Algorithm.CONTRACTION_HIERARCHY)
    weight = Metrics(graph, prepared.contraction, region.air, hours_kept=0).plain(*what).weight
    for name, count, ask in _peers(prepared, weight):
        if isinstance(ask, NoPeer):
            yield Figure(f"healthiest way, {name}", f"not measured: {ask}")
            continue
        theirs = [cpu_seconds(partial(ask, trip)) for trip in chosen[:count]]
        yield Figure(
            "healthiest way with its path, contraction hierarchy",
            milliseconds(fast),
            f"{name} {milliseconds(theirs)}: {times_slower(theirs, fast[:count]):.3g} ×",
            f"{count} walks of 0.5 to 20 km",
        )
    for algorithm, taken in ours.items():
        yield Figure(
            f"healthiest way with its path, {algorithm}",
            milliseconds(taken),
            f"contraction hierarchy: {times_slower(taken, fast):.1f} × faster",
            f"the same {len(chosen)} walks",
        )


def _peers(prepared: Prepared, weight: Ints) -> Iterator[tuple[str, int, _Ask | NoPeer]]:
    """Each peer's name, how many trips it has the time for, and what answers one."""
    for name, count, make in (
        ("routingkit-cch, with our order", _TRIPS, partial(_routingkit, prepared, weight)),
        ("igraph", _TRIPS, partial(_igraph, prepared.graph, weight)),
        ("networkx, bidirectional Dijkstra", _TRIPS_OF_NETWORKX, partial(_networkx, prepared.graph, weight)),
    ):
        try:
            ask: _Ask | NoPeer = make()
        except NoPeer as error:
            ask = error
        yield name, count, ask


def _routingkit(prepared: Prepared, weight: Ints) -> _Ask:
    module, graph, order = peer("routingkit_cch"), prepared.graph, np.argsort(prepared.contraction.rank)
    hierarchy = module.CCH(order.tolist(), graph.tail.tolist(), graph.head.tolist(), False)
    closed = np.where(weight >= 0, weight.astype(np.int64), _CLOSED_FOR_PEER)
    query = module.CCHQuery(module.CCHMetric(hierarchy, closed.tolist()))
    return lambda trip: query.run(trip.origin, trip.destination).arc_path


def _igraph(graph: Graph, weight: Ints) -> _Ask:
    net, _, weights = _open_arcs(graph, weight)
    drawn = peer("igraph").Graph(n=graph.node_count, edges=net, directed=True)
    return lambda trip: drawn.get_shortest_path(trip.origin, trip.destination, weights=weights, output="epath")


def _networkx(graph: Graph, weight: Ints) -> _Ask:
    ends, _, weights = _open_arcs(graph, weight)
    net: nx.DiGraph[int] = nx.DiGraph()
    net.add_nodes_from(range(graph.node_count))
    # Of arcs that run side by side the cheapest alone counts: it comes last.
    for number in np.argsort(-np.array(weights), kind="stable").tolist():
        net.add_edge(*ends[number], weight=weights[number])
    return lambda trip: nx.bidirectional_dijkstra(net, trip.origin, trip.destination)


def _open_arcs(graph: Graph, weight: Ints) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    arcs = np.flatnonzero(weight >= 0)
    ends = list(zip(graph.tail[arcs].tolist(), graph.head[arcs].tolist(), strict=True))
    return ends, arcs.tolist(), weight[arcs].tolist()
