"""Fresh: an hour's readings of 40 stations arrive, and their forecasts come down the stream.

Ingestion, the predictor and who asks share one process and its event loop, which is more than a deployment has them do:
the readings are stored, streamed, learnt from, forecast from by all models in service, the forecasts stored, streamed
and read. It begins before ingestion has stored the readings.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import grpc
import numpy as np
import uvloop
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1.prediction_service_pb2_grpc import (
    PredictionServiceStub,
    add_PredictionServiceServicer_to_server,
)

from air.places import Network, Point, Station
from bench.figures import Figure, milliseconds
from ingestion.reading import Measurement, Reading
from ingestion.service import FULL_NAME as INGESTION
from ingestion.service import add_to_server
from mesh.channel import open_channel
from mesh.health import HealthBoard
from mesh.server import GrpcServer, serving
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.service import FULL_NAME as PREDICTOR
from predictor.settings import PredictorSettings
from tests.backing.postgres import PostgresServer, find_postgres
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.predictor.assembly import open_predictor, predictor_settings

_STATIONS: Final = 40
_HOUR: Final = timedelta(hours=1)
_FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BEFORE: Final = 168
_WARMING: Final = 75
"""Until what was said 72 hours before comes true, too."""
_MEASURED: Final = 100
_Stream: TypeAlias = "grpc.aio.UnaryStreamCall[wire.StreamForecastsRequest, wire.StreamForecastsResponse]"
_USUAL: Final = (20.0, 40.0, 0.03, 0.02, 0.5, 0.004)


def measure() -> Iterator[Figure]:
    """Measures with SQLite, then with PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        yield from uvloop.run(_measure("SQLite", Path(folder)))
    if find_postgres() is None:
        return
    with PostgresServer.temporary() as server, tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        yield from uvloop.run(_measure("PostgreSQL", Path(folder), database_url=server.new_database()))


async def _measure(name: str, folder: Path, **settings: object) -> list[Figure]:
    stations = _stations()
    now = _FIRST + _BEFORE * _HOUR
    quick = {"lame_duck_seconds": 0, "stop_grace_seconds": 1, **settings}
    async with assembled(quick_settings(folder, "http://127.0.0.1:9", **quick), now) as ingestion:
        for hour in range(_BEFORE):
            await ingestion.store.save(_readings(stations, hour), now)
        async with _serving(ingestion) as target:
            stored, streamed = await _follow(predictor_settings(folder, ingestion_target=target, **settings), ingestion)
    size = f"{_STATIONS} stations × 72 h, an hour's readings at once, {name}"
    return [
        Figure("new readings to new forecasts on the stream", milliseconds(streamed), "at most 250 ms, p99", size),
        Figure("  of it until ingestion has stored the readings", milliseconds(stored), "", size),
    ]


@asynccontextmanager
async def _serving(ingestion: Assembly) -> AsyncIterator[str]:
    server = GrpcServer(ingestion.settings, port=0, board=HealthBoard("ingestion"))
    server.add(add_to_server, ingestion.service, INGESTION)
    server.on_drain(ingestion.bell.close)
    async with serving(server) as port:
        yield f"127.0.0.1:{port}"


async def _follow(settings: PredictorSettings, ingestion: Assembly) -> tuple[list[float], list[float]]:
    """Seconds of each hour until its readings were stored, and until all of their forecasts had come."""
    stations = _stations()
    async with open_predictor(settings, ingestion.clock) as predictor:
        while predictor.issuer.board.newest_issue_time != _FIRST + (_BEFORE - 1) * _HOUR:
            await predictor.bell.wait(predictor.bell.rings, 1)
        server = GrpcServer(settings, port=0, board=HealthBoard("predictor"))
        server.add(add_PredictionServiceServicer_to_server, predictor.service, PREDICTOR)
        server.on_drain(predictor.bell.close)
        async with serving(server) as port, open_channel(f"127.0.0.1:{port}", settings) as channel:
            stream = PredictionServiceStub(channel).StreamForecasts(wire.StreamForecastsRequest())
            await _read(stream, _FIRST + (_BEFORE - 1) * _HOUR)
            stored, streamed = [], []
            for hour in range(_BEFORE, _BEFORE + _WARMING + _MEASURED):
                readings, at = _readings(stations, hour), _FIRST + hour * _HOUR
                ingestion.clock.now = at
                start = time.perf_counter()
                await ingestion.store.save(readings, at)
                ingestion.bell.ring()
                stored.append(time.perf_counter() - start)
                await _read(stream, at)
                streamed.append(time.perf_counter() - start)
                # Hours are an hour apart: the next begins when the predictor has put everything away.
                await predictor.issuer.reading_token()
            stream.cancel()
    return stored[_WARMING:], streamed[_WARMING:]


async def _read(stream: _Stream, issue_time: datetime) -> None:
    """Returns when the forecasts issued at this time have come, of all stations."""
    seconds, missing = int(issue_time.timestamp()), _STATIONS
    while missing:
        async with asyncio.timeout(30):
            element = await stream.read()
        assert isinstance(element, wire.StreamForecastsResponse)
        missing -= sum(forecast.issue_time.seconds == seconds for forecast in element.forecasts)


def _stations() -> list[Station]:
    random = np.random.default_rng(1)
    places = zip(*(middle + 0.1 * random.normal(size=_STATIONS) for middle in (37.55, 127.0)), strict=True)
    return [
        Station(f"station {number}", f"station {number}", Point(float(at), float(by)), Network.URBAN)
        for number, (at, by) in enumerate(places)
    ]


def _readings(stations: Sequence[Station], hour: int) -> list[Reading]:
    """Made-up air that rises and falls with the day."""
    random = np.random.default_rng(hour)
    day = 1 + 0.3 * math.sin(hour / 24 * 2 * math.pi)
    values = np.array(_USUAL) * day * np.exp(0.1 * random.normal(size=(len(stations), len(_USUAL))))
    return [
        Reading(station, _FIRST + hour * _HOUR, Measurement(dict(zip(INPUT_POLLUTANTS, own.tolist(), strict=True))))
        for station, own in zip(stations, values, strict=True)
    ]
