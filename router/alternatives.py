"""The use case: a few ways to choose from, from the fastest to the cleanest, none both slower and dirtier than another.

They are of the exact front of time against load in the hour of departure, thinned; their figures are told, as of all
ways, with each arc in its own hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from mesh.errors import OutOfRange
from router.graph.graph import SHORTEST_ARC_M, Graph
from router.route import RouteType
from router.search.engine import Path, Place
from router.search.front import Front
from router.search.kernel import Longs
from router.way import Way
from router.wayfinding import Wayfinder

MOST: Final = 5
"""More than this nobody chooses from."""

LONGEST_S: Final = 3600.0
"""A longer fastest way has no alternatives: their number grows with its length, and the air meanwhile changes."""

STRETCH: Final = 2.0
"""No alternative takes longer than the fastest way by more than this factor: nobody would take it."""

LEAST_SECONDS: Final = 30.0
"""Between two alternatives there is at least so much time."""

LEAST_SAVING: Final = 0.01
"""Between two alternatives there is at least this share of the fastest way's load."""

MOST_IN_COMMON: Final = 0.9
"""No two alternatives run together on more than this share of the shorter one: they would look like one."""


class TripTooLong(OutOfRange):
    """The fastest way takes longer than alternatives are told for; `metadata["limit_seconds"]` says how long."""

    reason = "TRIP_TOO_LONG_FOR_ALTERNATIVES"


def alternatives(finder: Wayfinder, departure: datetime, origin: Place, destination: Place) -> tuple[Way, ...]:
    """Up to MOST ways by rising time and falling load; the first is the fastest.

    Raises:
        TripTooLong: The fastest takes longer than LONGEST_S.
        FrontTooLarge: There are too many ways to weigh.
        NoRoute: There is none.
        EqualEnds: Both ends are one place.
    """
    fastest = finder.find(RouteType.FASTEST, departure, origin, destination)
    if fastest.seconds > LONGEST_S:
        raise TripTooLong(
            f"The fastest way takes {fastest.seconds / 60:.0f} minutes; alternatives are told where it takes"
            f" {LONGEST_S / 60:.0f} at most: ask without ALTERNATIVE, or for a shorter trip.",
            field="route_types",
            metadata={"limit_seconds": f"{LONGEST_S:.0f}"},
        )
    front = finder.region.front(finder.mode, finder.background(departure), origin, destination, stretch=STRETCH)
    if front is None:
        return (fastest,)
    chosen = thinned(finder.region.graph, front, fastest.seconds / int(front.first[0]))
    return undominated([fastest, *(finder.way(front.paths[which], departure) for which in chosen[1:])])


def thinned(graph: Graph, front: Front, unit_s: float) -> list[int]:
    """The ways of a front to choose from, at most MOST, by their indices: its ends, and what is worth most between.

    What a way is worth is by how much the area grows that the ways chosen dominate, between the ends of the front. It
    must differ from each of those in time, in load and in streets.

    Args:
        graph: The streets.
        front: Of time against load.
        unit_s: How long a unit of its time is, seconds.
    """
    time, load = front.first, front.second
    last = len(time) - 1
    chosen = [0, last] if last else [0]
    left = [which for which in range(1, last) if all(_differ(front, which, end, unit_s) for end in chosen)]
    while left and len(chosen) < MOST:
        best = max(left, key=lambda which: _gain(time, load, chosen, which))
        left.remove(best)
        if all(_in_common(graph, front.paths[best], front.paths[other]) <= MOST_IN_COMMON for other in chosen):
            chosen = sorted([*chosen, best])
            left = [which for which in left if _differ(front, which, best, unit_s)]
    return chosen


def undominated(ways: Sequence[Way]) -> tuple[Way, ...]:
    """The ways by rising time, each with less load than all before: in their own hours figures may have turned."""
    kept: list[Way] = []
    for way in sorted(ways, key=lambda way: (way.seconds, way.load)):
        if not kept or way.load < kept[-1].load:
            kept.append(way)
    return tuple(kept)


def _gain(time: Longs, load: Longs, chosen: Sequence[int], which: int) -> int:
    """The area between a way and its neighbours among those chosen, of which there are two."""
    after = int(np.searchsorted(chosen, which))
    sooner, later = chosen[after - 1], chosen[after]
    return int(time[later] - time[which]) * int(load[sooner] - load[which])


def _differ(front: Front, a: int, b: int, unit_s: float) -> bool:
    seconds = abs(int(front.first[a] - front.first[b])) * unit_s
    saving = abs(int(front.second[a] - front.second[b])) / int(front.second[0])
    return seconds >= LEAST_SECONDS and saving >= LEAST_SAVING


def _in_common(graph: Graph, a: Path, b: Path) -> float:
    """The share of the shorter of two ways on which both run."""
    own = [graph.length_m[path.arcs] * path.portions() for path in (a, b)]
    _, in_a, in_b = np.intersect1d(a.arcs, b.arcs, return_indices=True)
    shared = float(np.minimum(own[0][in_a], own[1][in_b]).sum())
    return shared / max(min(float(part.sum()) for part in own), SHORTEST_ARC_M)
