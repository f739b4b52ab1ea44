"""Real streets: the compiled search against networkx, and routes that make sense, in Sinchon, Porto and Helsinki."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from air.geodesy import distance_m
from air.places import Point
from air.pollutants import Pollutant
from router.graph.graph import Graph
from router.graph.networkx_graph import to_networkx
from router.known_air import KnownAir
from router.modes import GAITS, PROFILES, TravelMode, is_open, seconds
from router.planner import Planner
from router.region import Region
from router.route import RouteRequest, RouteType
from router.search.engine import Engine, Place
from router.search.metric import Metric
from router.wayfinding import NoRoute
from tests.router.air_plan import NOW, field_of, forecast
from tests.router.real_streets import real_streets

pytestmark = pytest.mark.real_data

SINCHON, EWHA = Point(37.5553, 126.9369), Point(37.5605, 126.9463)


def at_tail(graph: Graph, arc: int) -> Place:
    node = graph.tail[arc]
    return Place(arc, 0.0, Point(float(graph.latitude[node]), float(graph.longitude[node])), 0.0)


def apart_m(a: Point, b: Point) -> float:
    return float(distance_m(np.array(a.latitude), np.array(a.longitude), np.array(b.latitude), np.array(b.longitude)))


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(("seoul_sinchon_ewha", mode) for mode in PROFILES),
        *(("monaco", mode) for mode in PROFILES),
        ("helsinki_central", TravelMode.WALK),
        ("helsinki_central", TravelMode.CAR),
    ],
)
def test_costs_are_those_of_networkx(real_data: Path, name: str, mode: TravelMode) -> None:
    graph, _ = real_streets(real_data, name)
    usable = is_open(graph, mode)
    metric = Metric.of(seconds(graph, mode) * 1000, graph.length_m, usable)
    net = to_networkx(graph, metric.weight, GAITS[mode].access)
    # From the end of a two-way street one may go anywhere at no cost, as from a node.
    both_ways = np.flatnonzero(usable & (graph.reverse >= 0) & usable[graph.reverse])
    engine, rng, reached = Engine(graph), np.random.default_rng(7), 0
    for start in rng.choice(both_ways, 4).tolist():
        costs = nx.single_source_dijkstra_path_length(net, int(graph.tail[start]))
        for end in rng.choice(both_ways, 60).tolist():
            expected = costs.get(int(graph.tail[end]))
            for guided in (False, True):
                path = engine.find(metric, at_tail(graph, start), at_tail(graph, end), guided=guided)
                assert (None if path is None else path.cost) == expected
            reached += expected is not None
    assert reached > 150


def test_across_sinchon(real_data: Path) -> None:
    graph, _ = real_streets(real_data, "seoul_sinchon_ewha")
    planner = Planner([Region(graph)], stale_after=timedelta(hours=3))
    station = forecast({Pollutant.NO2: 60.0, Pollutant.PM25: 25.0}, location=SINCHON)
    planner.know(KnownAir(field_of(station)), NOW)
    beeline = apart_m(SINCHON, EWHA)
    for mode in TravelMode:
        routes = planner.plan(RouteRequest(SINCHON, EWHA, travel_mode=mode), NOW).routes
        fastest, shortest, healthiest = routes
        assert beeline < shortest.length_m <= min(fastest.length_m, healthiest.length_m)
        assert fastest.seconds <= min(shortest.seconds, healthiest.seconds)
        assert fastest.length_m < 2.5 * beeline
        assert healthiest.compared_to_fastest is not None
        assert healthiest.compared_to_fastest.dose_saved is not None
        assert healthiest.compared_to_fastest.dose_saved >= 0
        for route in routes:
            along = distance_m(route.line[:-1, 0], route.line[:-1, 1], route.line[1:, 0], route.line[1:, 1]).sum()
            assert along == pytest.approx(route.length_m, rel=1e-4)


def test_almost_every_trip_within_porto_has_a_route(real_data: Path) -> None:
    graph, _ = real_streets(real_data, "porto_metro_highways")
    planner, rng, failed = Planner([Region(graph)], stale_after=timedelta(hours=3)), np.random.default_rng(7), 0
    for a, b in rng.choice(graph.node_count, (100, 2)).tolist():
        origin, destination = (Point(float(graph.latitude[node]), float(graph.longitude[node])) for node in (a, b))
        try:
            planner.plan(RouteRequest(origin, destination, route_types=(RouteType.FASTEST,)), NOW)
        except NoRoute:
            failed += 1
    assert failed <= 2
