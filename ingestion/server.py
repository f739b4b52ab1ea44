"""Puts the ingestion service together and runs it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

import stamina.instrumentation

from ingestion.change_feed import ChangeFeed
from ingestion.collection import Collector
from ingestion.quota import Unlimited
from ingestion.relay import MOST_ENTRIES, Relay
from ingestion.schedule import Schedule
from ingestion.service import FULL_NAME, OPERATOR_METHODS, IngestionService, add_to_server
from ingestion.settings import IngestionSettings
from ingestion.sources.airkorea import AirKorea
from ingestion.store.changes import ChangeStore
from ingestion.store.readings import ReadingStore
from ingestion.store.stations import StationStore
from ingestion.stream import ReadingStream, StatusBoard
from ingestion.wire import ReadingCodec
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.database import Database, prepare
from mesh.health import UP, Health, HealthBoard, HealthState
from mesh.redis_stream import RedisStream
from mesh.server import GrpcServer, run, serving, until_stopped

SERVICE = "ingestion"


async def main(settings: IngestionSettings) -> None:
    """Runs the service until the process is told to stop."""
    await prepare(settings, SERVICE)
    database = Database.open(settings, SERVICE)
    try:
        clock = settings.clock()
        async with AirKorea(settings, Unlimited(), clock) as source:
            await _serve(settings, database, source, clock)
    finally:
        await database.close()


async def _serve(settings: IngestionSettings, database: Database, source: AirKorea, clock: Clock) -> None:
    bell, store = Bell(), ReadingStore(database)
    collector = Collector(source, store, StationStore(database), bell, clock)
    board = StatusBoard(store, collector, bell, clock, settings.heartbeat_seconds)
    feed = ChangeFeed(ChangeStore(database), ReadingCodec(), bell, settings.stream_window_mebibytes << 20)
    stream = ReadingStream(feed, board, bell, settings.heartbeat_seconds)

    async def look_at_database() -> Health:
        await database.ping()
        return UP

    async def look_at_airkorea() -> Health:
        return source_health(collector)

    health = HealthBoard(SERVICE)
    health.check("database", look_at_database, critical=True)
    health.check("airkorea", look_at_airkorea, critical=False)
    server = GrpcServer(settings, port=settings.ingestion_port, board=health, operator_methods=OPERATOR_METHODS)
    server.add(
        add_to_server,
        IngestionService(collector, store, stream, board, clock),
        FULL_NAME,
    )
    server.on_drain(bell.close)
    tasks = [Schedule(collector, clock).run()] if settings.collect_on_schedule else []
    async with feed, serving(server, *tasks, *relays(settings, feed, bell)):
        await until_stopped()


def relays(settings: IngestionSettings, feed: ChangeFeed, bell: Bell) -> Sequence[Coroutine[None, None, None]]:
    """What tells other replicas of changes, where there is a Redis to tell them through."""
    if settings.redis_url is None:
        return ()
    news = RedisStream(settings.redis_url.get_secret_value(), "ingestion:changes", max_entries=MOST_ENTRIES)
    return (Relay(feed, news, bell, settings.heartbeat_seconds).run(),)


def source_health(collector: Collector) -> Health:
    """How collection from the source does, as it was seen last."""
    outage, success = collector.outage, collector.last_success
    last = f"last collected at {success.isoformat(timespec='seconds')}" if success is not None else "not collected yet"
    if outage is None:
        return Health(HealthState.UP, last)
    since = outage.since.isoformat(timespec="seconds")
    return Health(HealthState.DEGRADED, f"failing since {since} with code {outage.code}; {last}")


def start() -> None:
    """Runs the ingestion server process."""
    settings = IngestionSettings()
    # A retry is no news: an outage is logged once, where collection ends.
    stamina.instrumentation.set_on_retry_hooks([])
    run(SERVICE, settings, lambda: main(settings))
