"""The registry outlives its servers, and is the same for all of them, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mesh.database import Database
from predictor.models.model_files import baseline
from predictor.registry_entry import Alias
from predictor.settings import PredictorSettings
from predictor.store.registry import RegistryStore
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import HOUR, JONGNO, NOON, reading, usable_model_file
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> PredictorSettings:
    url = request.getfixturevalue("postgres_predictor_url") if request.param == "postgres" else None
    (tmp_path / "more").mkdir()
    return predictor_settings(
        tmp_path, database_url=url, model_path=usable_model_file(tmp_path), model_folder=tmp_path / "more"
    )


@asynccontextmanager
async def opened(settings: PredictorSettings, replicas: int) -> AsyncIterator[list[Predictor]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_predictor(settings, SettableClock(NOON), follow=False))
            for _ in range(replicas)
        ]


def champion_of(predictor: Predictor) -> str:
    return predictor.issuer.model.loaded.version


async def test_what_an_operator_named_serves_after_a_restart_until_its_file_is_gone(
    settings: PredictorSettings,
) -> None:
    assert settings.model_folder is not None
    named = usable_model_file(settings.model_folder, "named.pt", damping=0.9)
    async with opened(settings, 1) as (predictor,):
        configured = champion_of(predictor)
        version = next(one.version for one in await predictor.succession.registry.models() if one.file == "named.pt")
        await predictor.succession.name(Alias.CHALLENGER, baseline().version)
        await predictor.succession.name(Alias.CHAMPION, version)
        predictor.clock.advance(hours=1)
        entry = next(one for one in await predictor.succession.registry.models() if one.version == version)
    async with opened(settings, 1) as (again,):
        assert champion_of(again) == version
        assert again.issuer.challenger is not None
        assert again.issuer.challenger.loaded.version == baseline().version
        assert entry in await again.succession.registry.models()
        assert not again.succession.registry.alerts
    named.unlink()
    async with opened(settings, 1) as (without,):
        assert champion_of(without) == configured
        (alert,) = without.succession.registry.alerts
        assert f"the file of the champion, SHA-256 {entry.sha256[:8]}, is not here" in alert
        assert f"{configured} serves instead" in alert
        # It is the champion still: where its file is, it serves.
        assert (await without.succession.registry.aliases())[Alias.CHAMPION].sha256 == entry.sha256
        usable_model_file(settings.model_folder, "named.pt", damping=0.9)
        await without.succession.reload()
        assert champion_of(without) == version
        assert not without.succession.registry.alerts


async def test_what_one_replica_is_told_all_do(settings: PredictorSettings) -> None:
    assert settings.model_folder is not None
    async with opened(settings, 2) as (one, other):
        await one.issuer.take([reading()], "t1")
        await other.issuer.take([], "t1")
        usable_model_file(settings.model_folder, "later.pt", damping=0.9)
        await one.succession.reload()
        version = next(m.version for m in await one.succession.registry.models() if m.file == "later.pt")
        await one.succession.name(Alias.CHAMPION, version)
        assert (champion_of(one), champion_of(other) == version) == (version, False)

        await other.succession.follow_once()
        assert champion_of(other) == version
        await other.issuer.take([], "t1")
        # Made anew once, and not once a replica.
        assert one.issuer.board.sequence == other.issuer.board.sequence == 2
        assert {f.model_version for f in other.issuer.board.newest.values()} == {version}
        await other.issuer.take([reading(measured_at=NOON + HOUR)], "t2")
        assert other.issuer.board.newest[JONGNO.station_id].model_version == version


async def test_a_replica_follows_by_itself(settings: PredictorSettings) -> None:
    async with opened(settings, 2) as (one, other):
        following = asyncio.create_task(other.succession.follow(0.02))
        await one.succession.name(Alias.CHAMPION, baseline().version)
        async with asyncio.timeout(10):
            while champion_of(other) != baseline().version:  # noqa: ASYNC110 - a replica tells nobody that it follows
                await asyncio.sleep(0.01)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_file_that_is_registered_again_keeps_its_date(settings: PredictorSettings) -> None:
    async with opened(settings, 1) as (predictor,):
        before = await predictor.succession.registry.models()
        predictor.clock.advance(hours=5)
        await predictor.succession.reload()
        assert await predictor.succession.registry.models() == before
        assert {one.sha256 for one in predictor.succession.registry.loaded} == {one.sha256 for one in before}
        usable_model_file(settings.data_dir, damping=0.5)
        replaced = predictor.issuer.model.loaded
        await predictor.succession.reload()
        assert replaced.sha256 not in {one.sha256 for one in predictor.succession.registry.loaded}
        assert len(await predictor.succession.registry.models()) == len(before) + 1
        database = Database.open(settings, "predictor")
        assert (await RegistryStore(database).models())[1:] == before
        await database.close()
