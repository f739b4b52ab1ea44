"""gRPC and gRPC-Web through the same port, with statuses as the servers said them."""

from __future__ import annotations

import base64
from typing import cast

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2 as predictor
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.router.v1 import navigation_pb2, route_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as router
from cleanair.type.v1 import point_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.gateway.conftest import Gateway

ROUTE = "/cleanair.router.v1.RouteService/GetRoute"


async def test_a_call_is_answered(gateway: Gateway) -> None:
    stub = route_service_pb2_grpc.RouteServiceStub(gateway.channel)
    answer = await stub.GetRoute(router.GetRouteRequest(route_id="r1"))
    assert answer.route.route_id == "r1"


async def test_an_error_keeps_its_status_and_details(gateway: Gateway) -> None:
    stub = route_service_pb2_grpc.RouteServiceStub(gateway.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetRoute(router.GetRouteRequest(route_id="missing"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "no such route: it was never calculated, or more than a day ago"
    rich = rpc_status.from_call(cast(grpc.Call, caught.value))
    assert rich is not None
    info = error_details_pb2.ErrorInfo()
    assert rich.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("NOT_FOUND", "cleanair")


async def test_a_request_that_is_no_message_is_the_callers_mistake(gateway: Gateway) -> None:
    call = gateway.channel.unary_unary(ROUTE, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "the request is not a message of its type, or holds text that is not UTF-8"


async def test_forecasts_stream(gateway: Gateway) -> None:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(gateway.channel)
    tokens = [element.resume_token async for element in stub.StreamForecasts(predictor.StreamForecastsRequest())]
    assert tokens == ["1", "2", "3"]


async def test_a_journey_is_answered_while_it_goes_on(gateway: Gateway) -> None:
    stub = route_service_pb2_grpc.RouteServiceStub(gateway.channel)
    call = stub.Navigate()
    point = point_pb2.Point(latitude=37.5, longitude=127)
    for meters in (30.0, 20.0, 10.0):
        position = navigation_pb2.Position(point=point, accuracy_meters=meters)
        await call.write(navigation_pb2.NavigateRequest(position=position))
        answer = await call.read()
        assert isinstance(answer, navigation_pb2.NavigateResponse)
        assert answer.progress.distance_left_meters == meters
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_the_meshs_own_stream_is_closed_from_outside(gateway: Gateway) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(gateway.channel)
    before = len(gateway.witness.calls)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [element async for element in stub.StreamReadings(ingestion.StreamReadingsRequest())]
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details() == "StreamReadings is internal to the mesh"
    assert len(gateway.witness.calls) == before


async def test_health_of_the_mesh_is_open(gateway: Gateway) -> None:
    stub = mesh_service_pb2_grpc.MeshServiceStub(gateway.channel)
    answer = await stub.GetHealth(mesh_service_pb2.GetHealthRequest())
    assert answer.state == mesh_service_pb2.HealthLine.UP


@pytest.mark.parametrize(
    "path",
    [
        "/cleanair.router.v1.RouteService/NoSuchMethod",
        "/cleanair.nobody.v1.NoService/Call",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/grpc.health.v1.Health/Check",
        "/api/v1/health",
        "/api/v1/routes/calculate",
    ],
)
async def test_what_is_not_offered_is_unimplemented(gateway: Gateway, path: str) -> None:
    call = gateway.channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_caller_cannot_pose_as_rest(gateway: Gateway) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(gateway.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.CollectAirQuality(
            ingestion.CollectAirQualityRequest(), metadata=(("x-envoy-original-path", "/api/v1/health"),)
        )
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert caught.value.details() == "for operators only: send the operator key as x-api-key"


def frame(message: Message) -> bytes:
    content = message.SerializeToString()
    return b"\0" + len(content).to_bytes(4, "big") + content


def frames(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while body:
        length = int.from_bytes(body[1:5], "big")
        found.append((body[0], body[5 : 5 + length]))
        body = body[5 + length :]
    return found


WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}


async def test_grpc_web_is_answered_with_message_and_trailer_frames(gateway: Gateway) -> None:
    answer = await gateway.http.post(ROUTE, content=frame(router.GetRouteRequest(route_id="r1")), headers=WEB)
    assert answer.headers["content-type"] == "application/grpc-web+proto"
    (_, message), (flag, trailer) = frames(answer.content)
    assert router.GetRouteResponse.FromString(message).route.route_id == "r1"
    assert flag == 0x80
    assert b"grpc-status:0" in trailer


async def test_grpc_web_text_is_base64(gateway: Gateway) -> None:
    headers = {"content-type": "application/grpc-web-text", "accept": "application/grpc-web-text"}
    body = base64.b64encode(frame(router.GetRouteRequest(route_id="r1")))
    answer = await gateway.http.post(ROUTE, content=body, headers=headers)
    assert b"r1" in base64.b64decode(answer.content)


async def test_grpc_web_is_told_a_servers_error(gateway: Gateway) -> None:
    answer = await gateway.http.post(ROUTE, content=frame(router.GetRouteRequest(route_id="missing")), headers=WEB)
    assert (answer.status_code, answer.headers["grpc-status"]) == (200, "5")
    assert answer.headers["grpc-message"].startswith("no such route")


async def test_grpc_web_is_told_the_gateways_refusals_as_grpc(gateway: Gateway) -> None:
    collect = "/cleanair.ingestion.v1.IngestionService/CollectAirQuality"
    answer = await gateway.http.post(collect, content=frame(ingestion.CollectAirQualityRequest()), headers=WEB)
    assert answer.headers["grpc-status"] == "16"
    answer = await gateway.http.post("/no.Such/Thing", content=frame(ingestion.CollectAirQualityRequest()), headers=WEB)
    assert answer.headers["grpc-status"] == "12"


async def test_grpc_web_streams(gateway: Gateway) -> None:
    path = "/cleanair.predictor.v1.PredictionService/StreamForecasts"
    answer = await gateway.http.post(path, content=frame(predictor.StreamForecastsRequest()), headers=WEB)
    messages = [content for flag, content in frames(answer.content) if flag == 0]
    assert [predictor.StreamForecastsResponse.FromString(m).resume_token for m in messages] == ["1", "2", "3"]
