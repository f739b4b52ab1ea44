"""The front of time against dose, and the best time to leave: CPU time of one thread.

Streets are central Helsinki's where the real data is (CLEANAIR_REAL_DATA), as no others at hand are as dense, else the
simulated city's. The air is made by hand, with a course over the day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from bench.city import NOW, cpu_seconds, forecasts, places, prepared_streets, real_roads, size_of, trips
from bench.figures import Figure
from router.alternatives import LONGEST_S, STRETCH, alternatives
from router.departures import departures
from router.exposure.field import AirField
from router.exposure.forecast import Quantiles, StationForecast
from router.graph.graph import Graph
from router.graph.osm import import_extract
from router.known_air import KnownAir
from router.modes import TravelMode
from router.prepared import Prepared, prepare
from router.region import Region
from router.route import RouteType
from router.search.engine import Place
from router.search.front import Front
from router.search.kernel import Longs
from router.wayfinding import Wayfinder, apart_m

_TRIPS: Final = 200
_LONG_M, _LONGEST_M = 3500.0, 5000.0
_WINDOW_HOURS: Final = 24


def measure() -> Iterator[Figure]:
    """Walks of up to 5 km, and the long ones among them."""
    region = Region(_streets())
    graph, finder = region.graph, Wayfinder(region, _known_air(region.graph), NOW, TravelMode.WALK)
    every = places(graph, trips(graph, _TRIPS, _LONGEST_M))
    long = [both for both in every if apart_m(both[0].point, both[1].point) > _LONG_M]
    background = finder.background(NOW)
    for ends, what in ((every, "0.5 to 5 km"), (long, "3.5 to 5 km")):
        ask = [partial(region.front, TravelMode.WALK, background, *both, stretch=STRETCH) for both in ends]
        fronts = [front for front in (search() for search in ask) if front is not None]
        sizes, exact = [len(front.paths) for front in fronts], sum(front.tolerance == 0.0 for front in fronts)
        yield Figure(
            f"exact front of time against load, walks of {what}",
            _times([cpu_seconds(search) for search in ask]),
            f"{exact} of {len(fronts)} exact; sums of both costs, however weighed, miss"
            f" {100 * np.mean([_missed(front) for front in fronts]):.0f} % of the ways",
            f"{len(ends)} walks, {size_of(graph)}; fronts of {np.median(sizes):.0f} ways at p50, {max(sizes)} at most",
        )
    walks = [both for both in every if finder.find(RouteType.FASTEST, NOW, *both).seconds <= LONGEST_S]
    chosen = [len(alternatives(finder, NOW, *both)) for both in walks]
    taken = [cpu_seconds(partial(alternatives, finder, NOW, *both)) for both in walks]
    size = f"{len(walks)} walks of an hour at most; {np.mean(chosen):.1f} ways to choose from, in the mean"
    yield Figure("alternatives, thinned and with figures", _times(taken), "", size)
    yield from _windows(finder, every)


def _windows(finder: Wayfinder, ends: Sequence[tuple[Place, Place]]) -> Iterator[Figure]:
    ask = [partial(departures, finder, NOW, _WINDOW_HOURS, *both) for both in ends]
    departures(finder, NOW, 1, *ends[0])  # compiles
    first = cpu_seconds(ask[0])
    told = [search() for search in ask]
    yield Figure(
        f"best departure within {_WINDOW_HOURS} h",
        _times([cpu_seconds(search) for search in ask]),
        "",
        f"{len(told[0])} departures each; {1000 * first:.0f} ms where it must bring the hours' air first",
    )


def _missed(front: Front) -> float:
    """The share of ways that are best in no sum of both costs: those off the lower convex hull."""
    hull: list[int] = []
    for which in range(len(front.first)):
        while len(hull) > 1 and not _turns_left(front.first, front.second, hull[-2], hull[-1], which):
            hull.pop()
        hull.append(which)
    return 1.0 - len(hull) / len(front.first)


def _turns_left(x: Longs, y: Longs, a: int, b: int, c: int) -> bool:
    return int(x[b] - x[a]) * int(y[c] - y[a]) > int(x[c] - x[a]) * int(y[b] - y[a])


def _times(taken: Sequence[float]) -> str:
    p50, p99, most = np.percentile(np.asarray(taken) * 1000, [50, 99, 100])
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {most:.1f} ms"


def _streets() -> Prepared:
    roads = real_roads()
    return prepared_streets() if roads is None else prepare(import_extract(roads / "helsinki_central.osm.pbf")[0])


def _known_air(graph: Graph) -> KnownAir:
    return KnownAir(AirField.of(_over_the_day(forecast) for forecast in forecasts(graph)))


def _over_the_day(forecast: StationForecast) -> StationForecast:
    """The forecast with a course over the day: at night a half less, and each station at its own time."""
    shift = int(forecast.station.station_id.split()[-1]) % 4
    course = [1.0 + 0.5 * np.sin(2 * np.pi * (hour + shift) / 24) for hour in forecast.horizon_hours]
    return replace(
        forecast, series={pollutant: _times_course(told, course) for pollutant, told in forecast.series.items()}
    )


def _times_course(told: Quantiles, course: Sequence[float]) -> Quantiles:
    lower, median, upper = (
        tuple(float(value * share) for value, share in zip(values, course, strict=True))
        for values in (told.lower, told.median, told.upper)
    )
    return Quantiles.without_mean(lower, median, upper)
