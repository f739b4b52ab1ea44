"""The router's engine, CPU time of one thread: search and whole requests. The peer is networkx on the same weights.

Streets are Porto's where the real data is (CLEANAIR_REAL_DATA), else the simulated city's; the air is made by hand.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import networkx as nx
import numpy as np

from air.geodesy import distance_m
from air.places import Network, Point, Station
from air.pollutants import Pollutant, ug_m3_per_unit
from bench.contraction import contraction_figures
from bench.figures import Figure, milliseconds
from router.exposure.field import AirField
from router.exposure.forecast import Quantiles, StationForecast
from router.graph.graph import Access, Graph
from router.graph.networkx_graph import to_networkx
from router.graph.osm import import_extract
from router.known_air import KnownAir
from router.modes import TravelMode, is_open, seconds
from router.planner import Planner
from router.region import Region
from router.route import Plan, RouteRequest, RouteType
from router.search.components import strong_components
from router.search.engine import Engine, Place
from router.search.metric import Metric

_ROOT: Final = Path(__file__).resolve().parent.parent
_TRIPS: Final = 200
_TRIPS_OF_PEER: Final = 20
_STATIONS: Final = 25
_SHORTEST_M, _LONGEST_M = 500.0, 6000.0
_NOW: Final = datetime(2025, 11, 3, 8, 35, tzinfo=UTC)

_Trip = tuple[int, int]


def measure() -> Iterator[Figure]:
    """Prepares the streets, then asks for trips of 0.5 to 6 km between random places of the largest component."""
    graph, source = _streets()
    size = f"{source}: {graph.node_count:,} nodes, {graph.arc_count:,} arcs"
    started = time.thread_time()
    planner = Planner([Region(graph)], stale_after=timedelta(hours=3))
    yield Figure("prepare a graph for planning", f"{time.thread_time() - started:.1f} s", "", size)
    started = time.thread_time()
    planner.know(KnownAir(_air(graph)), _NOW)
    yield Figure(
        "take in a new field, for three modes",
        f"{(time.thread_time() - started) * 1000:.0f} ms",
        "",
        f"{_STATIONS} stations",
    )
    trips = _trips(graph)
    yield from _search(graph, trips)
    plans, taken = _plans(graph, planner, trips)
    yield Figure("three routes with doses and lines", milliseconds(taken), "", f"{len(plans)} trips on foot")
    yield from _savings(plans)


def _search(graph: Graph, trips: Sequence[_Trip]) -> Iterator[Figure]:
    engine = Engine(graph)
    metric = Metric.of(seconds(graph, TravelMode.WALK) * 1000, graph.length_m, is_open(graph, TravelMode.WALK))
    net = to_networkx(graph, metric.weight, Access.FOOT)
    few = trips[:_TRIPS_OF_PEER]
    places = [(_place(graph, a), _place(graph, b)) for a, b in trips]
    guess = _straight_guess(graph, metric)
    peers: dict[bool, Callable[[_Trip], object]] = {
        False: lambda trip: nx.dijkstra_path(net, *trip),
        True: lambda trip: nx.astar_path(net, *trip, heuristic=guess),
    }
    for guided, name in ((False, "Dijkstra"), (True, "A*")):
        ours = [_timed(partial(engine.find, metric, *ends, guided=guided)) for ends in (places[0], *places)][1:]
        theirs = [_timed(partial(peers[guided], trip)) for trip in few]
        ratio = np.median(theirs) / np.median(ours[: len(few)])
        yield Figure(
            f"fastest way, {name}",
            milliseconds(ours),
            f"networkx {milliseconds(theirs)}: {ratio:.0f} × on {len(few)} of them",
            f"{len(trips)} trips on foot",
        )
    yield from contraction_figures(graph, metric, places)


def _plans(graph: Graph, planner: Planner, trips: Sequence[_Trip]) -> tuple[list[Plan], list[float]]:
    plans, taken = [], []
    for a, b in trips:
        request = RouteRequest(_point(graph, a), _point(graph, b))
        started = time.thread_time()
        plans.append(planner.plan(request, _NOW))
        taken.append(time.thread_time() - started)
    return plans, taken


def _savings(plans: Sequence[Plan]) -> Iterator[Figure]:
    routes = [{route.route_type: route for route in plan.routes} for plan in plans]
    compared = [(ways[RouteType.HEALTHIEST].compared_to_fastest, ways[RouteType.FASTEST]) for ways in routes]
    saved = [100 * c.dose_saved for c, _ in compared if c is not None and c.dose_saved is not None]
    added = [100 * c.added_seconds / fastest.seconds for c, fastest in compared if c is not None]
    same = np.mean([c is not None and c.added_seconds == 0 and c.added_m == 0 for c, _ in compared])
    p50, p90 = np.percentile(saved, [50, 90])
    time50, time90 = np.percentile(added, [50, 90])
    yield Figure(
        "dose saved by the healthiest way",
        f"median {p50:.1f} %, p90 {p90:.1f} %",
        f"fastest way; added time median {time50:.1f} %, p90 {time90:.1f} %",
        f"the same way in {100 * same:.0f} % of trips",
    )


def _streets() -> tuple[Graph, str]:
    real = Path(os.environ.get("CLEANAIR_REAL_DATA", _ROOT.parent / "shared" / "data"))
    extract = real / "roads" / "porto_metro_highways.osm.pbf"
    if extract.is_file():
        return import_extract(extract)[0], "Porto"
    from simulation.city import ensure_city

    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        return import_extract(ensure_city(Path(folder)))[0], "simulated city"


def _air(graph: Graph) -> AirField | None:
    """Stations at random nodes, with NO2 of 40 to 95 and PM2.5 of 15 to 40 µg/m³."""
    rng = np.random.default_rng(1)

    def quantiles(pollutant: Pollutant, ug_m3: float) -> Quantiles:
        told = ug_m3 / ug_m3_per_unit(pollutant)
        return Quantiles((told * 0.6,) * 72, (told,) * 72, (told * 1.5,) * 72, (told * 1.05,) * 72)

    return AirField.of(
        StationForecast(
            Station(f"station {number}", "", _point(graph, int(rng.integers(graph.node_count))), Network.URBAN),
            _NOW.replace(minute=0),
            tuple(range(1, 73)),
            {
                Pollutant.NO2: quantiles(Pollutant.NO2, rng.uniform(40, 95)),
                Pollutant.PM25: quantiles(Pollutant.PM25, rng.uniform(15, 40)),
            },
        )
        for number in range(_STATIONS)
    )


def _trips(graph: Graph) -> list[_Trip]:
    """Pairs of crossings between which one may walk both ways."""
    walked = is_open(graph, TravelMode.WALK)
    two_way = walked & (graph.reverse >= 0) & walked[graph.reverse]
    joined = strong_components(graph.first_out, graph.head, two_way)
    crossings = np.unique(graph.tail[two_way & (joined[graph.tail] == 0)])
    rng, trips = np.random.default_rng(2), list[_Trip]()
    while len(trips) < _TRIPS:
        a, b = rng.choice(crossings, 2).tolist()
        apart = distance_m(*(array[[node]] for node in (a, b) for array in (graph.latitude, graph.longitude)))[0]
        if _SHORTEST_M < apart < _LONGEST_M:
            trips.append((a, b))
    return trips


def _straight_guess(graph: Graph, metric: Metric) -> Callable[[int, int], float]:
    """The heuristic of our A*, for networkx's."""
    phi, lam = np.radians(graph.latitude), np.radians(graph.longitude)
    unit = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1) * 6_371_008.8
    places = [tuple(place) for place in unit.tolist()]

    def guess(a: int, b: int) -> float:
        (ax, ay, az), (bx, by, bz) = places[a], places[b]
        return metric.least_per_meter * float(((ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2) ** 0.5)

    return guess


def _place(graph: Graph, node: int) -> Place:
    """The node, as the start of a street that may be walked both ways."""
    arcs = range(graph.first_out[node], graph.first_out[node + 1])
    arc = next(
        arc
        for arc in arcs
        if graph.reverse[arc] >= 0 and graph.access[arc] & graph.access[graph.reverse[arc]] & Access.FOOT
    )
    return Place(arc, 0.0, _point(graph, node), 0.0)


def _point(graph: Graph, node: int) -> Point:
    return Point(float(graph.latitude[node]), float(graph.longitude[node]))


def _timed(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
