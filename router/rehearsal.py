"""Has all compiled that a router runs, by playing it through once on two streets of its own.

Machine code depends on the types of what it is given, and not on the city. So the first start of a mesh can compile
while its city is still being made: `python -m router.rehearsal`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from router.machine_code import keep_machine_code
from router.settings import RouterSettings

if TYPE_CHECKING:
    from router.graph.graph import Graph

_ANY_TIME: Final = timedelta(days=1)
_CORNER: Final = ((0, 0), (10_000, 0), (10_000, 10_000))
"""Longitude and latitude of the streets' ends, in 1e-7 degrees."""


def rehearse(settings: RouterSettings) -> None:
    """Finds every kind of way once."""
    from router import stops
    from router.exposure.street import influence_of_roads
    from router.planner import Planner
    from router.prepared import Prepared
    from router.region import Region
    from router.search.contraction import contract
    from router.search.landmarks import landmarks_of
    from router.search.shapes import Shapes

    streets = _streets()
    # In this order, and not in the best, which takes as long again to compile: it is for who imports a city.
    order = np.arange(streets.node_count, dtype=np.int32)
    prepared = Prepared(
        graph=streets,
        contraction=contract(streets.tail, streets.head, order),
        influence=influence_of_roads(streets, Shapes(streets)),
        landmarks=landmarks_of(streets),
    )
    Planner([], stale_after=_ANY_TIME).try_out(Region(prepared), settings.clock()())
    stops.warm_up()


def _streets() -> Graph:
    from router.graph.assembly import assemble
    from router.graph.graph import ANYONE, RoadClass
    from router.graph.pieces import Ways

    longitude, latitude = np.array(_CORNER, dtype=np.int32).T.copy()
    ways, anyone = np.zeros(1, dtype=np.int64), np.array([int(ANYONE)], dtype=np.int64)
    nothing = np.zeros(0, dtype=np.int64)
    return assemble(
        "two streets",
        Ways(
            size=ways + len(_CORNER),
            node=np.arange(len(_CORNER), dtype=np.int64),
            x=longitude,
            y=latitude,
            road_class=ways + int(RoadClass.LOCAL),
            forward=anyone,
            backward=anyone,
            speed_limit_kmh=ways + 30,
            grade_percent=ways,
            street=ways,
            streets=("",),
            parks=(),
            greens=(),
            barriers=nothing,
            stopped=nothing,
            simulated=True,
        ),
    )


if __name__ == "__main__":
    router = RouterSettings()
    keep_machine_code(router)
    rehearse(router)
