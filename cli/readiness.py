"""When a mesh is ready: each server by its own word, then the whole of it through the gateway."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import grpc
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_LOOK_SECONDS: Final = 0.2
_OPTIONS: Final = [("grpc.max_reconnect_backoff_ms", 300)]


async def serving(target: str) -> None:
    """Returns when the server says that it serves."""
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        while True:
            if await _says_so(channel):
                return
            await asyncio.sleep(_LOOK_SECONDS)


async def _says_so(channel: grpc.aio.Channel) -> bool:
    """Follows the server's health until it serves; False when the connection breaks before."""
    # The stubs of grpcio-health-checking know Check alone.
    watch = health_pb2_grpc.HealthStub(channel).Watch(  # type: ignore[attr-defined]
        health_pb2.HealthCheckRequest(), wait_for_ready=True
    )
    with suppress(grpc.aio.AioRpcError):
        async for answer in watch:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return True
    return False


async def whole(target: str) -> None:
    """Returns when every line of the mesh's health, asked through the gateway, is up."""
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        stub = mesh_service_pb2_grpc.MeshServiceStub(channel)
        while True:
            # Until Envoy has seen its servers healthy it answers UNAVAILABLE.
            with suppress(grpc.aio.AioRpcError):
                health = await stub.GetHealth(mesh_service_pb2.GetHealthRequest(), timeout=5.0)
                if health.state == mesh_service_pb2.HealthLine.UP:
                    return
            await asyncio.sleep(_LOOK_SECONDS)
