"""The gRPC server that all services run in: interceptors in order, health that tells the truth, a graceful stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import grpc
import structlog
import uvloop
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from mesh.cancellation import end
from mesh.errors import CleanAirError
from mesh.health import HealthBoard
from mesh.interceptors.access_log import AccessLogInterceptor
from mesh.interceptors.deadline import DeadlineInterceptor
from mesh.interceptors.decoding import DecodingInterceptor
from mesh.interceptors.errors import ErrorInterceptor
from mesh.interceptors.operator_key import OperatorKeyInterceptor
from mesh.interceptors.request_id import RequestIdInterceptor
from mesh.interceptors.validation import ValidationInterceptor
from mesh.logs import configure_logs
from mesh.mesh_service import MeshService
from mesh.settings import MeshSettings

_log: Final = structlog.stdlib.get_logger("server")
_HEALTH_SECONDS: Final = 1.0

LIVENESS: Final = "liveness"
"""The name under which grpc.health.v1 says that the process lives, also while it cannot serve: nobody should restart a
server because its database is away."""

_Servicer = TypeVar("_Servicer")


class PortTaken(CleanAirError):
    """Another process listens on the port."""

    reason = "PORT_TAKEN"


def interceptors(settings: MeshSettings, operator_methods: Collection[str]) -> list[grpc.aio.ServerInterceptor]:
    """What stands around every call, outermost first."""
    return [
        RequestIdInterceptor(),
        AccessLogInterceptor(),
        ErrorInterceptor(),
        DecodingInterceptor(),
        OperatorKeyInterceptor(operator_methods, settings.operator_api_key),
        DeadlineInterceptor(
            settings.default_deadline_seconds, dict.fromkeys(operator_methods, settings.operator_deadline_seconds)
        ),
        ValidationInterceptor(),
    ]


class GrpcServer:
    """One server process's gRPC side.

    Args:
        settings: The service's settings.
        port: The port to listen on; 0 lets the system choose.
        board: What its health is judged by.
        operator_methods: Full names of the methods that need the operator key, and have the operators' deadline.
    """

    def __init__(
        self, settings: MeshSettings, *, port: int, board: HealthBoard, operator_methods: Collection[str] = ()
    ) -> None:
        self._settings = settings
        self._port = port
        self._board = board
        self._services = [mesh_service_pb2.DESCRIPTOR.services_by_name["MeshService"].full_name]
        self._draining: list[Callable[[], None]] = []
        self._health = health_aio.HealthServicer()
        self._server = grpc.aio.server(
            interceptors=interceptors(settings, operator_methods),
            options=[
                # Two servers on one port would share its calls without a word.
                ("grpc.so_reuseport", 0),
                ("grpc.max_send_message_length", settings.max_message_bytes),
                ("grpc.max_receive_message_length", settings.max_message_bytes),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ],
        )
        mesh_service_pb2_grpc.add_MeshServiceServicer_to_server(MeshService(board), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def add(self, register: Callable[[_Servicer, grpc.aio.Server], None], servicer: _Servicer, full_name: str) -> None:
        """Adds a service: its generated `add_…_to_server`, its servicer, its full name."""
        register(servicer, self._server)
        self._services.append(full_name)

    def on_drain(self, callback: Callable[[], None]) -> None:
        """Calls back when the server begins to stop, so that endless streams can end."""
        self._draining.append(callback)

    async def start(self) -> int:
        """Listens, and returns the port. Raises PortTaken."""
        reflection.enable_server_reflection(
            [*self._services, "grpc.health.v1.Health", reflection.SERVICE_NAME], self._server
        )
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._health.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        address = f"{self._settings.host}:{self._port}"
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise PortTaken(
                f"cannot listen on {address}: another process does, or it is not an address here"
            ) from error
        await self._server.start()
        return bound

    async def watch_health(self) -> None:
        """Keeps grpc.health.v1 true to the board, until cancelled."""
        serving: bool | None = None
        while True:
            now = await self._board.serving()
            if now is not serving:
                serving = now
                _log.info("health", serving=serving)
                state = health_pb2.HealthCheckResponse.SERVING if now else health_pb2.HealthCheckResponse.NOT_SERVING
                for name in ("", *self._services):
                    await self._health.set(name, state)
            await asyncio.sleep(_HEALTH_SECONDS)

    async def stop(self) -> None:
        """Leaves: says NOT_SERVING, serves on for the lame-duck time, ends streams, waits for calls in flight."""
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self._settings.lame_duck_seconds)
        for callback in self._draining:
            callback()
        await self._server.stop(self._settings.stop_grace_seconds)


@asynccontextmanager
async def serving(server: GrpcServer, *tasks: Coroutine[None, None, None]) -> AsyncIterator[int]:
    """Starts the server and the tasks that it owns, and yields its port; at the end stops it and cancels them.

    A task that fails takes the server down with it: a server whose schedule or stream has died is not alive.
    """
    try:
        port = await server.start()
    except PortTaken:
        for unstarted in tasks:
            unstarted.close()
        raise
    async with asyncio.TaskGroup() as group:
        owned = [group.create_task(task) for task in (server.watch_health(), *tasks)]
        try:
            yield port
        finally:
            await server.stop()
            await end(*owned)


async def until_stopped() -> None:
    """Returns at the first SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def run(service: str, settings: MeshSettings, main: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs a server process: logs, metrics, event loop. Returns when it has been told to stop."""
    configure_logs(settings, service)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    uvloop.run(main())
