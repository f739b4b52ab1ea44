"""The registry by its contract: what is reloaded, refused, promoted, and that streams go on meanwhile."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
import torch
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1 import prediction_service_pb2_grpc

from predictor.models.model_file import BASELINE, digest_path, save
from predictor.models.model_files import baseline
from predictor.service import OPERATOR_METHODS, PredictionService
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import JONGNO, JUNG, NOON, hours_of_air, plain_model, usable_model_file
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings

Stub: TypeAlias = "prediction_service_pb2_grpc.PredictionServiceAsyncStub"  # known to type checkers only

KEY = (("x-api-key", OPERATOR_KEY),)
CHAMPION, CHALLENGER = wire.SetModelAliasRequest.CHAMPION, wire.SetModelAliasRequest.CHALLENGER


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
async def predictor(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Predictor]:
    configured = usable_model_file(tmp_path_factory.mktemp("configured"))
    settings = predictor_settings(tmp_path_factory.mktemp("data"), model_path=configured, model_folder=folder)
    async with open_predictor(settings, SettableClock(NOON), follow=False) as parts:
        await parts.issuer.take([one for station in (JONGNO, JUNG) for one in hours_of_air(station, NOON, 48)], "t1")
        yield parts


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    return OPERATOR_METHODS


@pytest.fixture(scope="module")
def grpc_servicer(predictor: Predictor) -> PredictionService:
    return predictor.service


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[PredictionService, grpc.aio.Server], None]:
    return prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[prediction_service_pb2_grpc.PredictionServiceStub]:
    return prediction_service_pb2_grpc.PredictionServiceStub


@pytest.fixture(autouse=True)
def _clean(folder: Path) -> Iterator[None]:
    yield
    for path in folder.iterdir():
        path.unlink()


def written(path: Path, content: bytes, *, digest: str | None = None) -> Path:
    path.write_bytes(content)
    digest_path(path).write_text(digest or hashlib.sha256(content).hexdigest())
    return path


def packed(**changed: object) -> bytes:
    """The baseline's file, but for this."""
    buffer = io.BytesIO()
    torch.save({**torch.load(BASELINE, weights_only=True), **changed}, buffer)
    return buffer.getvalue()


class _Bomb:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.folder / "exploded",))  # type: ignore[return-value] # what an attacker would write


async def versions(stub: Stub) -> dict[str, wire.RegisteredModel]:
    status = await stub.GetModelStatus(wire.GetModelStatusRequest(), metadata=KEY)
    return {one.model.version: one for one in status.registered}


async def test_what_is_configured_is_champion_and_all_that_there_is_is_registered(grpc_stub: Stub) -> None:
    status = await grpc_stub.GetModelStatus(wire.GetModelStatusRequest(), metadata=KEY)
    registered = {one.file: one for one in status.registered}
    assert set(registered) == {"usable.pt", "ensemble-1.pt", "damped-persistence-1.pt"}
    assert list(registered["usable.pt"].aliases) == ["champion"]
    assert status.model.version == registered["usable.pt"].model.version
    assert status.baseline.version == baseline().version
    assert not status.HasField("challenger")
    assert status.model.HasField("loaded_at")
    assert not registered["ensemble-1.pt"].model.HasField("loaded_at")
    assert list(registered["ensemble-1.pt"].model.members) == ["lstm", "gru", "damped-persistence"]
    assert 0 < registered["ensemble-1.pt"].metrics["golden_rmse_to_baseline_pm25"] < 1.5
    assert not status.alerts


async def test_bad_files_are_refused_by_name_while_the_stream_goes_on(
    grpc_stub: Stub, predictor: Predictor, folder: Path
) -> None:
    call = grpc_stub.StreamForecasts(wire.StreamForecastsRequest())
    first = await call.read()
    good = usable_model_file(folder, "good.pt", damping=0.9)
    whole = good.read_bytes()
    written(folder / "corrupt.pt", whole[:300] + b"\0\0\0\0" + whole[304:], digest=hashlib.sha256(whole).hexdigest())
    written(folder / "truncated.pt", whole[:-500])
    written(folder / "old.pt", packed(version="damped-persistence-0"))
    written(folder / "unlike.pt", packed(golden=torch.zeros(3, 1, 5, 4, 4, 4)))
    written(folder / "untold.pt", packed(golden=None))
    save(plain_model(), folder / "weak.pt")
    buffer = io.BytesIO()
    torch.save({"family": "damped-persistence", "parameters": _Bomb(folder)}, buffer)
    written(folder / "malicious.pt", buffer.getvalue())

    before = predictor.issuer.model.loaded.version
    refusal = await refusal_of(grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_UNUSABLE")
    refused = {"corrupt.pt", "truncated.pt", "old.pt", "unlike.pt", "untold.pt", "malicious.pt", "weak.pt"}
    assert set(refusal.metadata["file"].split(",")) == refused
    assert "old.pt cannot be used: it is of version 'damped-persistence-0'" in refusal.message
    assert "unlike.pt cannot be used: it does not answer as it did when it was saved" in refusal.message
    assert not (folder / "exploded").exists()
    status = await grpc_stub.GetModelStatus(wire.GetModelStatusRequest(), metadata=KEY)
    assert {one.file for one in status.registered} & {*refused, "good.pt"} == {"good.pt"}
    assert len(status.alerts) == len(refused)
    assert (status.model.version, predictor.issuer.model.loaded.version) == (before, before)

    await predictor.issuer.take(list(hours_of_air(JONGNO, NOON, 1)), "t2")
    again = await call.read()
    call.cancel()
    assert isinstance(first, wire.StreamForecastsResponse)
    assert isinstance(again, wire.StreamForecastsResponse)


async def test_the_champion_follows_the_configured_file_until_an_operator_names_another(
    grpc_stub: Stub, predictor: Predictor, folder: Path
) -> None:
    path = predictor.settings.model_path
    assert path is not None
    unchanged = await grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY)
    assert not unchanged.changed
    assert set(unchanged.versions) >= {unchanged.model.version, baseline().version}

    issued = predictor.issuer.board.sequence
    usable_model_file(path.parent, damping=0.97)
    changed = await grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY)
    assert changed.changed
    assert changed.model.version not in unchanged.versions
    assert predictor.issuer.board.sequence == issued + 2
    told = {one.model_version for one in predictor.issuer.board.newest.values()}
    assert told == {changed.model.version}

    usable_model_file(folder, "good.pt", damping=0.9)
    await grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY)
    good = next(version for version, one in (await versions(grpc_stub)).items() if one.file == "good.pt")
    named = await grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHALLENGER, version=good), metadata=KEY)
    assert (named.champion.version, named.challenger.version) == (changed.model.version, good)
    assert list((await versions(grpc_stub))[good].aliases) == ["challenger"]
    assert predictor.issuer.board.sequence == issued + 2

    promoted = await grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION, version=good), metadata=KEY)
    assert promoted.champion.version == good
    assert not promoted.HasField("challenger")
    assert {one.model_version for one in predictor.issuer.board.newest.values()} == {good}
    refusal = await refusal_of(
        grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHALLENGER, version=good), metadata=KEY)
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_IN_SERVICE")

    # Named by an operator, it stays, whatever the settings' file becomes.
    usable_model_file(path.parent, damping=0.95)
    assert not (await grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY)).changed

    back = next(version for version, one in (await versions(grpc_stub)).items() if one.file == "ensemble-1.pt")
    shadowed = await grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHALLENGER, version=back), metadata=KEY)
    assert shadowed.challenger.version == back
    alone = await grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHALLENGER), metadata=KEY)
    assert not alone.HasField("challenger")


async def test_only_what_is_registered_and_still_passes_can_be_named(grpc_stub: Stub, folder: Path) -> None:
    path = usable_model_file(folder, "passing.pt", damping=0.8)
    reloaded = await grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=KEY)
    known = await versions(grpc_stub)
    version = next(version for version, one in known.items() if one.file == path.name)
    assert version in reloaded.versions
    unknown = await refusal_of(
        grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION, version="oracle-1"), metadata=KEY)
    )
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    assert unknown.fields == ("version",)
    assert version in unknown.message
    path.write_bytes(path.read_bytes()[:-1])
    broken = await refusal_of(
        grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION, version=version), metadata=KEY)
    )
    assert (broken.code, broken.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_UNUSABLE")
    usable_model_file(folder, "passing.pt", damping=0.7)
    other = await refusal_of(
        grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION, version=version), metadata=KEY)
    )
    assert f"and no longer {version}" in other.message
    path.unlink()
    gone = await refusal_of(
        grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION, version=version), metadata=KEY)
    )
    assert "it is not here any more" in gone.message
    nobody = await refusal_of(grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHAMPION), metadata=KEY))
    assert (nobody.code, nobody.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("version",))


async def test_naming_is_for_operators(grpc_stub: Stub) -> None:
    for key in ((), (("x-api-key", "a guess"),)):
        refusal = await refusal_of(grpc_stub.SetModelAlias(wire.SetModelAliasRequest(alias=CHALLENGER), metadata=key))
        assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    refusal = await refusal_of(grpc_stub.SetModelAlias(wire.SetModelAliasRequest(version="x"), metadata=KEY))
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("alias",))
