"""Visits drawn at random, and all their orders one by one: slow and plain."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from router.search.ordering import Visits


def drawn(seed: int, n: int, *, window_s: float | None = None, rate: float = 1.0, ways: float = 1.0) -> Visits:
    """Visits in a square of five kilometres; `ways` is the share of legs that exist, windows are about that long.

    Ways back are others than ways there, and what they cost beside time has little to do with their length.
    """
    chance = np.random.default_rng(seed)
    places = chance.uniform(0, 5000, (n + 2, 2))
    apart_m = np.hypot(*np.moveaxis(places[:, None] - places[None], 2, 0))
    seconds = np.rint(apart_m / 1.3 * chance.uniform(1, 1.3, apart_m.shape))
    extra = np.rint(seconds * chance.uniform(0, 3, apart_m.shape))
    extra[chance.random(apart_m.shape) >= ways] = np.inf
    earliest, latest = np.zeros(n), np.full(n, np.inf)
    if window_s is not None:
        earliest = np.rint(chance.uniform(0, 2000 * n, n))
        latest = earliest + np.rint(chance.uniform(0.2, 2, n) * window_s)
        free = chance.random(n) < 0.3
        earliest[free], latest[free] = 0.0, np.inf
    return Visits(seconds, extra, rate, np.rint(chance.uniform(0, 1800, n)), earliest, latest)


def all_costs(visits: Visits) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Each order that meets its windows, and what it costs."""
    n = len(visits.stay)
    for order in itertools.permutations(range(n)):
        clock, spent, stayed, here = 0.0, 0.0, 0.0, 0
        for visit in order:
            clock = max(clock + visits.seconds[here, visit + 1], visits.earliest[visit])
            spent += visits.extra[here, visit + 1]
            here = visit + 1
            if clock > visits.latest[visit]:
                break
            clock += visits.stay[visit]
            stayed += visits.stay[visit]
        else:
            spent += visits.extra[here, n + 1]
            if np.isfinite(spent):
                yield spent + visits.rate * (clock + visits.seconds[here, n + 1] - stayed), order
