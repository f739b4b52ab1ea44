"""A new hour of air on many streets, CPU time: all that requests need of it, made ready before they come.

That is the air on each street and sixteen metrics, four ways of moving by four sensitivities. Streets are as in
`engine`. While hours come, another thread goes on asking for ways; how long one is waited for is time on the clock,
less what others on the machine take of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from bench.city import NOW, cpu_seconds, known_air, many_prepared_streets, places, size_of, trips
from bench.figures import Figure, milliseconds
from router.modes import TravelMode
from router.region import Region
from router.route import Algorithm, RouteType
from router.search.engine import Place
from router.traveller import Sensitivity

_TIMES: Final = 5
_HOURS: Final = 24
_ROOMS: Final = 8
_TRIPS: Final = 240


def measure() -> Iterator[Figure]:
    """Brings hours in, the same a few times, then one after the other while others ask."""
    region = Region(many_prepared_streets())
    graph = region.graph
    region.warm_up()
    field = known_air(graph).field
    assert field is not None
    now = field.hour_at(NOW)
    assert now is not None

    def come(ahead: int) -> None:
        region.make_ready(region.background(field, now + ahead))

    for ahead in range(_ROOMS):
        come(ahead)  # touches memory that no hour had before
    once = [cpu_seconds(partial(come, ahead)) for ahead in range(_ROOMS, _HOURS)]
    yield Figure("a new hour live", f"{np.median(once):.2f} s; {min(once):.2f} s at best", "", size_of(graph))
    day = [cpu_seconds(partial(come, _HOURS + ahead)) for ahead in range(_HOURS)]
    yield Figure("24 hours", f"{sum(day):.1f} s", "", "the same streets")
    ends = places(graph, trips(graph, _TRIPS))
    background = region.background(field, now)

    def ask(pair: tuple[Place, Place]) -> None:
        region.find(
            RouteType.FASTEST, TravelMode.WALK, Sensitivity.NORMAL, background, *pair, Algorithm.CONTRACTION_HIERARCHY
        )

    ask(ends[0])

    def come_one_by_one() -> None:
        for ahead in range(_TIMES):
            come(2 * _HOURS + ahead)

    quiet = [_waited(partial(ask, pair)) for pair in ends]
    busy = _while_working(come_one_by_one, ask, ends)
    yield Figure(
        "the longest that a way is waited for while hours come",
        f"{1000 * max(busy):.1f} ms; {milliseconds(busy)}",
        f"with none coming {1000 * max(quiet):.1f} ms; {milliseconds(quiet)}",
        f"{len(busy):,} walks, {_TIMES} hours",
    )


def _while_working(
    work: Callable[[], object], ask: Callable[[tuple[Place, Place]], None], ends: Sequence[tuple[Place, Place]]
) -> list[float]:
    """How long each way is waited for while another thread works."""
    worker = threading.Thread(target=work)
    worker.start()
    waited = []
    while worker.is_alive():
        waited += [_waited(partial(ask, pair)) for pair in ends]
    worker.join()
    return waited


def _waited(work: Callable[[], object]) -> float:
    """Seconds on the clock, less those in which this thread could have gone on and had no processor."""
    started, queued = time.perf_counter(), _queued()
    work()
    return time.perf_counter() - started - (_queued() - queued)


def _queued() -> float:
    """How long this thread has waited for a processor, seconds, as Linux counts it."""
    return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
