"""Whole requests: three routes with doses and lines, in the process and through gRPC.

In the process it is CPU time of one thread: snapping, searching, times, lengths, doses and lines. Through gRPC it is
the time that a caller waits, on the same machine, for a router in a process of its own. Streets are as in `engine`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import grpc
import numpy as np
from cleanair.router.v1 import route_pb2, route_service_pb2, route_service_pb2_grpc

from bench.city import (
    NOW,
    cpu_seconds,
    forecasts,
    known_air,
    many_prepared_streets,
    point_of,
    prepared_streets,
    size_of,
    trips,
)
from bench.figures import Figure, milliseconds
from cli.readiness import serving
from mesh.settings import MeshSettings
from mesh.wire import point_to_wire
from router.graph.graph import Graph
from router.planner import Planner
from router.prepared import Prepared, save
from router.region import Region
from router.route import Plan, RouteRequest, RouteType
from tests.backing.ports import free_port
from tests.router.scripted_predictor import ScriptedPredictor, served

_TRIPS: Final = 240
_SAVING_TRIPS: Final = 200
_SAVING_LONGEST_M: Final = 6000.0
_WARM_UP: Final = 40
_READY_SECONDS: Final = 180.0
_STALE_AFTER: Final = timedelta(hours=3)


def measure() -> Iterator[Figure]:
    """Asks for walks of 0.5 to 20 km on many streets, then for shorter ones on real streets, for what they save."""
    prepared = many_prepared_streets()
    graph = prepared.graph
    requests = _requests(graph, _TRIPS)
    _, taken = _plans(prepared, requests)
    yield Figure(
        "three routes with snapping, doses, lines; CPU", milliseconds(taken), "", f"{_TRIPS} walks, {size_of(graph)}"
    )
    yield asyncio.run(_through_grpc(prepared, requests))
    prepared = prepared_streets()
    plans, _ = _plans(prepared, _requests(prepared.graph, _SAVING_TRIPS, _SAVING_LONGEST_M))
    yield from _savings(plans)


def _requests(graph: Graph, count: int, longest_m: float = 20_000.0) -> list[RouteRequest]:
    return [
        RouteRequest(point_of(graph, trip.origin), point_of(graph, trip.destination))
        for trip in trips(graph, count, longest_m)
    ]


def _plans(prepared: Prepared, requests: Sequence[RouteRequest]) -> tuple[list[Plan], list[float]]:
    """What is planned, and how long that takes when it is planned the second time: machine code is there by then."""
    planner = Planner([Region(prepared)], stale_after=_STALE_AFTER)
    planner.know(known_air(prepared.graph), NOW)
    plans = [planner.plan(request, NOW) for request in requests]
    return plans, [cpu_seconds(partial(planner.plan, request, NOW)) for request in requests]


async def _through_grpc(prepared: Prepared, requests: Sequence[RouteRequest]) -> Figure:
    predictor, port = ScriptedPredictor(), free_port()
    predictor.issue(*forecasts(prepared.graph))
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        file = Path(folder) / "streets.graph"
        save(prepared, file)
        settings = MeshSettings(data_dir=Path(folder), lame_duck_seconds=0)
        async with served(predictor, settings, free_port()) as predictor_port:
            process = _router(file, port, predictor_port)
            try:
                async with asyncio.timeout(_READY_SECONDS):
                    await serving(f"127.0.0.1:{port}")
                waited, worked = await asyncio.to_thread(_ask, f"127.0.0.1:{port}", process.pid, requests)
            finally:
                process.terminate()
                process.wait()
    said = f"the same walks, one after the other; the server's CPU: {milliseconds(worked)}"
    return Figure("three routes by gRPC", milliseconds(waited), "", said)


def _router(graph: Path, port: int, predictor_port: int) -> subprocess.Popen[bytes]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CLEANAIR_")}
    settings = {
        "CLEANAIR_DATA_DIR": str(graph.parent),
        "CLEANAIR_GRAPH_PATH": str(graph),
        "CLEANAIR_NOW": NOW.isoformat(),
        "CLEANAIR_LAME_DUCK_SECONDS": "0",
        "CLEANAIR_LOG_LEVEL": "ERROR",
        "CLEANAIR_ROUTER_PORT": str(port),
        "CLEANAIR_PREDICTOR_TARGET": f"127.0.0.1:{predictor_port}",
    }
    return subprocess.Popen([sys.executable, "-m", "cli", "serve", "router"], env=ours | settings)


def _ask(target: str, pid: int, requests: Sequence[RouteRequest]) -> tuple[list[float], list[float]]:
    """How long each answer takes, and how much of it the server's process works."""
    waited, worked = [], []
    with grpc.insecure_channel(target) as channel:
        stub = route_service_pb2_grpc.RouteServiceStub(channel)
        messages = [
            route_service_pb2.CalculateRoutesRequest(
                origin=point_to_wire(request.origin), destination=point_to_wire(request.destination)
            )
            for request in requests
        ]
        while not stub.CalculateRoutes(messages[0]).routes[0].doses:
            time.sleep(0.1)  # the forecasts are on their way
        for number, message in enumerate((*messages[:_WARM_UP], *messages)):
            before, started = _cpu_of(pid), time.perf_counter()
            answer = stub.CalculateRoutes(message)
            ended = time.perf_counter()
            assert len(answer.routes) == len(route_pb2.Route.Type.values()) - 2
            if number >= _WARM_UP:
                waited.append(ended - started)
                worked.append(_cpu_of(pid) - before)
    return waited, worked


def _cpu_of(pid: int) -> float:
    """Seconds that the threads of a process have run for; Linux counts them in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


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
        f"{len(plans)} walks of up to 6 km; the same way in {100 * same:.0f} % of them",
    )
