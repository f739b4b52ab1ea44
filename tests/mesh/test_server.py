"""What stands around every call, seen by a client over a real connection."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import cast

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.router.v1 import route_service_pb2_grpc
from cleanair.type.v1 import point_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from mesh import errors, request_id
from mesh.health import UP, Health, HealthState
from mesh.interceptors.around import Context
from mesh.interceptors.errors import reason_of
from mesh.server import PortTaken
from mesh.settings import MeshSettings
from tests.mesh.conftest import Mesh, run_mesh

OPERATOR = (("x-api-key", "an operator's key"),)
SEOUL = point_pb2.Point(latitude=37.5, longitude=127.0)
SOUND = wire.CalculateRoutesRequest(origin=SEOUL, destination=SEOUL)


def stub(mesh: Mesh) -> route_service_pb2_grpc.RouteServiceAsyncStub:
    return route_service_pb2_grpc.RouteServiceStub(mesh.channel)


async def failure(mesh: Mesh, request: wire.CalculateRoutesRequest = SOUND) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stub(mesh).CalculateRoutes(request)
    return failed.value


def violations(error: grpc.aio.AioRpcError) -> dict[str, str]:
    rich = rpc_status.from_call(cast(grpc.Call, error))
    assert rich is not None
    for detail in rich.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {violation.field: violation.description for violation in bad.field_violations}
    return {}


async def test_each_broken_rule_is_named_with_its_field(mesh: Mesh) -> None:
    request = wire.CalculateRoutesRequest(origin=point_pb2.Point(latitude=91, longitude=float("nan")))
    error = await failure(mesh, request)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "INVALID_INPUT"
    assert set(violations(error)) == {"origin.latitude", "origin.longitude", "destination"}


async def test_an_error_of_ours_keeps_its_reason_field_and_metadata(mesh: Mesh) -> None:
    async def refuse(_: Context) -> None:
        raise errors.OutOfRange("too far ahead: ask for less", field="departure_time", metadata={"last": "noon"})

    mesh.probe.behaviour = refuse
    error = await failure(mesh)
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert reason_of(error) == "OUT_OF_RANGE"
    assert violations(error) == {"departure_time": "too far ahead: ask for less"}


async def test_an_unforeseen_error_tells_the_client_nothing_and_the_operator_everything(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(_: Context) -> None:
        raise ValueError("password=hunter2")

    mesh.probe.behaviour = crash
    error = await failure(mesh)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in f"{error.details()} {error.trailing_metadata()}"
    assert any("hunter2" in (record.exc_text or str(record.exc_info)) for record in caplog.records)


async def test_a_call_without_a_deadline_gets_one(mesh: Mesh) -> None:
    async def hang(_: Context) -> None:
        await asyncio.Event().wait()

    mesh.probe.behaviour = hang
    async with grpc.aio.insecure_channel(f"127.0.0.1:{mesh.port}") as bare:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await route_service_pb2_grpc.RouteServiceStub(bare).CalculateRoutes(SOUND)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(failed.value) == "DEADLINE_EXCEEDED"


async def test_an_operators_call_without_a_deadline_has_a_longer_one(settings: MeshSettings) -> None:
    async def hang(_: Context) -> None:
        await asyncio.Event().wait()

    longer = settings.model_copy(update={"operator_deadline_seconds": 2 * settings.default_deadline_seconds})
    async with run_mesh(longer) as mesh, grpc.aio.insecure_channel(f"127.0.0.1:{mesh.port}") as bare:
        mesh.counter.collecting = hang
        with pytest.raises(grpc.aio.AioRpcError, match="longer than 1 s") as failed:
            await ingestion_service_pb2_grpc.IngestionServiceStub(bare).CollectAirQuality(
                ingestion.CollectAirQualityRequest(), metadata=OPERATOR
            )
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_client_of_the_mesh_sets_the_deadline_that_the_server_would(mesh: Mesh) -> None:
    seen: list[float | None] = []

    async def look(context: Context) -> None:
        seen.append(context.time_remaining())

    mesh.probe.behaviour = mesh.counter.collecting = look
    await stub(mesh).CalculateRoutes(SOUND)
    await ingestion_service_pb2_grpc.IngestionServiceStub(mesh.channel).CollectAirQuality(
        ingestion.CollectAirQualityRequest(), metadata=OPERATOR
    )
    settings = mesh.settings
    assert seen == pytest.approx([settings.default_deadline_seconds, settings.operator_deadline_seconds], rel=0.2)


@pytest.mark.parametrize("key", [None, "wrong", "an operator's ke"])
async def test_operator_calls_are_closed_without_the_key(mesh: Mesh, key: str | None) -> None:
    metadata = (("x-api-key", key),) if key else ()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(mesh).GetRoute(wire.GetRouteRequest(route_id="r"), metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(refused.value) == "OPERATOR_KEY_REQUIRED"


async def test_operator_calls_are_open_with_the_key(mesh: Mesh) -> None:
    answer = await stub(mesh).GetRoute(
        wire.GetRouteRequest(route_id="r"), metadata=(("x-api-key", "an operator's key"),)
    )
    assert answer.graph == "r"


async def test_with_no_key_configured_operator_calls_are_closed_to_all(settings: MeshSettings) -> None:
    async with run_mesh(settings.model_copy(update={"operator_api_key": None})) as mesh:
        call = stub(mesh).GetRoute(wire.GetRouteRequest(route_id="r"), metadata=(("x-api-key", ""),))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_request_id_reaches_the_handler_and_the_log(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def note(_: Context) -> None:
        seen.append(request_id.current.get())

    mesh.probe.behaviour = note
    caplog.set_level(logging.INFO)
    await stub(mesh).CalculateRoutes(SOUND, metadata=(("x-request-id", "walk-42"),))
    await stub(mesh).CalculateRoutes(SOUND, metadata=(("x-request-id", "two words"),))
    assert seen[0] == "walk-42"
    assert seen[1] not in {"", "two words"}
    assert "walk-42" in caplog.text


async def test_a_stream_can_fail_with_a_reason(mesh: Mesh) -> None:
    async def refuse(_: Context) -> None:
        raise errors.Unavailable("the store is away")

    mesh.counter.failure = refuse
    call = ingestion_service_pb2_grpc.IngestionServiceStub(mesh.channel).StreamReadings(
        ingestion.StreamReadingsRequest()
    )
    received = [cast(ingestion.StreamReadingsResponse, await call.read()).resume_token for _ in range(3)]
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call.read()
    assert received == ["1", "2", "3"]
    assert reason_of(failed.value) == "UNAVAILABLE"


async def test_health_follows_the_critical_parts(mesh: Mesh) -> None:
    state = {"database": UP, "cache": UP}

    async def database() -> Health:
        return state["database"]

    async def cache() -> Health:
        return state["cache"]

    mesh.board.check("database", database, critical=True)
    mesh.board.check("cache", cache, critical=False)
    watch = health_pb2_grpc.HealthStub(mesh.channel).Watch(health_pb2.HealthCheckRequest())  # type: ignore[attr-defined]
    answers = aiter(watch)

    async def until(wanted: int) -> None:
        async with asyncio.timeout(10):
            while (await anext(answers)).status != wanted:
                pass

    await until(health_pb2.HealthCheckResponse.SERVING)
    state["database"] = Health(HealthState.DOWN, "no route to host")
    await until(health_pb2.HealthCheckResponse.NOT_SERVING)
    state["database"], state["cache"] = UP, Health(HealthState.DOWN, "gone")
    await until(health_pb2.HealthCheckResponse.SERVING)
    report = await mesh_service_pb2_grpc.MeshServiceStub(mesh.channel).GetHealth(mesh_service_pb2.GetHealthRequest())
    lines = {line.part: (mesh_service_pb2.HealthLine.State.Name(line.state), line.detail) for line in report.lines}
    assert lines["cache"] == ("DOWN", "gone")
    assert lines["server"][0] == "DEGRADED"
    watch.cancel()


async def test_a_taken_port_is_one_sentence(settings: MeshSettings, mesh: Mesh) -> None:
    with pytest.raises(PortTaken, match=str(mesh.port)):
        async with run_mesh(settings, port=mesh.port):
            pass


async def test_log_lines_are_json(mesh: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    from mesh.logs import configure_logs

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logs(mesh.settings, "probe")
        await stub(mesh).CalculateRoutes(SOUND, metadata=(("x-request-id", "walk-43"),))
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        root.handlers, root.level = handlers, level
    access = next(line for line in lines if line.get("request_id") == "walk-43")
    assert access["service"] == "probe"
    assert access["method"] == "/cleanair.router.v1.RouteService/CalculateRoutes"
    assert access["code"] == "OK"
