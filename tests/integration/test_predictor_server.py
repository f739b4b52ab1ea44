"""The predictor as a process: what it says of its health, how it stops, and what it will not start with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2, prediction_service_pb2_grpc
from inference import grpc_inference_service_pb2, grpc_inference_service_pb2_grpc

from cli.readiness import serving
from mesh.interceptors.errors import reason_of
from tests.backing.mesh_processes import OPERATOR_KEY, mesh_processes
from tests.predictor.air import plain_model_file

State = mesh_service_pb2.HealthLine.State


async def test_it_serves_without_ingestion_and_says_so(tmp_path: Path) -> None:
    with mesh_processes(tmp_path, {}) as mesh:
        mesh.start("predictor")
        async with asyncio.timeout(50):
            await serving(mesh.target("predictor"))
        async with grpc.aio.insecure_channel(mesh.target("predictor")) as channel:
            health = await mesh_service_pb2_grpc.MeshServiceStub(channel).GetHealth(mesh_service_pb2.GetHealthRequest())
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await stub.PredictAirQuality(prediction_service_pb2.PredictAirQualityRequest(station_ids=["중구"]))
            model = await stub.GetModelStatus(
                prediction_service_pb2.GetModelStatusRequest(), metadata=(("x-api-key", OPERATOR_KEY),)
            )
            tensors = grpc_inference_service_pb2_grpc.GRPCInferenceServiceStub(channel)
            ready = await tensors.ServerReady(grpc_inference_service_pb2.ServerReadyRequest())
            with pytest.raises(grpc.aio.AioRpcError) as closed:
                await tensors.RepositoryModelLoad(grpc_inference_service_pb2.RepositoryModelLoadRequest())
        assert mesh.stop("predictor") == 0
    lines = {(line.service, line.part): line.state for line in health.lines}
    assert lines == {
        ("predictor", "server"): State.DEGRADED,
        ("predictor", "database"): State.UP,
        ("predictor", "model"): State.UP,
        ("predictor", "readings"): State.DEGRADED,
        ("predictor", "weather"): State.DEGRADED,
        ("predictor", "cache"): State.UP,
        ("ingestion", "server"): State.DOWN,
    }
    assert reason_of(raised.value) == "NO_FORECAST_YET"
    assert ready.ready
    assert closed.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert (model.station_count, model.model.name) == (0, "ensemble")
    assert not model.HasField("newest_issue_time")


async def test_it_does_not_start_with_a_model_that_it_cannot_use(tmp_path: Path) -> None:
    path = plain_model_file(tmp_path)
    path.write_bytes(b"not a model")
    with mesh_processes(tmp_path, {"CLEANAIR_MODEL_PATH": str(path)}) as mesh:
        mesh.start("predictor")
        assert await asyncio.to_thread(mesh.ended, "predictor", 50) != 0
        assert (
            "plain.pt cannot be used: its SHA-256 is not the one in plain.pt.sha256"
            in mesh.log("predictor").read_text()
        )
