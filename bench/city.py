"""A city to measure the router in: real streets where the real data is, trips on them, and air made by hand."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from air.geodesy import distance_m
from air.places import Network, Point, Station
from air.pollutants import Pollutant, ug_m3_per_unit
from bench.tiling import tiled
from router.exposure.field import AirField
from router.exposure.forecast import Quantiles, StationForecast
from router.graph.graph import Graph
from router.graph.osm import import_extract
from router.known_air import KnownAir
from router.modes import TravelMode, is_open
from router.prepared import Prepared, prepare
from router.search.components import strong_components
from router.search.engine import Place

NOW: Final = datetime(2025, 11, 3, 8, 35, tzinfo=UTC)
"""When everybody leaves."""

_ROOT: Final = Path(__file__).resolve().parent.parent
_STATIONS: Final = 25
_SHORTEST_M, _LONGEST_M = 500.0, 20_000.0
_COLUMNS, _ROWS = 4, 2


@dataclass(frozen=True, slots=True)
class Trip:
    """From a crossing to another; one may walk between them both ways."""

    origin: int
    destination: int


def real_roads() -> Path | None:
    """The folder of real extracts, under CLEANAIR_REAL_DATA; None where there is none."""
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", _ROOT.parent / "shared" / "data")) / "roads"
    return folder if folder.is_dir() else None


@cache
def streets() -> Graph:
    """Porto's, or the simulated city's."""
    roads = real_roads()
    if roads is not None:
        return import_extract(roads / "porto_metro_highways.osm.pbf")[0]
    from simulation.city import ensure_city

    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        return import_extract(ensure_city(Path(folder)))[0]


@cache
def many_streets() -> Graph:
    """Eight mirrored copies of them, joined: three times as many streets as Seoul has."""
    return tiled(streets(), _COLUMNS, _ROWS)


@cache
def prepared_streets() -> Prepared:
    """Ready to be served."""
    return prepare(streets())


def many_prepared_streets() -> Prepared:
    """Likewise many of them."""
    return _many_prepared()[0]


def seconds_to_prepare() -> float:
    """The CPU time that they took, once what prepares them was compiled."""
    return _many_prepared()[1]


@cache
def _many_prepared() -> tuple[Prepared, float]:
    prepared_streets()
    started = time.thread_time()
    prepared = prepare(many_streets())
    return prepared, time.thread_time() - started


def size_of(graph: Graph) -> str:
    """What a figure was measured on."""
    return f"{graph.name}: {graph.node_count:,} nodes, {graph.arc_count:,} arcs"


def forecasts(graph: Graph) -> tuple[StationForecast, ...]:
    """Stations at random nodes, with NO2 of 40 to 95 and PM2.5 of 15 to 40 µg/m³."""
    rng = np.random.default_rng(1)

    def quantiles(pollutant: Pollutant, ug_m3: float) -> Quantiles:
        told = ug_m3 / ug_m3_per_unit(pollutant)
        return Quantiles.without_mean((told * 0.6,) * 72, (told,) * 72, (told * 1.5,) * 72)

    return tuple(
        StationForecast(
            Station(f"station {number}", "", point_of(graph, int(rng.integers(graph.node_count))), Network.URBAN),
            NOW.replace(minute=0),
            tuple(range(1, 73)),
            {
                Pollutant.NO2: quantiles(Pollutant.NO2, rng.uniform(40, 95)),
                Pollutant.PM25: quantiles(Pollutant.PM25, rng.uniform(15, 40)),
            },
        )
        for number in range(_STATIONS)
    )


def known_air(graph: Graph) -> KnownAir:
    """What the router knows when these forecasts have come."""
    return KnownAir(AirField.of(forecasts(graph)))


def trips(graph: Graph, count: int, longest_m: float = _LONGEST_M) -> list[Trip]:
    """Trips of half a kilometre and more, the same in every run; half of them are shorter than half the longest."""
    walked = is_open(graph, TravelMode.WALK)
    two_way = walked & (graph.reverse >= 0) & walked[graph.reverse]
    joined = strong_components(graph.first_out, graph.head, two_way)
    crossings = np.unique(graph.tail[two_way & (joined[graph.tail] == 0)])
    rng, found = np.random.default_rng(2), list[Trip]()
    while len(found) < count:
        origin = int(rng.choice(crossings))
        here = graph.latitude[[origin]], graph.longitude[[origin]]
        away = distance_m(*here, graph.latitude[crossings], graph.longitude[crossings])
        wanted = rng.uniform(_SHORTEST_M, longest_m)
        near = int(np.argmin(np.abs(away - wanted)))
        if abs(away[near] - wanted) < _SHORTEST_M / 2:
            found.append(Trip(origin, int(crossings[near])))
    return found


def places(graph: Graph, chosen: Sequence[Trip]) -> list[tuple[Place, Place]]:
    """The ends of trips, each as the start of a street that may be walked both ways."""
    walked = is_open(graph, TravelMode.WALK)
    two_way = walked & (graph.reverse >= 0) & walked[graph.reverse]

    def place(node: int) -> Place:
        arcs = np.arange(graph.first_out[node], graph.first_out[node + 1])
        return Place(int(arcs[two_way[arcs]][0]), 0.0, point_of(graph, node), 0.0)

    return [(place(trip.origin), place(trip.destination)) for trip in chosen]


def point_of(graph: Graph, node: int) -> Point:
    """Where a node is."""
    return Point(float(graph.latitude[node]), float(graph.longitude[node]))


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time that this thread takes for it."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def times_slower(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times a peer's median is ours."""
    return float(np.median(theirs) / np.median(ours))
