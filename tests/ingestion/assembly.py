"""The parts of the ingestion service put together as its server does, without the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.change_feed import ChangeFeed
from ingestion.collection import Collector
from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.sources.airkorea import AirKorea
from ingestion.store.changes import ChangeStore
from ingestion.store.readings import ReadingStore
from ingestion.store.stations import StationStore
from ingestion.stream import ReadingStream, StatusBoard
from ingestion.wire import ReadingCodec
from mesh.bell import Bell
from mesh.database import Database, upgrade
from tests.ingestion.wire_rows import NOW


class SettableClock:
    """Shows the time that a test sets, and stands still."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Moves on."""
        self.now += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts."""

    settings: IngestionSettings
    database: Database
    source: AirKorea
    store: ReadingStore
    stations: StationStore
    bell: Bell
    clock: SettableClock
    collector: Collector
    board: StatusBoard
    feed: ChangeFeed
    stream: ReadingStream


def quick_settings(folder: Path, url: str, **more: object) -> IngestionSettings:
    """No waits between retries, fast heartbeats, and a database in the folder unless told otherwise."""
    quick = {"airkorea_retry_seconds": 0.0, "airkorea_timeout_seconds": 5.0, "heartbeat_seconds": 0.2}
    return IngestionSettings.model_validate({"data_dir": folder, "airkorea_url": url, **quick, **more})


@asynccontextmanager
async def assembled(settings: IngestionSettings, now: datetime = NOW) -> AsyncIterator[Assembly]:
    """The service's parts over a database brought up to date."""
    await upgrade(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    try:
        clock = SettableClock(now)
        async with AirKorea(settings, Unlimited(), clock) as source:
            bell, store, stations = Bell(), ReadingStore(database), StationStore(database)
            collector = Collector(source, store, stations, bell, clock)
            board = StatusBoard(store, collector, bell, clock, settings.heartbeat_seconds)
            async with ChangeFeed(
                ChangeStore(database), ReadingCodec(), bell, settings.stream_window_mebibytes << 20
            ) as feed:
                stream = ReadingStream(feed, board, bell, settings.heartbeat_seconds)
                yield Assembly(settings, database, source, store, stations, bell, clock, collector, board, feed, stream)
    finally:
        await database.close()
