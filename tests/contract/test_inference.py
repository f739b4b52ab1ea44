"""The Open Inference Protocol: what the models say to clients that know it, and what they are refused."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from inference import grpc_inference_service_pb2 as wire
from inference import grpc_inference_service_pb2_grpc
from numpy.typing import NDArray

from gateway.contracts import descriptor_path
from predictor.inference import MOST_WAITING, Inference
from predictor.inference_service import OPERATOR_METHODS, InferenceService
from predictor.models.members import FieldForecast
from predictor.models.model_file import SHIPPED, load
from predictor.models.model_files import baseline
from predictor.models.observed import Observed
from predictor.models.weather_input import no_weather
from predictor.registry_entry import Alias
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import CHEONGGYE, JONGNO, JUNG, NOON, hours_of_air, usable_model_file
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings

Stub: TypeAlias = "grpc_inference_service_pb2_grpc.GRPCInferenceServiceAsyncStub"  # known to type checkers only
Floats = NDArray[np.float32]

KEY = (("x-api-key", OPERATOR_KEY),)
STATIONS = (JONGNO, JUNG, CHEONGGYE)
ISSUE_HOUR = int(NOON.timestamp() // 3600)
CLIENT = Path(__file__).with_name("triton_client.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
async def predictor(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Predictor]:
    settings = predictor_settings(tmp_path_factory.mktemp("data"), model_folder=folder)
    async with open_predictor(settings, SettableClock(NOON), follow=False) as parts:
        yield parts


@pytest.fixture(scope="module")
def inference(predictor: Predictor) -> Iterator[Inference]:
    with Inference(predictor.issuer.calibration_of) as asking:
        yield asking


async def _ready() -> bool:
    return True


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    return OPERATOR_METHODS


@pytest.fixture(scope="module")
def grpc_servicer(predictor: Predictor, inference: Inference) -> InferenceService:
    return InferenceService(predictor.succession, inference, _ready)


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[InferenceService, grpc.aio.Server], None]:
    return grpc_inference_service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[grpc_inference_service_pb2_grpc.GRPCInferenceServiceStub]:
    return grpc_inference_service_pb2_grpc.GRPCInferenceServiceStub


def air(hours: int = 336) -> Floats:
    rows = [[one.values for one in hours_of_air(station, NOON, hours)] for station in STATIONS]
    values = np.array(rows, dtype=np.float32)[..., :4]
    values[1, -30:] = np.nan
    return values


def observed(values: Floats) -> Observed:
    return Observed(STATIONS, ISSUE_HOUR, values, no_weather(len(values)))


def asking(values: Floats, model: str = "champion", **more: object) -> wire.ModelInferRequest:
    request = wire.ModelInferRequest(model_name=model, id="q1")
    request.inputs.add(name="values", datatype="FP32", shape=values.shape).contents.fp32_contents.extend(
        values.ravel().tolist()
    )
    request.inputs.add(name="issue_hour", datatype="INT64", shape=[1]).contents.int64_contents.append(ISSUE_HOUR)
    for name, degrees in (
        ("latitude", [station.location.latitude for station in STATIONS]),
        ("longitude", [station.location.longitude for station in STATIONS]),
    ):
        request.inputs.add(name=name, datatype="FP64", shape=[3]).contents.fp64_contents.extend(degrees)
    for name, words in (
        ("station_id", [station.station_id for station in STATIONS]),
        ("network", [station.network.value for station in STATIONS]),
    ):
        request.inputs.add(name=name, datatype="BYTES", shape=[3]).contents.bytes_contents.extend(
            word.encode() for word in words
        )
    return request


def outputs(answer: wire.ModelInferResponse) -> dict[str, Floats]:
    """What is in an answer, as values or as bytes, but not both."""
    if not answer.raw_output_contents:
        return {one.name: np.array(one.contents.fp32_contents).reshape(one.shape) for one in answer.outputs}
    assert not any(one.HasField("contents") for one in answer.outputs)
    return {
        output.name: np.frombuffer(raw, dtype="<f4").reshape(output.shape)
        for output, raw in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }


def told(values: Floats) -> FieldForecast:
    model = load(SHIPPED).model
    return model.prior.apply(model.forecast(observed(values)))


async def test_the_server_says_what_it_is(grpc_stub: Stub) -> None:
    assert (await grpc_stub.ServerLive(wire.ServerLiveRequest())).live
    assert (await grpc_stub.ServerReady(wire.ServerReadyRequest())).ready
    server = await grpc_stub.ServerMetadata(wire.ServerMetadataRequest())
    assert (server.name, list(server.extensions)) == ("cleanair-predictor", ["model_repository"])
    for name in ("champion", "damped-persistence", baseline().version, load(SHIPPED).version):
        assert (await grpc_stub.ModelReady(wire.ModelReadyRequest(name=name))).ready
    for name in ("challenger", "oracle", ""):
        assert not (await grpc_stub.ModelReady(wire.ModelReadyRequest(name=name))).ready
    model = await grpc_stub.ModelMetadata(wire.ModelMetadataRequest(name="champion"))
    assert list(model.versions) == [load(SHIPPED).version]
    assert {(one.name, one.datatype, tuple(one.shape)) for one in model.outputs} == {
        ("mean", "FP32", (-1, 72, 4)),
        ("quantiles", "FP32", (-1, 72, 4, 3)),
        ("members", "FP32", (-1, -1, 72, 4, 4)),
    }
    assert ("values", "FP32", (-1, -1, -1)) in {(one.name, one.datatype, tuple(one.shape)) for one in model.inputs}


async def test_a_model_says_what_it_would_have_the_predictor_tell(grpc_stub: Stub) -> None:
    values = air()
    answer = await grpc_stub.ModelInfer(asking(values))
    assert (answer.id, answer.model_name, answer.model_version) == ("q1", "champion", load(SHIPPED).version)
    given, expected = outputs(answer), told(values)
    assert list(given) == ["mean", "quantiles"]
    np.testing.assert_allclose(given["mean"], expected.mean, rtol=1e-4)
    np.testing.assert_allclose(given["quantiles"], expected.quantiles, rtol=1e-4, atol=1e-6)


async def test_members_speak_when_they_are_asked_for(grpc_stub: Stub) -> None:
    request = asking(air(), load(SHIPPED).version)
    request.outputs.add(name="members")
    members = outputs(await grpc_stub.ModelInfer(request))
    assert list(members) == ["members"]
    said = load(SHIPPED).model.forecast(observed(air()))
    np.testing.assert_allclose(members["members"][..., 0], said.mean, rtol=1e-4)
    np.testing.assert_allclose(members["members"][..., 1:], said.quantiles, rtol=1e-4, atol=1e-6)


async def test_one_hour_of_one_station_is_enough(grpc_stub: Stub) -> None:
    request = wire.ModelInferRequest(model_name="damped-persistence")
    request.inputs.add(name="values", datatype="FP32", shape=[1, 1, 4])
    request.inputs.add(name="issue_hour", datatype="INT64", shape=[1])
    request.raw_input_contents.append(np.array([20, 40, 0.03, 0.02], dtype="<f4").tobytes())
    request.raw_input_contents.append(ISSUE_HOUR.to_bytes(8, "little"))
    for model in ("champion", "damped-persistence"):
        request.model_name = model
        answer = await grpc_stub.ModelInfer(request)
        assert answer.raw_output_contents
        given = outputs(answer)
        assert given["mean"].shape == (1, 72, 4)
        assert np.isfinite(given["mean"]).all()
        assert (np.diff(given["quantiles"], axis=-1) >= 0).all()


def _without(name: str) -> wire.ModelInferRequest:
    request = asking(air(24))
    request.inputs.remove(next(one for one in request.inputs if one.name == name))
    return request


def _both() -> wire.ModelInferRequest:
    request = asking(air(24))
    request.raw_input_contents.extend([b""] * len(request.inputs))
    return request


def _lone_raw() -> wire.ModelInferRequest:
    request = asking(air(24))
    request.raw_input_contents.append(b"")
    return request


def _unknown_output() -> wire.ModelInferRequest:
    request = asking(air(24))
    request.outputs.add(name="median")
    return request


def _version() -> wire.ModelInferRequest:
    request = asking(air(24))
    request.model_version = "ensemble-0"
    return request


INVALID, ABSENT = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
REFUSED = {
    "nothing measured": (lambda: _without("values"), INVALID, "BAD_TENSOR", "inputs"),
    "infinite": (lambda: asking(air(24) * np.float32(np.inf)), INVALID, "BAD_TENSOR", "inputs[0]"),
    "contents twice": (_both, INVALID, "BAD_TENSOR", "inputs[0].contents"),
    "contents of one": (_lone_raw, INVALID, "BAD_TENSOR", "raw_input_contents"),
    "unknown output": (_unknown_output, INVALID, "BAD_TENSOR", "outputs[0]"),
    "unknown model": (lambda: asking(air(24), "oracle"), ABSENT, "UNKNOWN_MODEL", "model_name"),
    "no challenger": (lambda: asking(air(24), "challenger"), ABSENT, "UNKNOWN_MODEL", "model_name"),
    "other version": (_version, ABSENT, "UNKNOWN_MODEL", "model_version"),
    "nothing": (wire.ModelInferRequest, ABSENT, "UNKNOWN_MODEL", "model_name"),
}


@pytest.mark.parametrize(("make", "code", "reason", "field"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_answered_is_named(
    grpc_stub: Stub, make: Callable[[], wire.ModelInferRequest], code: grpc.StatusCode, reason: str, field: str
) -> None:
    refusal = await refusal_of(grpc_stub.ModelInfer(make()))
    assert (refusal.code, refusal.reason, refusal.fields) == (code, reason, (field,))


async def test_only_so_many_may_wait_and_all_others_are_answered(grpc_stub: Stub, inference: Inference) -> None:
    request = asking(air())
    calls = [grpc_stub.ModelInfer(request) for _ in range(3 * MOST_WAITING)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert {one.code() for one in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert len(answers) - len(refused) >= MOST_WAITING
    # Who has stopped waiting holds no place.
    waiting = [grpc_stub.ModelInfer(request) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(10):
        while inference._in_hand:  # noqa: ASYNC110 - a question that ends tells nobody but who asked
            await asyncio.sleep(0.01)
    assert (await grpc_stub.ModelInfer(request)).outputs
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await grpc_stub.ModelInfer(request, timeout=0.001)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_models_are_loaded_listed_and_unloaded(grpc_stub: Stub, predictor: Predictor, folder: Path) -> None:
    async def load_it(name: str) -> None:
        await grpc_stub.RepositoryModelLoad(wire.RepositoryModelLoadRequest(model_name=name), metadata=KEY)

    async def unload(name: str) -> None:
        await grpc_stub.RepositoryModelUnload(wire.RepositoryModelUnloadRequest(model_name=name), metadata=KEY)

    async def states(*, ready: bool = False) -> dict[str, tuple[str, str]]:
        index = await grpc_stub.RepositoryIndex(wire.RepositoryIndexRequest(ready=ready))
        return {one.name: (one.state, one.reason) for one in index.models}

    shipped, version = load(SHIPPED).version, load(usable_model_file(folder, "fresh.pt")).version
    assert (await states())[shipped] == ("READY", "champion")
    await load_it("fresh")
    assert (await states(ready=True))[version] == ("READY", "")
    assert (await grpc_stub.ModelInfer(asking(air(24), version))).model_version == version
    await unload(version)
    state, why = (await states())[version]
    assert (state, why) == ("UNAVAILABLE", "fresh.pt has not been read here, or is unloaded")
    assert version not in await states(ready=True)
    assert (await refusal_of(grpc_stub.ModelInfer(asking(air(24), version)))).code is ABSENT
    await load_it(version)
    await predictor.succession.name(Alias.CHALLENGER, version)
    assert (await grpc_stub.ModelInfer(asking(air(24), "challenger"))).model_version == version
    for name in (shipped, baseline().version, version):
        refusal = await refusal_of(unload(name))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_IN_SERVICE")
    await predictor.succession.name(Alias.CHALLENGER, "")

    (folder / "bad.pt").write_bytes(b"not a model")
    for name, code in (("bad", grpc.StatusCode.FAILED_PRECONDITION), ("../fresh.pt", ABSENT), ("", ABSENT)):
        assert (await refusal_of(load_it(name))).code is code
    assert (await refusal_of(unload("oracle"))).code is ABSENT
    for call in (
        grpc_stub.RepositoryModelLoad(wire.RepositoryModelLoadRequest(model_name="fresh")),
        grpc_stub.RepositoryModelUnload(wire.RepositoryModelUnloadRequest(model_name=version)),
    ):
        assert (await refusal_of(call)).code is grpc.StatusCode.UNAUTHENTICATED


async def test_a_client_of_the_standard_is_answered(grpc_server: str, tmp_path: Path) -> None:
    # In a process of its own: its contract has the names of ours, and one process can know only one of them.
    values = air()
    np.savez(
        tmp_path / "asked.npz",
        values=values,
        latitude=[station.location.latitude for station in STATIONS],
        longitude=[station.location.longitude for station in STATIONS],
        station_id=[station.station_id for station in STATIONS],
        network=[station.network.value for station in STATIONS],
        issue_hour=[ISSUE_HOUR],
    )
    command = (sys.executable, CLIENT, grpc_server, tmp_path, OPERATOR_KEY, descriptor_path())
    client = await asyncio.create_subprocess_exec(*command, stderr=PIPE)
    _, said = await client.communicate()
    assert client.returncode == 0, said.decode()
    with np.load(tmp_path / "answered.npz") as answered:
        expected = told(values)
        np.testing.assert_allclose(answered["mean"], expected.mean, rtol=1e-4)
        np.testing.assert_allclose(answered["quantiles"], expected.quantiles, rtol=1e-4, atol=1e-6)
