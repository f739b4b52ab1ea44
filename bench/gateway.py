"""The mesh as `make up` runs it: how long it takes to be ready, and to answer through Envoy.

The peer of a call through Envoy is the same call made straight to the router, by gRPC.
"""

from __future__ import annotations

import http.client
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import grpc
import numpy as np
from cleanair.router.v1 import route_service_pb2, route_service_pb2_grpc
from cleanair.type.v1 import point_pb2

from bench.figures import Figure, milliseconds
from tests.backing.simulated_mesh import SimulatedMesh, simulated_mesh

_REQUESTS: Final = 400
_WARM_UP: Final = 40
_SPREAD_DEGREES: Final = 0.03
_CENTRE: Final = (36.35, 127.90)

_Trip = tuple[tuple[float, float], tuple[float, float]]


def measure() -> Iterator[Figure]:
    """Starts the mesh twice, then asks it for routes."""
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        first = time.perf_counter()
        with simulated_mesh(Path(folder)):
            first = time.perf_counter() - first
        second = time.perf_counter()
        with simulated_mesh(Path(folder)) as mesh:
            second = time.perf_counter() - second
            size = "simulated city, three servers and Envoy"
            yield Figure("`cleanair up` to ready, first start", f"{first:.1f} s", "", f"{size}; the city is drawn")
            yield Figure(
                "`cleanair up` to ready, second start", f"{second:.1f} s", f"{second / first:.2f} × the first", size
            )
            yield from _routes(mesh)


def _routes(mesh: SimulatedMesh) -> Iterator[Figure]:
    trips = _trips(_REQUESTS + _WARM_UP)
    straight, size = _grpc_seconds(f"127.0.0.1:{mesh.ports['router']}", trips)
    through, _ = _grpc_seconds(f"127.0.0.1:{mesh.ports['gateway']}", trips)
    rest = _rest_seconds(mesh.ports["gateway"], trips)
    yield Figure("three routes by gRPC, straight to the router", milliseconds(straight), "", size)
    for what, seconds in (
        ("three routes by gRPC through Envoy", through),
        ("three routes by REST through Envoy", rest),
    ):
        ratio = float(np.median(seconds) / np.median(straight))
        yield Figure(what, milliseconds(seconds), f"{ratio:.2f} × straight, at the median", size)


def _trips(count: int) -> list[_Trip]:
    """Trips of up to about 5 km in the middle of the city, the same in every run."""
    dice = random.Random(20260501)  # noqa: S311 - a sample, not a secret

    def place() -> tuple[float, float]:
        spread = [dice.uniform(-_SPREAD_DEGREES, _SPREAD_DEGREES) for _ in range(2)]
        return _CENTRE[0] + spread[0], _CENTRE[1] + spread[1]

    return [(place(), place()) for _ in range(count)]


def _grpc_seconds(target: str, trips: list[_Trip]) -> tuple[list[float], str]:
    with grpc.insecure_channel(target) as channel:
        stub = route_service_pb2_grpc.RouteServiceStub(channel)
        requests = [
            route_service_pb2.CalculateRoutesRequest(
                origin=point_pb2.Point(latitude=start[0], longitude=start[1]),
                destination=point_pb2.Point(latitude=end[0], longitude=end[1]),
            )
            for start, end in trips
        ]
        graph = ""

        def ask(number: int) -> bool:
            nonlocal graph
            try:
                graph = stub.CalculateRoutes(requests[number], timeout=20).graph
            except grpc.RpcError:
                return False  # in the river, or off the map
            return True

        seconds = _seconds(ask, len(trips))
    return seconds, f"{graph}, {len(seconds)} walks of up to 7 km, one after the other"


def _rest_seconds(port: int, trips: list[_Trip]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    names = ("latitude", "longitude")
    bodies = [
        json.dumps({"origin": dict(zip(names, start, strict=True)), "destination": dict(zip(names, end, strict=True))})
        for start, end in trips
    ]

    def ask(number: int) -> bool:
        connection.request("POST", "/api/v1/routes/calculate", bodies[number], {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status == http.HTTPStatus.OK

    try:
        return _seconds(ask, len(trips))
    finally:
        connection.close()


def _seconds(ask: Callable[[int], bool], count: int) -> list[float]:
    """The time of each question that had an answer, without the first ones."""
    seconds = []
    for number in range(count):
        started = time.perf_counter()
        answered = ask(number)
        if answered and number >= _WARM_UP:
            seconds.append(time.perf_counter() - started)
    return seconds
