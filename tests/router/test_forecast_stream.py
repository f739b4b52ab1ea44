"""The router's field follows the predictor's stream, over restarts of either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cleanair.predictor.v1 import forecast_pb2

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from air.status import DataStatus, State
from mesh.bell import Bell
from mesh.channel import open_channel
from mesh.database import Database
from mesh.health import HealthState
from mesh.resume_token import ResumeToken
from mesh.wire import point_to_wire
from router.exposure.field import MEAN, MEDIAN
from router.exposure.forecast import StationForecast
from router.forecast_stream import ForecastStream
from router.planner import Planner
from router.region import Region
from router.settings import RouterSettings
from router.store import ForecastStore
from tests.backing.tables import make_tables
from tests.router.air_plan import LOWER, NOW, UPPER, forecast
from tests.router.scripted_predictor import ScriptedPredictor, forecast_to_wire, served
from tests.router.street_plan import Edge, at, plan

PM25 = FORECAST_POLLUTANTS.index(Pollutant.PM25)


@dataclass
class Follower:
    """A router's stream with what it stands on."""

    planner: Planner
    stream: ForecastStream
    store: ForecastStore
    news: Bell

    def pm25(self) -> dict[str, float]:
        """The planner's field in the first hour, by station."""
        field = self.planner.known.field
        if field is None:
            return {}
        values = field.values[MEDIAN, PM25, 0].tolist()
        return {station.station_id: value for station, value in zip(field.stations, values, strict=True)}


@pytest.fixture
async def settings(tmp_path: Path) -> RouterSettings:
    quick = {"lame_duck_seconds": 0, "stop_grace_seconds": 0, "heartbeat_seconds": 1, "reconnect_seconds": 0.2}
    settings = RouterSettings.model_validate({"data_dir": tmp_path, **quick})
    await make_tables(settings, "router")
    return settings


@asynccontextmanager
async def following(settings: RouterSettings, port: int) -> AsyncIterator[Follower]:
    """A router process's stream, from its start to its end."""
    planner = Planner([Region(plan([(0, 0), (100, 0)], [Edge(0, 1)]))], stale_after=timedelta(hours=3))
    database = Database.open(settings, "router")
    store, news = ForecastStore(database), Bell()
    async with open_channel(f"127.0.0.1:{port}", settings) as channel:
        stream = ForecastStream(
            channel,
            store,
            planner,
            clock=lambda: NOW,
            heartbeat_seconds=settings.heartbeat_seconds,
            longest_pause_seconds=settings.reconnect_seconds,
            news=news,
        )
        await stream.restore()
        task = asyncio.create_task(stream.run())
        try:
            yield Follower(planner, stream, store, news)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await database.close()


async def until(holds: Callable[[], bool]) -> None:
    """Returns as soon as it holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - it holds in a thread's work, of which no event tells
            await asyncio.sleep(0.01)


def pm25(value: float, station_id: str = "중구") -> StationForecast:
    return forecast({Pollutant.PM25: value}, station_id=station_id)


async def test_the_field_is_as_new_as_the_stream(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0), pm25(20.0, "종로구"))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: router.pm25() == {"중구": 10.0, "종로구": 20.0})
        predictor.issue(pm25(30.0))
        await until(lambda: router.pm25() == {"중구": 30.0, "종로구": 20.0})
        assert (await router.stream.health()).state is HealthState.UP


async def test_who_waits_for_new_air_is_woken_when_it_is_planned_with(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: router.pm25() == {"중구": 10.0})
        seen = router.news.rings
        predictor.issue(pm25(30.0))
        while router.pm25() != {"중구": 30.0}:
            assert await router.news.wait(seen, 10)
            seen = router.news.rings


async def test_what_the_predictor_says_of_its_data_comes_along(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: bool(router.pm25()))
        predictor.status = DataStatus(State.STALE, ("AirKorea does not answer.",))
        await until(lambda: router.planner.known.status == predictor.status)
        assert router.pm25() == {"중구": 10.0}
        await until(lambda: len(predictor.sent) > 4)
        assert (await router.store.load()).status == predictor.status


async def test_after_a_restart_the_router_serves_what_it_kept_and_goes_on_from_there(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0), pm25(20.0, "종로구"))
    async with served(predictor, settings) as port:
        async with following(settings, port) as router:
            await until(lambda: bool(router.pm25()))
        predictor.issue(pm25(30.0))
        predictor.sent.clear()
        async with following(settings, port) as router:
            assert router.pm25() == {"중구": 10.0, "종로구": 20.0}
            await until(lambda: router.pm25() == {"중구": 30.0, "종로구": 20.0})
        assert predictor.asked == ["", ResumeToken(predictor.epoch, 1).encode()]
        assert predictor.sent[0] == 2


async def test_without_a_predictor_the_kept_field_is_served_and_health_says_so(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: bool(router.pm25()))
    async with following(settings, port) as router:
        assert router.pm25() == {"중구": 10.0}
        health = await router.stream.health()
        assert health.state is HealthState.DEGRADED
        assert "not connected yet" in health.detail


async def test_the_stream_goes_on_when_the_predictor_comes_back(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0))
    async with served(predictor, settings) as port:
        router_side = following(settings, port)
        router = await router_side.__aenter__()
        await until(lambda: bool(router.pm25()))
    try:
        again = ScriptedPredictor()
        again.log = predictor.log
        again.issue(pm25(30.0))
        async with served(again, settings, port):
            await until(lambda: router.pm25() == {"중구": 30.0})
            assert again.asked[0] == ResumeToken(predictor.epoch, 1).encode()
            assert 1 not in again.sent
    finally:
        await router_side.__aexit__(None, None, None)


async def test_a_predictor_that_lost_its_log_is_followed_from_the_start(settings: RouterSettings) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(pm25(10.0), pm25(20.0, "종로구"))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: bool(router.pm25()))
    another = ScriptedPredictor(epoch="00000000000000bb")
    async with served(another, settings) as port, following(settings, port) as router:
        await until(lambda: another.asked == [ResumeToken(predictor.epoch, 1).encode(), ""] and len(another.sent) > 2)
        assert router.pm25() == {"중구": 10.0, "종로구": 20.0}
        another.issue(pm25(40.0, "강남구"))
        await until(lambda: router.pm25() == {"강남구": 40.0})
        kept = await router.store.load()
        assert [forecast.station.station_id for forecast in kept.forecasts] == ["강남구"]
        assert kept.resume_token == ResumeToken(another.epoch, 1).encode()


async def test_a_forecast_that_makes_no_sense_is_left_out(settings: RouterSettings) -> None:
    short = forecast_to_wire(pm25(10.0, "short"))
    del short.series[0].median[5:]
    disordered = forecast_to_wire(replace(pm25(10.0, "disordered"), horizon_hours=tuple(range(72, 0, -1))))
    of_a_later_release = forecast_to_wire(pm25(50.0, "later"))
    of_a_later_release.series.add(lower=[1.0] * 72, median=[1.0] * 72, upper=[1.0] * 72).pollutant = 99  # type: ignore[assignment] # a number that a later release may give a meaning
    somewhere = forecast_pb2.Forecast(point=point_to_wire(at(0, 0)))
    predictor = ScriptedPredictor()
    predictor.issue(short, disordered, of_a_later_release, somewhere, pm25(10.0))
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: router.pm25() == {"later": 50.0, "중구": 10.0})


async def test_an_older_predictor_tells_no_mean(settings: RouterSettings) -> None:
    without, short = forecast_to_wire(pm25(10.0)), forecast_to_wire(pm25(10.0, "short"))
    del without.series[0].mean[:]
    del short.series[0].mean[5:]
    predictor = ScriptedPredictor()
    predictor.issue(without, short)
    async with served(predictor, settings) as port, following(settings, port) as router:
        await until(lambda: router.pm25() == {"중구": 10.0})
        field = router.planner.known.field
        assert field is not None
        assert field.values[MEAN, PM25, 0, 0] == pytest.approx(10.0 * (0.3 * LOWER + 0.4 + 0.3 * UPPER))
