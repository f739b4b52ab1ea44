"""Ingestion: readings stored each second in both databases, and streamed to one subscriber.

The peer of storing is the driver's own executemany of the same rows into a table without indexes: no comparison with
what is there, no order of changes.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from pydantic import SecretStr

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from bench.figures import Figure
from cli.readiness import serving
from ingestion.reading import Measurement, Reading
from ingestion.settings import IngestionSettings
from ingestion.store.readings import ReadingStore
from mesh.database import Database, upgrade
from tests.backing.mesh_processes import mesh_processes
from tests.backing.postgres import PostgresServer, find_postgres

_STATIONS: Final = 672
_HOURS: Final = 30
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PEER_COLUMNS: Final = 11


def measure() -> Iterator[Figure]:
    """Measures with SQLite, then with PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder), "SQLite", None))
    if find_postgres() is None:
        return
    with PostgresServer.temporary() as server, tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder), "PostgreSQL", server.new_database()))


async def _measure(folder: Path, name: str, url: str | None) -> list[Figure]:
    settings = IngestionSettings(data_dir=folder, database_url=SecretStr(url) if url else None)
    await upgrade(settings, "ingestion")
    peer = await _peer_seconds(folder, url)
    database = Database.open(settings, "ingestion")
    try:
        store = ReadingStore(database)
        passes = {"new": 1.0, "unchanged": 1.0, "corrected": 2.0}
        seconds = {what: await _save_seconds(store, value) for what, value in passes.items()}
    finally:
        await database.close()
    rows = _STATIONS * _HOURS
    figures = [
        Figure(
            f"{name}: {what} readings saved",
            f"{rows / taken:,.0f} readings/s",
            f"{peer / taken:.2f} × bare executemany" if what == "new" else "",
            f"{_HOURS} hours of {_STATIONS} stations",
        )
        for what, taken in seconds.items()
    ]
    return figures + await _catch_up(folder, name, url)


def _hour(number: int, value: float) -> list[Reading]:
    measurement = Measurement(dict.fromkeys(Pollutant, value), (), air_quality_index=65, grade=Grade.MODERATE)
    return [
        Reading(
            Station(f"station {station}", f"station {station}", Point(37.5, 127.0), Network.URBAN),
            _START + timedelta(hours=number),
            measurement,
        )
        for station in range(_STATIONS)
    ]


async def _save_seconds(store: ReadingStore, value: float) -> float:
    hours = [_hour(number, value) for number in range(_HOURS)]
    started = time.perf_counter()
    for hour in hours:
        await store.save(hour, _START)
    return time.perf_counter() - started


async def _peer_seconds(folder: Path, url: str | None) -> float:
    """Hours one by one as well, each in a transaction."""
    hours = [
        [
            (f"station {station}", "name", 37.5, 127.0, number, *[1.0] * (_PEER_COLUMNS - 5))
            for station in range(_STATIONS)
        ]
        for number in range(_HOURS)
    ]
    kinds = ["text"] * 2 + ["double precision"] * (_PEER_COLUMNS - 2)
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
    if url is None:
        with sqlite3.connect(folder / "peer.db") as file:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute(f"CREATE TABLE peer ({columns})")
            marks = ", ".join("?" * _PEER_COLUMNS)
            started = time.perf_counter()
            for hour in hours:
                file.executemany(f"INSERT INTO peer VALUES ({marks})", hour)  # noqa: S608 - question marks
                file.commit()
            taken = time.perf_counter() - started
        file.close()
        return taken
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute(f"CREATE TABLE peer ({columns})")
    marks = ", ".join(f"${number + 1}" for number in range(_PEER_COLUMNS))
    started = time.perf_counter()
    for hour in hours:
        await connection.executemany(f"INSERT INTO peer VALUES ({marks})", hour)  # noqa: S608 - as above
    taken = time.perf_counter() - started
    await connection.close()
    return taken


async def _catch_up(folder: Path, name: str, url: str | None) -> list[Figure]:
    """A new subscriber gets all that is stored from a server process."""
    environment = {"CLEANAIR_COLLECT_ON_SCHEDULE": "false", **({"CLEANAIR_DATABASE_URL": url} if url else {})}
    rows = _STATIONS * _HOURS
    with mesh_processes(folder, environment) as mesh:
        mesh.start("ingestion")
        await serving(mesh.target("ingestion"))
        async with grpc.aio.insecure_channel(mesh.target("ingestion")) as channel:
            stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
            elements = received = 0
            started = time.perf_counter()
            call = stub.StreamReadings(wire.StreamReadingsRequest())
            async for element in call:
                elements, received = elements + 1, received + len(element.readings)
                if received >= rows:
                    break
            taken = time.perf_counter() - started
            call.cancel()
        mesh.stop("ingestion")
    return [
        Figure(
            f"{name}: StreamReadings to one subscriber",
            f"{received / taken:,.0f} readings/s, {elements / taken:,.0f} messages/s",
            "",
            f"{received:,} readings in {elements} messages",
        )
    ]
