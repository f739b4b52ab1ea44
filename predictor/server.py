"""Puts the predictor together and runs it."""

from __future__ import annotations

import grpc
import torch
from cleanair.predictor.v1.prediction_service_pb2_grpc import add_PredictionServiceServicer_to_server
from inference.grpc_inference_service_pb2_grpc import add_GRPCInferenceServiceServicer_to_server

from mesh.bell import Bell
from mesh.channel import open_channel
from mesh.clock import Clock
from mesh.database import Database, prepare
from mesh.health import UP, Health, HealthBoard, HealthState
from mesh.mesh_service import neighbour_health
from mesh.redis_shelf import open_shelf
from mesh.server import GrpcServer, run, serving, until_stopped
from predictor import inference_service
from predictor.answering import Answers
from predictor.inference import Inference
from predictor.inference_service import InferenceService
from predictor.issuing import Issuer, Spans
from predictor.models.model_files import ModelFiles
from predictor.monitoring.monitor import Monitor
from predictor.prediction_cache import ROOM, SHELF, PredictionCache
from predictor.reading_stream import NAME as READINGS
from predictor.reading_stream import ReadingStream
from predictor.registry import Registry
from predictor.service import FULL_NAME, OPERATOR_METHODS, PredictionService
from predictor.serving import Lineup
from predictor.settings import PredictorSettings
from predictor.store import PredictionStore
from predictor.store.registry import RegistryStore
from predictor.store.scores import ScoreStore
from predictor.succession import Succession
from predictor.weather_book import WeatherBook
from predictor.weather_stream import NAME as WEATHER
from predictor.weather_stream import WeatherStream

SERVICE = "predictor"


async def main(settings: PredictorSettings) -> None:
    """Runs the service until the process is told to stop."""
    # Forecasting is a few milliseconds on one core; more threads would only take it from the calls being served.
    torch.set_num_threads(1)
    await prepare(settings, SERVICE)
    database = Database.open(settings, SERVICE)
    try:
        clock = settings.clock()
        async with (
            open_channel(settings.ingestion_target, settings) as channel,
            PredictionCache(open_shelf(settings, SHELF, ROOM), clock) as cache,
        ):
            await _serve(settings, clock, database, channel, cache)
    finally:
        await database.close()


async def _serve(
    settings: PredictorSettings,
    clock: Clock,
    database: Database,
    channel: grpc.aio.Channel,
    cache: PredictionCache,
) -> None:
    bell, weather_book = Bell(), WeatherBook()
    registry = Registry(RegistryStore(database), ModelFiles(settings.model_path, settings.model_folder), clock)
    await registry.open()
    chosen = await registry.chosen()
    monitor = Monitor(ScoreStore(database))
    issuer = Issuer(
        PredictionStore(database),
        Lineup(chosen.champion, registry.baseline, chosen.challenger),
        bell,
        clock,
        monitor=monitor,
        weather=weather_book,
        spans=Spans(settings.window_hours, settings.prediction_retention_hours),
    )
    await issuer.open()
    succession = Succession(registry, issuer.serve, chosen)
    weather = WeatherStream(
        channel, weather_book, clock, poll_seconds=settings.weather_poll_seconds, on_new_cells=issuer.weather_came
    )
    readings = ReadingStream(
        channel,
        issuer,
        heartbeat_seconds=settings.heartbeat_seconds,
        longest_pause_seconds=settings.reconnect_seconds,
        lateness=weather.lateness,
    )
    answers = Answers(issuer, cache, lambda: readings.upstream, clock)
    service = PredictionService(
        issuer, answers, succession, monitor, bell, heartbeat_seconds=settings.heartbeat_seconds
    )
    health = _health(database, issuer, readings, weather, cache)
    health.upstream("ingestion", neighbour_health(channel))
    operator_methods = OPERATOR_METHODS | inference_service.OPERATOR_METHODS
    server = GrpcServer(settings, port=settings.predictor_port, board=health, operator_methods=operator_methods)
    server.add(add_PredictionServiceServicer_to_server, service, FULL_NAME)
    server.on_drain(bell.close)
    with Inference(issuer.calibration_of) as inference:
        models = InferenceService(succession, inference, health.serving)
        server.add(add_GRPCInferenceServiceServicer_to_server, models, inference_service.FULL_NAME)
        async with serving(server, readings.run(), weather.run(), succession.follow(settings.heartbeat_seconds)):
            await until_stopped()


def _health(
    database: Database, issuer: Issuer, readings: ReadingStream, weather: WeatherStream, cache: PredictionCache
) -> HealthBoard:
    async def look_at_database() -> Health:
        await database.ping()
        return UP

    async def look_at_model() -> Health:
        return Health(HealthState.UP, issuer.model.loaded.version)

    async def look_at_readings() -> Health:
        return readings.health()

    async def look_at_weather() -> Health:
        return weather.health()

    async def look_at_cache() -> Health:
        await cache.ping()
        return UP

    health = HealthBoard(SERVICE)
    health.check("database", look_at_database, critical=True)
    health.check("model", look_at_model, critical=True)
    health.check(READINGS, look_at_readings, critical=False)
    health.check(WEATHER, look_at_weather, critical=False)
    # Without it forecasts at points are worked out each time, no more.
    health.check("cache", look_at_cache, critical=False)
    return health


def start() -> None:
    """Runs the predictor's server process."""
    settings = PredictorSettings()
    run(SERVICE, settings, lambda: main(settings))
