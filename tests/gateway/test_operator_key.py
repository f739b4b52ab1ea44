"""Operator calls are for those who bring the key, over REST and gRPC alike; without a key set, for nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2 as predictor
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from google.protobuf.message import Message

from tests.gateway.conftest import Gateway, error_info, gateway_before
from tests.gateway.peers import KEY, Peers

REST = [
    ("POST", "/api/v1/collect/air-quality"),
    ("POST", "/api/v1/collect/weather"),
    ("POST", "/api/v1/collect/bulletins"),
    ("POST", "/api/v1/readings/validate"),
    ("GET", "/api/v1/models/status"),
    ("POST", "/api/v1/models/reload"),
]
CLOSED = [*REST, ("POST", "/api/v1/models/alias")]

Call = Callable[[grpc.aio.Channel, Mapping[str, str]], Awaitable[Message]]


async def collect(channel: grpc.aio.Channel, metadata: Mapping[str, str]) -> Message:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
    return await stub.CollectAirQuality(ingestion.CollectAirQualityRequest(), metadata=tuple(metadata.items()))


async def model_status(channel: grpc.aio.Channel, metadata: Mapping[str, str]) -> Message:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return await stub.GetModelStatus(predictor.GetModelStatusRequest(), metadata=tuple(metadata.items()))


async def reload(channel: grpc.aio.Channel, metadata: Mapping[str, str]) -> Message:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return await stub.ReloadModels(predictor.ReloadModelsRequest(), metadata=tuple(metadata.items()))


WRONG = [{}, {"x-api-key": ""}, {"x-api-key": "guess"}, {"x-api-key": KEY + "x"}, {"x-api-key": KEY.upper()}]


@pytest.mark.parametrize(("verb", "path"), CLOSED)
@pytest.mark.parametrize("headers", WRONG, ids=lambda headers: headers.get("x-api-key", "none") or "empty")
async def test_rest_without_the_key_is_401(gateway: Gateway, verb: str, path: str, headers: dict[str, str]) -> None:
    before = len(gateway.witness.calls)
    answer = await gateway.http.request(verb, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 16,
        "message": "for operators only: send the operator key as x-api-key",
        "details": [error_info("OPERATOR_KEY_REQUIRED")],
    }
    assert len(gateway.witness.calls) == before


@pytest.mark.parametrize(("verb", "path"), REST)
async def test_rest_with_the_key_passes_and_brings_it_to_the_server(gateway: Gateway, verb: str, path: str) -> None:
    answer = await gateway.http.request(verb, path, headers={"x-api-key": KEY})
    assert answer.status_code == 200
    assert gateway.witness.last.metadata["x-api-key"] == KEY


@pytest.mark.parametrize("call", [collect, model_status, reload])
@pytest.mark.parametrize("metadata", WRONG, ids=lambda metadata: metadata.get("x-api-key", "none") or "empty")
async def test_grpc_without_the_key_is_unauthenticated(
    gateway: Gateway, call: Call, metadata: Mapping[str, str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(gateway.channel, metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("call", [collect, model_status, reload])
async def test_grpc_with_the_key_passes(gateway: Gateway, call: Call) -> None:
    assert await call(gateway.channel, {"x-api-key": KEY}) is not None


@pytest.mark.parametrize("key", ["", KEY])
async def test_with_no_key_set_nobody_passes(servers: Peers, key: str) -> None:
    async with gateway_before(servers, operator_api_key=None) as closed:
        for verb, path in REST:
            assert (await closed.http.request(verb, path, headers={"x-api-key": key})).status_code == 401
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reload(closed.channel, {"x-api-key": key})
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_key_with_yamls_own_signs_is_taken_as_it_is(servers: Peers) -> None:
    key = """it's "quoted": ${HOME} $$ #{}[] %REQ(:PATH)%"""
    async with gateway_before(servers, operator_api_key=key) as running:
        assert (await running.http.get("/api/v1/models/status", headers={"x-api-key": key})).status_code == 200
        assert (await running.http.get("/api/v1/models/status", headers={"x-api-key": KEY})).status_code == 401
