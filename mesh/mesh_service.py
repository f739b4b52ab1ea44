"""MeshService: the health board as its contract has it, and the neighbour's board as a client reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc
from cleanair.mesh.v1 import mesh_service_pb2 as wire
from cleanair.mesh.v1 import mesh_service_pb2_grpc

from mesh.errors import Unavailable
from mesh.health import Health, HealthBoard, HealthLine, HealthState
from mesh.interceptors.around import Context


class NeighbourUnavailable(Unavailable):
    """The left neighbour does not answer."""

    reason = "NEIGHBOUR_UNAVAILABLE"


class MeshService(mesh_service_pb2_grpc.MeshServiceServicer):
    """Answers for one server."""

    def __init__(self, board: HealthBoard) -> None:
        self._board = board

    async def GetHealth(self, request: wire.GetHealthRequest, context: Context) -> wire.GetHealthResponse:
        """The board, line by line."""
        lines = [
            wire.HealthLine(
                service=line.service,
                part=line.part,
                state=wire.HealthLine.State.Value(line.health.state.name),
                detail=line.health.detail,
            )
            for line in await self._board.report()
        ]
        return wire.GetHealthResponse(state=max(line.state for line in lines), lines=lines)


def neighbour_health(channel: grpc.aio.Channel) -> Callable[[], Awaitable[list[HealthLine]]]:
    """Reads the board of the server at the other end of the channel. The reader raises NeighbourUnavailable."""
    stub = mesh_service_pb2_grpc.MeshServiceStub(channel)

    async def lines() -> list[HealthLine]:
        try:
            answer = await stub.GetHealth(wire.GetHealthRequest(), timeout=4.0)
        except grpc.aio.AioRpcError as error:
            raise NeighbourUnavailable(f"does not answer: {error.code().name}") from error
        return [
            HealthLine(line.service, line.part, Health(HealthState(line.state or HealthState.DOWN), line.detail))
            for line in answer.lines
        ]

    return lines
