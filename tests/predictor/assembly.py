"""The predictor and, to its left, ingestion: the real parts of both, put together as their servers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import grpc

from ingestion.reading import Measurement
from ingestion.reading import Reading as CollectedReading
from ingestion.service import FULL_NAME as INGESTION
from ingestion.service import add_to_server
from mesh.bell import Bell
from mesh.channel import open_channel
from mesh.database import Database
from mesh.health import HealthBoard
from mesh.redis_shelf import open_shelf
from mesh.server import GrpcServer, serving
from predictor.answering import Answers
from predictor.issuing import Issuer, Spans
from predictor.models.model_files import ModelFiles
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.monitoring.monitor import Monitor
from predictor.prediction_cache import ROOM, SHELF, PredictionCache
from predictor.reading_stream import ReadingStream
from predictor.registry import Registry
from predictor.service import PredictionService
from predictor.serving import Lineup
from predictor.settings import PredictorSettings
from predictor.store import PredictionStore
from predictor.store.registry import RegistryStore
from predictor.store.scores import ScoreStore
from predictor.succession import Succession
from predictor.weather_book import WeatherBook
from predictor.weather_stream import WeatherStream
from predictor.window import Reading
from tests.backing.tables import make_tables
from tests.ingestion.assembly import Assembly as Ingestion
from tests.ingestion.assembly import SettableClock, assembled, quick_settings

HEARTBEAT_SECONDS = 1.0
"""Three of them without a word, and a neighbour is taken for dead: long enough for a busy machine."""


def predictor_settings(folder: Path, **more: object) -> PredictorSettings:
    """A predictor whose database is in the folder unless told otherwise."""
    quick = {
        "data_dir": folder,
        "operator_api_key": "an operator's key",
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "reconnect_seconds": 0.2,
        "lame_duck_seconds": 0,
        "stop_grace_seconds": 1,
    }
    return PredictorSettings.model_validate({**quick, **more})


@dataclass(frozen=True, slots=True)
class Predictor:
    """The parts of a predictor."""

    settings: PredictorSettings
    clock: SettableClock
    database: Database
    store: PredictionStore
    issuer: Issuer
    cache: PredictionCache
    succession: Succession
    bell: Bell
    readings: ReadingStream
    weather: WeatherStream
    service: PredictionService

    async def until_connected(self) -> None:
        """Returns when ingestion has said how it does."""
        async with asyncio.timeout(10):
            while self.readings.upstream is None:  # noqa: ASYNC110 - a subscription tells nobody that it connects
                await asyncio.sleep(0.01)

    async def until_issued(self, issue_time: datetime, stations: int = 1) -> None:
        """Returns when so many stations have a forecast issued at this time."""
        async with asyncio.timeout(20):
            while True:
                rings = self.bell.rings
                issued = [one.issue_time for one in self.issuer.board.newest.values()]
                if sum(time == issue_time for time in issued) >= stations:
                    return
                await self.bell.wait(rings, 1)


@asynccontextmanager
async def open_predictor(
    settings: PredictorSettings, clock: SettableClock, *, follow: bool = True
) -> AsyncIterator[Predictor]:
    """A predictor over a database brought up to date; `follow` whether it takes readings from ingestion."""
    await make_tables(settings, "predictor")
    database, bell = Database.open(settings, "predictor"), Bell()
    try:
        async with (
            open_channel(settings.ingestion_target, settings) as channel,
            PredictionCache(open_shelf(settings, SHELF, ROOM), clock) as cache,
        ):
            predictor = await _put_together(settings, clock, database, bell, channel, cache)
            if not follow:
                yield predictor
                return
            # A group, so that a test fails with what the following failed of.
            async with asyncio.TaskGroup() as group:
                following = [
                    group.create_task(predictor.readings.run()),
                    group.create_task(predictor.weather.run()),
                    group.create_task(predictor.succession.follow(settings.heartbeat_seconds)),
                ]
                yield predictor
                for task in following:
                    task.cancel()
    finally:
        await database.close()


async def _put_together(
    settings: PredictorSettings,
    clock: SettableClock,
    database: Database,
    bell: Bell,
    channel: grpc.aio.Channel,
    cache: PredictionCache,
) -> Predictor:
    store, weather = PredictionStore(database), WeatherBook()
    registry = Registry(RegistryStore(database), ModelFiles(settings.model_path, settings.model_folder), clock)
    await registry.open()
    chosen = await registry.chosen()
    monitor = Monitor(ScoreStore(database))
    issuer = Issuer(
        store,
        Lineup(chosen.champion, registry.baseline, chosen.challenger),
        bell,
        clock,
        monitor=monitor,
        weather=weather,
        spans=Spans(settings.window_hours, settings.prediction_retention_hours),
    )
    await issuer.open()
    succession = Succession(registry, issuer.serve, chosen)
    weather_stream = WeatherStream(
        channel, weather, clock, poll_seconds=settings.weather_poll_seconds, on_new_cells=issuer.weather_came
    )
    readings = ReadingStream(
        channel,
        issuer,
        heartbeat_seconds=settings.heartbeat_seconds,
        longest_pause_seconds=settings.reconnect_seconds,
        lateness=weather_stream.lateness,
    )
    answers = Answers(issuer, cache, lambda: readings.upstream, clock)
    service = PredictionService(
        issuer, answers, succession, monitor, bell, heartbeat_seconds=settings.heartbeat_seconds
    )
    return Predictor(
        settings, clock, database, store, issuer, cache, succession, bell, readings, weather_stream, service
    )


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running ingestion, into which a test measures."""

    parts: Ingestion
    port: int

    @property
    def target(self) -> str:
        """Where it answers."""
        return f"127.0.0.1:{self.port}"

    async def measure(self, readings: Iterable[Reading]) -> None:
        """Stores readings as a collection does, and tells those who follow."""
        collected = [_collected(reading) for reading in readings]
        await self.parts.store.save(collected, self.parts.clock())
        self.parts.bell.ring()


@asynccontextmanager
async def run_ingestion(folder: Path, now: datetime, *, port: int = 0) -> AsyncIterator[Upstream]:
    """An ingestion server whose database is in the folder. It collects from nowhere: a test gives it readings."""
    settings = quick_settings(folder, "http://127.0.0.1:9", lame_duck_seconds=0, stop_grace_seconds=1)
    async with assembled(settings, now) as parts:
        server = GrpcServer(settings, port=port, board=HealthBoard("ingestion"))
        server.add(add_to_server, parts.service, INGESTION)
        server.on_drain(parts.bell.close)
        async with serving(server) as bound:
            yield Upstream(parts, bound)


def _collected(reading: Reading) -> CollectedReading:
    values = zip(INPUT_POLLUTANTS, reading.values, strict=True)
    measurement = Measurement({pollutant: value for pollutant, value in values if value is not None})
    return CollectedReading(reading.station, reading.measured_at, measurement)
