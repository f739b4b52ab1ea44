"""Ingestion: readings stored each second, in batches of an hour and of an upload.

The peer is the bare driver with the same rows for the same table and its indexes: PostgreSQL's COPY of text that is
ready beforehand, SQLite's executemany. It compares nothing, numbers nothing, and checks nothing. Both take turns, batch
by batch, each in a database of its own.
"""

from __future__ import annotations

import io
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import asyncpg
import uvloop
from pydantic import SecretStr

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from bench.figures import Figure
from ingestion.quality.verdict import UNJUDGED
from ingestion.reading import Measurement, Reading
from ingestion.settings import IngestionSettings
from ingestion.store.partitions import Partitions
from ingestion.store.reading_rows import STAGED, Cell, to_row
from ingestion.store.readings import ReadingStore
from mesh.database import Database, upgrade
from tests.backing.postgres import PostgresServer, find_postgres

_STATIONS: Final = 672
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_HOURS: Final = 90
_ADDED: Final = ("created_at", "updated_at", "revision", "sequence")
_SIZES: Final = {"an hour of the country": _STATIONS, "an upload": 5000}

Rows = Sequence[Sequence[Cell]]


class Peer(Protocol):
    """The bare driver."""

    name: str

    def prepare(self, rows: Rows) -> object:
        """Whatever of the work is not counted."""

    async def write(self, prepared: object) -> None:
        """Writes the rows, and commits."""


def measure() -> Iterator[Figure]:
    """Measures with SQLite, then with PostgreSQL where it is installed."""
    yield from _measure("SQLite", lambda: None)
    if find_postgres() is None:
        return
    with PostgresServer.temporary() as server:
        yield from _measure("PostgreSQL", server.new_database)


def _measure(name: str, new_database: Callable[[], str | None]) -> Iterator[Figure]:
    for what, size in _SIZES.items():
        # On the event loop that servers run on.
        yield from uvloop.run(_batches_of(size, f"{name}, {what}", new_database))


async def _batches_of(size: int, what: str, new_database: Callable[[], str | None]) -> list[Figure]:
    async with AsyncExitStack() as stack:
        ours = await _open(stack, new_database())
        store = ReadingStore(ours)
        peer = await _peer(stack, new_database())
        new, bare = await _take_turns(store, peer, size)
        unchanged = await _seconds(store, size, 1.0)
        corrected = await _seconds(store, size, 2.0)
    rows = _STATIONS * _HOURS

    def rate(seconds: float) -> str:
        return f"{rows / seconds:,.0f} readings/s"

    of = f"{rows:,} readings in batches of {size:,}"
    return [
        Figure(f"{what}: new", rate(new), f"{bare / new:.2f} × {peer.name}, {rate(bare)}", of),
        Figure(f"{what}: known, unchanged", rate(unchanged), "", of),
        Figure(f"{what}: corrected", rate(corrected), "", of),
    ]


async def _open(stack: AsyncExitStack, url: str | None) -> Database:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cleanair-bench-"))
    settings = IngestionSettings(data_dir=Path(folder), database_url=SecretStr(url) if url else None)
    await upgrade(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    stack.push_async_callback(database.close)
    await Partitions(database).ensure(_START, _START + timedelta(hours=_HOURS))
    return database


async def _peer(stack: AsyncExitStack, url: str | None) -> Peer:
    database = await _open(stack, url)
    if url is None:
        file = sqlite3.connect(str(database.engine.url.database))
        stack.callback(file.close)
        file.execute("PRAGMA synchronous = NORMAL")
        return _Executemany(file)
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    stack.push_async_callback(connection.close)
    return _Copy(connection)


async def _take_turns(store: ReadingStore, peer: Peer, size: int) -> tuple[float, float]:
    """Seconds of ours and of the peer, for the same rows, all of them new."""
    sequence = count(1)
    ours = theirs = 0.0
    for batch in _batches(size, 1.0):
        prepared = peer.prepare([(*to_row(reading), _START, _START, 1, next(sequence)) for reading in batch])
        started = time.perf_counter()
        await peer.write(prepared)
        between = time.perf_counter()
        await store.save(batch, _START)
        ours, theirs = ours + time.perf_counter() - between, theirs + between - started
    return ours, theirs


async def _seconds(store: ReadingStore, size: int, value: float) -> float:
    total = 0.0
    for batch in _batches(size, value):
        started = time.perf_counter()
        await store.save(batch, _START)
        total += time.perf_counter() - started
    return total


def _batches(size: int, value: float) -> Iterator[list[Reading]]:
    """All readings, hour by hour, in batches."""
    stations = [
        Station(f"station {number}", f"station {number}", Point(33.5 + number * 0.006, 127.0), Network.URBAN)
        for number in range(_STATIONS)
    ]
    measurement = Measurement(
        dict.fromkeys(Pollutant, value),
        air_quality_index=65,
        grade=Grade.MODERATE,
        verdicts=dict.fromkeys(Pollutant, UNJUDGED),
    )
    batch: list[Reading] = []
    for number in range(_HOURS):
        for station in stations:
            batch.append(Reading(station, _START + timedelta(hours=number), measurement))
            if len(batch) == size:
                yield batch
                batch = []
    yield batch


class _Copy:
    name = "bare COPY"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def prepare(self, rows: Rows) -> bytes:
        return "".join("\t".join("\\N" if cell is None else str(cell) for cell in row) + "\n" for row in rows).encode()

    async def write(self, prepared: object) -> None:
        assert isinstance(prepared, bytes)
        await self._connection.copy_to_table(
            "air_quality_readings", source=io.BytesIO(prepared), columns=[*STAGED, *_ADDED]
        )


class _Executemany:
    name = "bare executemany"

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        columns = (*STAGED, *_ADDED)
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT INTO air_quality_readings ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names

    def prepare(self, rows: Rows) -> Rows:
        return [[str(cell) if isinstance(cell, datetime) else cell for cell in row] for row in rows]

    async def write(self, prepared: object) -> None:
        assert isinstance(prepared, list)
        self._file.executemany(self._insert, prepared)
        self._file.commit()
