"""The order of stops: the exact search, the memetic one beside a plain genetic one, and whole requests.

CPU time of one thread. Orders are of stops drawn in a square of five kilometres, with ways back that are others than
ways there; whole requests are walks to crossings of real streets, so that the matrix of ways is part of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from bench.city import NOW, cpu_seconds, known_air, point_of, size_of, streets, trips
from bench.figures import Figure, milliseconds
from router.planner import Planner
from router.region import Region
from router.search.memetic import good_order
from router.search.ordering import MOST_EXACT, Visits, best_order, in_order
from router.stops import Stop, StopsRequest, order_stops, warm_up
from tests.router.search.orders import drawn

Longs = NDArray[np.int64]

_INSTANCES: Final = 20
_MANY: Final = 30
_WINDOW_S: Final = 6000.0
_POPULATION, _GENERATIONS, _ELITE, _RIVALS, _SWAPPED = 100, 200, 2, 5, 0.8
_EQUAL: Final = 1 + 1e-9
_REQUESTS: Final = {12: 5, 50: 2}


def measure() -> Iterator[Figure]:
    """Measures on drawn stops, then on real streets."""
    warm_up()
    yield from _few()
    yield from _many()
    yield from _requests()


def _few() -> Iterator[Figure]:
    instances = [drawn(seed, MOST_EXACT) for seed in range(_INSTANCES)]
    size = f"{_INSTANCES} × {MOST_EXACT} stops"
    best = [best_order(visits) for visits in instances]
    least = [order.cost for order in best if order is not None]
    good = sum(good_order(v).cost <= c * _EQUAL for v, c in zip(instances, least, strict=True))
    plain = sum(_plain_genetic(v) <= c * _EQUAL for v, c in zip(instances, least, strict=True))
    yield Figure("exact order", milliseconds([cpu_seconds(partial(best_order, v)) for v in instances]), "", size)
    in_windows = [drawn(seed, MOST_EXACT, window_s=_WINDOW_S) for seed in range(_INSTANCES)]
    taken = [cpu_seconds(partial(best_order, visits)) for visits in in_windows]
    yield Figure("exact order, time windows", milliseconds(taken), "", size)
    peer = f"plain genetic {_POPULATION} × {_GENERATIONS}: the best in {plain} of {_INSTANCES}"
    taken = [cpu_seconds(partial(good_order, visits)) for visits in instances]
    yield Figure("memetic order", f"the best in {good} of {_INSTANCES}; {milliseconds(taken)}", peer, size)


def _many() -> Iterator[Figure]:
    instances = [drawn(seed, _MANY) for seed in range(_INSTANCES)]
    ours = np.array([good_order(visits).cost for visits in instances])
    nearest = np.array([_nearest_next(visits) for visits in instances])
    plain = np.array([_plain_genetic(visits) for visits in instances])
    taken = [cpu_seconds(partial(good_order, visits)) for visits in instances]
    yield Figure(
        "memetic order",
        milliseconds(taken),
        f"costs {1 - np.mean(ours / nearest):.0%} less than nearest next, {1 - np.mean(ours / plain):.0%} less than"
        f" plain genetic {_POPULATION} × {_GENERATIONS}",
        f"{_INSTANCES} × {_MANY} stops",
    )


def _requests() -> Iterator[Figure]:
    graph = streets()
    planner = Planner([Region(graph)], stale_after=timedelta(hours=3))
    planner.know(known_air(graph), NOW)
    for stops, times in _REQUESTS.items():
        asked = []
        for number in range(times):
            picked = trips(graph, (number + 1) * (stops + 1), 6000.0)[number * (stops + 1) :]
            first, *others = [point_of(graph, trip.origin) for trip in picked[: stops + 1]]
            asked.append(StopsRequest(first, tuple(Stop(point) for point in others)))
        order_stops(planner, asked[0], NOW)
        taken = [cpu_seconds(partial(order_stops, planner, request, NOW)) for request in asked]
        size = f"{times} × {stops} stops, {size_of(graph)}"
        yield Figure("whole request: ways between all, order, legs", milliseconds(taken), "", size)


def _costs(visits: Visits) -> Floats:
    """The matrix of what legs cost, where there are no windows."""
    return visits.extra + visits.rate * visits.seconds


def _nearest_next(visits: Visits) -> float:
    cost, here, order = _costs(visits), 0, list[int]()
    while len(order) < len(visits.stay):
        left = [visit for visit in range(len(visits.stay)) if visit not in order]
        order.append(min(left, key=lambda visit: float(cost[here, visit + 1])))
        here = order[-1] + 1
    return in_order(visits, order).cost


def _plain_genetic(visits: Visits) -> float:
    """As one finds it in textbooks: tournaments of five, order crossover, swaps, the two best go on as they are."""
    chance, cost, n = np.random.default_rng(1), _costs(visits), len(visits.stay)
    orders = np.argsort(chance.random((_POPULATION, n)), axis=1)

    def costs() -> Floats:
        ends = np.zeros((_POPULATION, 1), dtype=orders.dtype), np.full((_POPULATION, 1), n + 1)
        whole = np.concatenate([ends[0], orders + 1, ends[1]], axis=1)
        summed: Floats = cost[whole[:, :-1], whole[:, 1:]].sum(axis=1)
        return summed

    for _ in range(_GENERATIONS):
        fitness = costs()
        best = np.argsort(fitness)[:_ELITE]
        rivals = chance.integers(_POPULATION, size=(2, _POPULATION, _RIVALS))
        mothers, fathers = np.take_along_axis(rivals, fitness[rivals].argmin(axis=2)[..., None], axis=2)[..., 0]
        children = np.array([_cross(orders[m], orders[f], chance) for m, f in zip(mothers, fathers, strict=True)])
        children[:_ELITE] = orders[best]
        orders = children
    return float(costs().min())


def _cross(mother: Longs, father: Longs, chance: np.random.Generator) -> Longs:
    first, last = sorted(chance.integers(len(mother), size=2))
    kept = mother[first : last + 1]
    others = father[~np.isin(father, kept)]
    child = np.concatenate([others[:first], kept, others[first:]])
    if chance.random() < _SWAPPED:
        one, two = chance.integers(len(child), size=2)
        child[[one, two]] = child[[two, one]]
    return child
