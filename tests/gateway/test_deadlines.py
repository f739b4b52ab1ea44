"""Every call has a deadline, which the server is told of; a server that is away is asked again, or said to be away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import grpc
import pytest
from cleanair.predictor.v1 import prediction_service_pb2 as predictor
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as router
from cleanair.router.v1 import route_service_pb2_grpc
from pydantic import SecretStr

from mesh.settings import MeshSettings
from tests.gateway.conftest import Gateway, error_info, gateway_before
from tests.gateway.peers import KEY, Peers, peers


def seconds_left(gateway: Gateway) -> float:
    left = gateway.witness.last.seconds_left
    assert left is not None
    return left


async def test_a_rest_call_has_the_default_deadline(gateway: Gateway) -> None:
    await gateway.http.get("/api/v1/routes/r1")
    assert seconds_left(gateway) == pytest.approx(1.0, abs=0.3)


async def test_a_rest_caller_may_ask_for_another(gateway: Gateway) -> None:
    await gateway.http.get("/api/v1/routes/r1", headers={"grpc-timeout": "2S"})
    assert seconds_left(gateway) == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [pytest.param(None, 1.0, id="none"), pytest.param(2.0, 2.0, id="2 s"), pytest.param(500.0, 3.0, id="too long")],
)
async def test_a_grpc_callers_deadline_is_passed_on_within_bounds(
    gateway: Gateway, asked: float | None, granted: float
) -> None:
    stub = route_service_pb2_grpc.RouteServiceStub(gateway.channel)
    await stub.GetRoute(router.GetRouteRequest(route_id="r1"), timeout=asked)
    assert seconds_left(gateway) == pytest.approx(granted, abs=0.3)


async def test_operators_and_streams_have_longer(gateway: Gateway) -> None:
    await gateway.http.post("/api/v1/collect/air-quality", headers={"x-api-key": KEY})
    assert seconds_left(gateway) == pytest.approx(120.0, abs=1.0)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(gateway.channel)
    assert [element async for element in stub.StreamForecasts(predictor.StreamForecastsRequest())]
    assert seconds_left(gateway) == pytest.approx(3600.0, abs=1.0)
    journey = route_service_pb2_grpc.RouteServiceStub(gateway.channel).Navigate()
    await journey.done_writing()
    assert await journey.read() is grpc.aio.EOF
    assert seconds_left(gateway) == pytest.approx(3600.0, abs=1.0)


async def test_a_rest_call_past_its_deadline_is_504_and_the_server_is_told(gateway: Gateway) -> None:
    gateway.witness.cancelled.clear()
    answer = await gateway.http.get("/api/v1/routes/endless", headers={"grpc-timeout": "200m"})
    assert answer.status_code == 504
    assert answer.json()["code"] == 4
    async with asyncio.timeout(5):
        await gateway.witness.cancelled.wait()


async def test_a_grpc_call_past_the_gateways_deadline_is_told_so(gateway: Gateway) -> None:
    stub = route_service_pb2_grpc.RouteServiceStub(gateway.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetRoute(router.GetRouteRequest(route_id="endless"))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_body_that_does_not_arrive_is_not_waited_for_for_ever(servers: Peers) -> None:
    limits = {"gateway_max_deadline_seconds": 0.3, "operator_deadline_seconds": 0.3}
    async with gateway_before(servers, **limits) as hasty:
        reader, writer = await asyncio.open_connection("127.0.0.1", await hasty.envoy.port())
        writer.write(b"POST /api/v1/routes/calculate HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{")
        async with asyncio.timeout(5):
            status = await reader.readline()
        writer.close()
        assert status.split()[1] == b"408"


async def test_a_read_is_tried_again_when_a_server_is_on_its_way_out(gateway: Gateway) -> None:
    gateway.witness.unavailable = 1
    before = len(gateway.witness.calls)
    assert (await gateway.http.get("/api/v1/routes/r1")).status_code == 200
    assert len(gateway.witness.calls) == before + 2


async def test_trying_again_has_an_end(gateway: Gateway) -> None:
    gateway.witness.unavailable = 100
    before = len(gateway.witness.calls)
    answer = await gateway.http.get("/api/v1/routes/r1")
    gateway.witness.unavailable = 0
    assert (answer.status_code, answer.json()["message"]) == (503, "busy")
    assert len(gateway.witness.calls) == before + 3


async def test_a_server_that_is_not_there_is_said_to_be_away(servers: Peers) -> None:
    async with gateway_before(servers, router_target="127.0.0.1:1") as alone:
        answer = await alone.http.get("/api/v1/routes/r1")
        assert answer.status_code == 503
        assert answer.json() == {
            "code": 14,
            "message": "the server that answers this is not available at the moment: try again later",
            "details": [error_info("SERVER_UNAVAILABLE")],
        }
        assert (await alone.http.get("/api/v1/readings")).status_code == 200
        stub = route_service_pb2_grpc.RouteServiceStub(alone.channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetRoute(router.GetRouteRequest(route_id="r1"))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_too_many_requests_are_429_with_a_time_to_come_back(servers: Peers) -> None:
    async with gateway_before(servers, gateway_requests_per_second=1) as narrow:
        answers = [await narrow.http.get("/api/v1/routes/r1") for _ in range(4)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json()["code"] == 8
        assert int(refused[0].headers["retry-after"]) >= 0
        stub = route_service_pb2_grpc.RouteServiceStub(narrow.channel)
        calls = [stub.GetRoute(router.GetRouteRequest(route_id="r1")) for _ in range(4)]
        assert grpc.StatusCode.RESOURCE_EXHAUSTED in [await call.code() for call in calls]


async def test_a_server_that_leaves_gets_no_new_calls_and_loses_none(servers: Peers) -> None:
    leaves = MeshSettings(operator_api_key=SecretStr(KEY), lame_duck_seconds=2, stop_grace_seconds=10)
    async with AsyncExitStack() as stack:
        leaving = await stack.enter_async_context(peers(leaves))
        async with gateway_before(replace(servers, router=leaving.router), default_deadline_seconds=20) as gateway:
            held = asyncio.create_task(gateway.http.get("/api/v1/routes/held"))
            await leaving.witness.begun.wait()
            stopping = asyncio.create_task(stack.aclose())
            while (await gateway.http.get("/api/v1/routes/r1")).status_code == 200:
                pass
            assert not stopping.done()
            assert not held.done()
            leaving.witness.released.set()
            assert (await held).status_code == 200
            await stopping
