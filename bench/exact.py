"""How often a way of the contraction hierarchy costs other than the best one: it must never.

Every metric, on real streets with their one-ways, from places in the middle of streets to others: networkx is asked
for the costs of the best ways by the same weights. Then between crossings of many streets, where routingkit-cch is
asked. Streets are those of `engine`, and the ones that they are copies of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from air.places import Point
from bench.city import NOW, known_air, many_prepared_streets, prepared_streets, size_of
from bench.figures import Figure
from bench.peers import NoPeer, peer
from router.exposure.metrics import Metrics
from router.graph.graph import Graph
from router.modes import PROFILES, TravelMode, is_open
from router.prepared import Prepared
from router.region import Region
from router.route import Algorithm, RouteType
from router.search.engine import Path, Place
from router.search.kernel import Ints
from router.traveller import Sensitivity
from router.wayfinding import Wayfinder

_FROM, _TO = 10, 1000
"""So many origins and destinations a metric; of each origin networkx finds the costs to everywhere at once."""

_PAIRS: Final = 10_000
_CLOSED_FOR_PEER: Final = 2**31 - 1
_SOURCE: Final = -1


class _What(NamedTuple):
    """One of the metrics."""

    route_type: RouteType
    mode: TravelMode
    sensitivity: Sensitivity


_METRICS: Final = (
    *(_What(kind, mode, Sensitivity.NORMAL) for kind in (RouteType.FASTEST, RouteType.SHORTEST) for mode in PROFILES),
    *(_What(RouteType.HEALTHIEST, mode, sensitivity) for mode, sensitivity in product(PROFILES, Sensitivity)),
)


class _Ways:
    """Asks one region in the air of one hour."""

    def __init__(self, prepared: Prepared) -> None:
        self.region = Region(prepared)
        self.graph = prepared.graph
        background = Wayfinder(self.region, known_air(self.graph), NOW, TravelMode.WALK).background(NOW)
        self._background = background or self.region.air.nothing
        self._metrics = Metrics(prepared.graph, prepared.contraction, self.region.air, hours_kept=0)

    def find(self, what: _What, origin: Place, destination: Place) -> Path | None:
        return self.region.find(*what, self._background, origin, destination, Algorithm.CONTRACTION_HIERARCHY)

    def weight(self, what: _What) -> Ints:
        return self._metrics.plain(*what, self._background).weight


def measure() -> Iterator[Figure]:
    """Counts the costs that differ."""
    ways, rng = _Ways(prepared_streets()), np.random.default_rng(3)
    counts = [_against_networkx(ways, what, rng) for what in _METRICS]
    one_way = [int(np.sum(_one_way(ways.graph, mode))) for mode in PROFILES]
    said = ", ".join(f"{count:,} for {mode}" for mode, count in zip(PROFILES, one_way, strict=True))
    yield Figure(
        "costs other than networkx's",
        f"{sum(other for other, _ in counts)} of {len(_METRICS)} × {_FROM * _TO:,} pairs",
        f"{sum(ends for _, ends in counts):,} of them joined by a way",
        f"{size_of(ways.graph)}; one-way arcs: {said}",
    )
    try:
        yield _against_routingkit(rng)
    except NoPeer as error:
        yield Figure("costs other than routingkit-cch's", f"not measured: {error}")


def _against_networkx(ways: _Ways, what: _What, rng: np.random.Generator) -> tuple[int, int]:
    """How many costs are others, and how many pairs are joined."""
    graph, weight = ways.graph, ways.weight(what)
    net: nx.DiGraph[int] = nx.DiGraph()
    net.add_nodes_from(range(_SOURCE, graph.node_count))
    arcs = np.flatnonzero(weight >= 0)
    # Of arcs that run side by side the cheapest alone counts: it comes last.
    arcs = arcs[np.argsort(-weight[arcs], kind="stable")]
    ends = graph.tail[arcs].tolist(), graph.head[arcs].tolist(), weight[arcs].tolist()
    net.add_weighted_edges_from(zip(*ends, strict=True))
    others = joined = 0
    destinations = _places(graph, arcs, _TO, rng)
    for origin in _places(graph, arcs, _FROM, rng):
        net.remove_edges_from(list(net.out_edges(_SOURCE)))
        starts = _sides(graph, weight, origin)
        for arc, at in sorted(starts, key=lambda side: -_part(weight, side[0], 1 - side[1])):
            net.add_edge(_SOURCE, int(graph.head[arc]), weight=_part(weight, arc, 1 - at))
        reached = nx.single_source_dijkstra_path_length(net, _SOURCE)
        for destination in destinations:
            last = _sides(graph, weight, destination)
            costs = [reached.get(int(graph.tail[arc]), math.inf) + _part(weight, arc, at) for arc, at in last]
            costs += [_part(weight, arc, to - at) for arc, at in starts for end, to in last if arc == end and at <= to]
            found = ways.find(what, origin, destination)
            best = min(costs, default=math.inf)
            joined += math.isfinite(best)
            others += (math.inf if found is None else found.cost) != best
    return others, joined


def _places(graph: Graph, arcs: NDArray[np.int64], count: int, rng: np.random.Generator) -> list[Place]:
    """Anywhere on the arcs."""
    chosen, at = rng.choice(arcs, count), rng.uniform(0, 1, count)
    return [Place(int(arc), float(share), _point(graph, int(arc)), 0.0) for arc, share in zip(chosen, at, strict=True)]


def _point(graph: Graph, arc: int) -> Point:
    node = int(graph.tail[arc])
    return Point(float(graph.latitude[node]), float(graph.longitude[node]))


def _sides(graph: Graph, weight: Ints, place: Place) -> list[tuple[int, float]]:
    """The open arcs on which a place lies, and how far along each."""
    both = (place.arc, place.fraction), (int(graph.reverse[place.arc]), 1 - place.fraction)
    return [(arc, at) for arc, at in both if arc >= 0 and weight[arc] >= 0]


def _part(weight: Ints, arc: int, share: float) -> int:
    """The cost of a share of an arc, rounded up."""
    return math.ceil(float(weight[arc]) * share)


def _one_way(graph: Graph, mode: TravelMode) -> NDArray[np.bool_]:
    allowed = is_open(graph, mode)
    closed: NDArray[np.bool_] = allowed & ~((graph.reverse >= 0) & allowed[graph.reverse])
    return closed


def _against_routingkit(rng: np.random.Generator) -> Figure:
    module = peer("routingkit_cch")
    prepared = many_prepared_streets()
    ways, graph = _Ways(prepared), prepared.graph
    order = np.argsort(prepared.contraction.rank)
    hierarchy = module.CCH(order.tolist(), graph.tail.tolist(), graph.head.tolist(), False)
    others = 0
    for mode in PROFILES:
        what = _What(RouteType.HEALTHIEST, mode, Sensitivity.NORMAL)
        weight = ways.weight(what)
        closed = np.where(weight >= 0, weight.astype(np.int64), _CLOSED_FOR_PEER)
        query = module.CCHQuery(module.CCHMetric(hierarchy, closed.tolist()))
        # The start of an arc that is open both ways is a crossing, as a place.
        arcs = np.flatnonzero(is_open(graph, mode) & ~_one_way(graph, mode))
        for first, last in rng.choice(arcs, (_PAIRS, 2)).tolist():
            places = [Place(arc, 0.0, _point(graph, arc), 0.0) for arc in (first, last)]
            found = ways.find(what, *places)
            cost = query.run(int(graph.tail[first]), int(graph.tail[last])).distance
            is_joined = cost is not None and cost < _CLOSED_FOR_PEER
            others += (None if found is None else found.cost) != (cost if is_joined else None)
    return Figure(
        "costs other than routingkit-cch's", f"{others} of {len(PROFILES)} × {_PAIRS:,} pairs", "", size_of(graph)
    )
