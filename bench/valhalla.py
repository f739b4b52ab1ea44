"""Three of our routes against one of Valhalla's, on foot in Porto, CPU time of one thread.

Valhalla searches tiles that it makes of the same extract, by its own costs of walking, in this process and without
directions: it snaps, searches and answers in JSON. Ours are three whole routes, with doses and lines.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from air.places import Point
from bench.city import NOW, cpu_seconds, known_air, point_of, prepared_streets, real_roads, size_of, times_slower, trips
from bench.figures import Figure, milliseconds
from bench.peers import NoPeer, peer, valhalla_programs
from router.planner import Planner
from router.region import Region
from router.route import RouteRequest

_TRIPS: Final = 240
_STALE_AFTER: Final = timedelta(hours=3)

_Ask = Callable[[Point, Point], str]


def measure() -> Iterator[Figure]:
    """Asks both for the same walks of 0.5 to 20 km."""
    roads = real_roads()
    if roads is None:
        yield Figure("three of ours against one of Valhalla", "no real data: set CLEANAIR_REAL_DATA to its folder")
        return
    region = Region(prepared_streets())
    graph = region.graph
    ends = [(point_of(graph, trip.origin), point_of(graph, trip.destination)) for trip in trips(graph, _TRIPS)]
    planner = Planner([region], stale_after=_STALE_AFTER)
    planner.know(known_air(graph), NOW)
    requests = [RouteRequest(*pair) for pair in ends]
    for request in requests:
        planner.plan(request, NOW)
    ours = [cpu_seconds(partial(planner.plan, request, NOW)) for request in requests]
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        try:
            built, ask = _valhalla(roads / "porto_metro_highways.osm.pbf", Path(folder))
        except NoPeer as error:
            yield Figure(
                "three routes with doses and lines", milliseconds(ours), f"no Valhalla: {error}", size_of(graph)
            )
            return
        answers = [len(json.loads(ask(*pair))["trip"]["legs"]) for pair in ends]
        theirs = [cpu_seconds(partial(ask, *pair)) for pair in ends]
    assert answers == [1] * _TRIPS
    yield Figure(
        "three routes with doses and lines",
        milliseconds(ours),
        f"one route of Valhalla {milliseconds(theirs)}: {times_slower(theirs, ours):.3g} ×",
        f"{_TRIPS} walks of 0.5 to 20 km, {size_of(graph)}; Valhalla's tiles took {built:.1f} s",
    )


def _valhalla(extract: Path, folder: Path) -> tuple[float, _Ask]:
    """Builds tiles; returns how long that took, and what answers with a route. Raises NoPeer."""
    module = peer("valhalla")
    tiles, settings = folder / "tiles", folder / "valhalla.json"
    tiles.mkdir()
    config = module.get_config(tile_extract=folder / "none.tar", tile_dir=tiles)
    settings.write_text(json.dumps(config), encoding="utf-8")
    started = time.perf_counter()
    done = subprocess.run(
        [valhalla_programs() / "valhalla_build_tiles", "-c", settings, extract], check=False, capture_output=True
    )
    if done.returncode:
        raise NoPeer("its tiles could not be built")
    actor = module.Actor(str(settings))

    def ask(origin: Point, destination: Point) -> str:
        request = {
            "locations": [{"lat": point.latitude, "lon": point.longitude} for point in (origin, destination)],
            "costing": "pedestrian",
            "directions_type": "none",
        }
        answer: str = actor.route(json.dumps(request))
        return answer

    return time.perf_counter() - started, ask
