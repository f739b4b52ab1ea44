"""The predictor behind a real ingestion: whatever stops on the way, nothing is lost and nothing done twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from air.places import Station
from air.status import State
from mesh.health import HealthState
from predictor.models.model_file import BASELINE
from predictor.serving import forecast_anew
from predictor.settings import PredictorSettings
from predictor.stream import follow
from predictor.tables import predictions, reading_window
from predictor.weather_book import WeatherBook
from tests.backing.mesh_processes import mesh_processes
from tests.backing.ports import free_port
from tests.backing.postgres import PostgresServer
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, JUNG, NOON, hours_of_air, reading
from tests.predictor.assembly import Predictor, Upstream, open_predictor, predictor_settings, run_ingestion

STATIONS = (JONGNO, JUNG, CHEONGGYE)


async def hours_taken(predictor: Predictor) -> list[tuple[str, datetime]]:
    query = select(reading_window.c.station_id, reading_window.c.measured_at)
    async with predictor.database.connect() as connection:
        return [(row.station_id, row.measured_at) for row in await connection.execute(query)]


async def predictions_made(predictor: Predictor) -> list[tuple[str, datetime, int]]:
    table = predictions.c
    query = select(table.station_id, table.predicted_at, table.prediction_horizon)
    async with predictor.database.connect() as connection:
        rows = await connection.execute(query)
        return [(row.station_id, row.predicted_at, row.prediction_horizon) for row in rows]


async def assert_same_as_undisturbed(predictor: Predictor, upstream: Upstream, folder: Path) -> None:
    """The window is that of a predictor that nothing has happened to, and what is told is told of just that."""
    settings = predictor_settings(folder, ingestion_target=upstream.target)
    async with open_predictor(settings, SettableClock(predictor.clock())) as calm:
        newest = max(forecast.issue_time for forecast in predictor.issuer.board.newest.values())
        await calm.until_issued(newest, stations=len(STATIONS))
        assert sorted(await hours_taken(predictor)) == sorted(await hours_taken(calm))
        told = predictor.issuer.board.newest
        assert {key: one.issue_time for key, one in told.items()} == {
            key: one.issue_time for key, one in calm.issuer.board.newest.items()
        }
    made = await predictions_made(predictor)
    assert len(made) == len(set(made))
    async with open_predictor(predictor.settings, SettableClock(predictor.clock()), follow=False) as restarted:
        known = restarted.issuer
        for forecast in forecast_anew(
            known._runs, known._lineup, known._window, known._window.stations, WeatherBook()
        ).forecasts:
            assert isinstance(forecast.place, Station)
            mine = told[forecast.place.station_id]
            np.testing.assert_allclose(mine.quantiles, forecast.quantiles, rtol=1e-3, atol=0.02)


async def test_forecasts_are_told_with_the_status_of_the_readings_that_they_come_of(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path, NOON) as upstream:
        settings = predictor_settings(tmp_path / "predictor", ingestion_target=upstream.target)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_connected()
            before, rings = predictor.readings.upstream, predictor.bell.rings
            await upstream.measure([reading()])
            assert await predictor.bell.wait(rings, 10)
            after = predictor.readings.upstream
    assert before is not None
    assert before.state is State.STALE
    assert after is not None
    assert not after.reasons


@dataclass(slots=True)
class Follower:
    """Follows the forecasts of one predictor after another, and keeps what came."""

    token: str = ""
    issued: list[tuple[str, datetime]] = field(default_factory=list)

    async def read_to_the_end(self, predictor: Predictor) -> None:
        async for element in follow(predictor.issuer, predictor.bell, self.token, 0.05):
            self.token = element.token.encode()
            self.issued += [(str(forecast.place), forecast.issue_time) for forecast in element.forecasts]
            if not element.forecasts:
                return  # a heartbeat: there is nothing more. The log's last forecast may have been too old to be kept.


async def test_a_backlog_is_taken_and_only_its_newest_hour_forecast(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        await upstream.measure([r for s in STATIONS for r in hours_of_air(s, NOON, 300)])
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_issued(NOON, stations=3)
            assert len(await hours_taken(predictor)) == 900
            # 900 readings are two elements: at most two forecasts a station, whatever order they came in.
            assert predictor.issuer.board.sequence <= 6
            await predictor.until_connected()
            upstream_says = predictor.readings.upstream
            assert upstream_says is not None
            assert upstream_says.state is State.FRESH
            assert predictor.readings.health().state is HealthState.UP


async def test_readings_from_before_the_window_are_not_asked_for(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        await upstream.measure(hours_of_air(JONGNO, NOON, 100))
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target, window_hours=24)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_issued(NOON)
            assert len(await hours_taken(predictor)) == 24


async def test_a_new_hour_is_forecast_as_it_comes(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_connected()
            await upstream.measure([reading(station) for station in STATIONS])
            async with asyncio.timeout(2):
                await predictor.until_issued(NOON, stations=3)


async def test_ingestion_may_go_and_come_back(tmp_path: Path) -> None:
    port, clock = free_port(), SettableClock(NOON)
    settings = predictor_settings(tmp_path, ingestion_target=f"127.0.0.1:{port}")
    async with open_predictor(settings, clock) as predictor:
        assert predictor.readings.upstream is None
        assert predictor.readings.health().state is HealthState.DEGRADED
        async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
            await upstream.measure([reading(station) for station in STATIONS])
            await predictor.until_issued(NOON, stations=3)
            await predictor.until_connected()
        async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
            await upstream.measure([reading(station, NOON + HOUR) for station in STATIONS])
            await predictor.until_issued(NOON + HOUR, stations=3)
            assert predictor.issuer.board.sequence == 6
            await assert_same_as_undisturbed(predictor, upstream, tmp_path / "calm")


async def test_an_ingestion_that_lost_its_store_is_followed_from_the_start(tmp_path: Path) -> None:
    port, clock = free_port(), SettableClock(NOON)
    # Its forecast of a station rests on that station alone.
    settings = predictor_settings(tmp_path, ingestion_target=f"127.0.0.1:{port}", model_path=BASELINE)
    async with open_predictor(settings, clock) as predictor:
        async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
            await upstream.measure([reading(JONGNO), reading(JUNG)])
            await predictor.until_issued(NOON, stations=2)
        shutil.rmtree(tmp_path / "ingestion")
        async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
            # One hour as before, one with another content, one that is new.
            await upstream.measure([reading(JONGNO), reading(JUNG, values=(99, 40, 0.03, 0.02)), reading(CHEONGGYE)])
            await predictor.until_issued(NOON, stations=3)
            await assert_same_as_undisturbed(predictor, upstream, tmp_path / "calm")
            assert {one.station for one in predictor.issuer.board.after(2)} == {CHEONGGYE, JUNG}


async def test_a_predictor_stopped_at_any_moment_goes_on(tmp_path: Path) -> None:
    random_moment, follower, clock = random.Random(7), Follower(), SettableClock(NOON)  # noqa: S311 - no secret
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target)
        await upstream.measure([r for s in STATIONS for r in hours_of_air(s, NOON, 330)])
        for hour in range(1, 13):
            async with open_predictor(settings, clock) as predictor:
                # Stopped while it loads, takes, forecasts or commits: from before the first element to long after.
                await asyncio.sleep(random_moment.uniform(0, 0.15))
                await upstream.measure([reading(station, NOON + hour * HOUR) for station in STATIONS])
            async with _at_rest(settings, clock) as stopped:
                await follower.read_to_the_end(stopped)
        async with open_predictor(settings, clock) as predictor:
            await predictor.until_issued(NOON + 12 * HOUR, stations=3)
            await assert_same_as_undisturbed(predictor, upstream, tmp_path / "calm")
            await follower.read_to_the_end(predictor)
    assert len(follower.issued) == len(set(follower.issued)), "a forecast was told twice"
    assert {time for _, time in follower.issued[-3:]} == {NOON + 12 * HOUR}


@asynccontextmanager
async def _at_rest(settings: PredictorSettings, clock: SettableClock) -> AsyncIterator[Predictor]:
    async with open_predictor(settings, clock, follow=False) as predictor:
        yield predictor


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_predictor_killed_at_any_moment_goes_on(tmp_path: Path) -> None:
    random_moment = random.Random(3)  # noqa: S311 - no secret
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        await upstream.measure([r for s in STATIONS for r in hours_of_air(s, NOON, 330)])
        environment = {
            "CLEANAIR_INGESTION_TARGET": upstream.target,
            "CLEANAIR_NOW": NOON.isoformat(),
        }
        with mesh_processes(tmp_path, environment) as mesh:
            for hour in range(1, 3):
                mesh.start("predictor")
                async with asyncio.timeout(40):
                    while not _has_taken(mesh.folder / "predictor.db"):  # noqa: ASYNC110 - another process's file
                        await asyncio.sleep(0.02)
                await upstream.measure([reading(station, NOON + hour * HOUR) for station in STATIONS])
                await asyncio.sleep(random_moment.uniform(0, 0.05))
                mesh.kill("predictor")
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_issued(NOON + 2 * HOUR, stations=3)
            await assert_same_as_undisturbed(predictor, upstream, tmp_path / "calm")


def _has_taken(database: Path) -> bool:
    """True once a running predictor has stored readings: from then on it may be killed at any moment."""
    if not database.exists():
        return False
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
        suppress(sqlite3.OperationalError),
    ):
        return connection.execute("SELECT 1 FROM reading_window LIMIT 1").fetchone() is not None
    return False


async def test_a_database_that_dies_on_the_way_loses_nothing(tmp_path: Path, postgres_server: PostgresServer) -> None:
    clock = SettableClock(NOON)
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        settings = predictor_settings(
            tmp_path, ingestion_target=upstream.target, database_url=postgres_server.new_database()
        )
        async with open_predictor(settings, clock) as predictor:
            await upstream.measure([r for s in STATIONS for r in hours_of_air(s, NOON, 100)])
            await predictor.until_issued(NOON, stations=3)
            for hour in range(1, 4):
                await upstream.measure([reading(station, NOON + hour * HOUR) for station in STATIONS])
                await asyncio.sleep(0.01 * hour)
                await asyncio.to_thread(postgres_server.kill)
                # What was issued is still told while the database is away.
                assert len(predictor.issuer.board.newest) == 3
                await asyncio.to_thread(postgres_server.start)
            await predictor.until_issued(NOON + 3 * HOUR, stations=3)
            assert await predictor.issuer.reading_token()
            await assert_same_as_undisturbed(predictor, upstream, tmp_path / "calm")
            stored = await predictor.store.newest_forecasts()
            assert {one.sequence for one in stored} == {one.sequence for one in predictor.issuer.board.after(0)}


async def test_forecasts_are_streamed_to_the_right_within_a_second(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path / "ingestion", NOON) as upstream:
        settings = predictor_settings(tmp_path, ingestion_target=upstream.target)
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await predictor.until_connected()
            elements = aiter(follow(predictor.issuer, predictor.bell, "", 0.2))
            assert (await anext(elements)).forecasts == []
            await upstream.measure([reading()])
            async with asyncio.timeout(2):
                while not (element := await anext(elements)).forecasts:
                    pass
            assert element.forecasts[0].issue_time == NOON
