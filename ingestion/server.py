"""Puts the ingestion service together and runs it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta

import stamina.instrumentation

from ingestion.account import Accounted
from ingestion.change_feed import ChangeFeed
from ingestion.collecting import Collecting, Workshop
from ingestion.feed_metrics import FeedMeter
from ingestion.feeds import chosen, daily_limits, opened
from ingestion.listing_service import Lists
from ingestion.metrics_service import Meters
from ingestion.quality.judge import JudgeInContext
from ingestion.quota import DailyQuota
from ingestion.relay import MOST_ENTRIES, Relay
from ingestion.schedule import Due, Schedule
from ingestion.service import FULL_NAME, OPERATOR_METHODS, IngestionService, add_to_server
from ingestion.settings import IngestionSettings
from ingestion.slots import UPKEEP
from ingestion.store.bulletins import BulletinStore
from ingestion.store.changes import ChangeStore
from ingestion.store.partitions import Partitions
from ingestion.store.quality import ContextStore
from ingestion.store.quality_report import QualityReportStore
from ingestion.store.quotas import QuotaStore
from ingestion.store.readings import ReadingStore
from ingestion.store.runs import RunStore
from ingestion.store.stations import StationStore
from ingestion.store.uploads import UploadStore
from ingestion.store.weather import WeatherStore
from ingestion.stream import ReadingStream, StatusBoard
from ingestion.upkeep import Upkeep
from ingestion.upload import Uploader
from ingestion.wire import ReadingCodec
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.database import Database, prepare
from mesh.health import UP, Check, Health, HealthBoard, HealthState
from mesh.redis_lock import open_locks
from mesh.redis_stream import RedisStream
from mesh.server import GrpcServer, run, serving, until_stopped

SERVICE = "ingestion"

_RUNS_KEPT = timedelta(days=400)


async def main(settings: IngestionSettings) -> None:
    """Runs the service until the process is told to stop."""
    await prepare(settings, SERVICE)
    database, locks = Database.open(settings, SERVICE), open_locks(settings)
    try:
        clock, bell, feeds = settings.clock(), Bell(), chosen(settings)
        quota = DailyQuota(QuotaStore(database), daily_limits(feeds, settings), clock)
        async with opened(feeds, settings, quota, clock) as open_feeds:
            collecting = Workshop(settings, database, quota, locks, bell, clock).collecting(open_feeds)
            limits = {feed.name: feed.daily_limits(settings) for feed in feeds}
            meter = FeedMeter(RunStore(database), QuotaStore(database), limits, clock)
            await _serve(settings, database, collecting, meter, bell)
    finally:
        await locks.close()
        await database.close()


async def _serve(
    settings: IngestionSettings, database: Database, collecting: Collecting, meter: FeedMeter, bell: Bell
) -> None:
    store, clock = ReadingStore(database), meter.clock
    board = StatusBoard(store, collecting.readings, bell, clock, settings.heartbeat_seconds)
    feed = ChangeFeed(ChangeStore(database), ReadingCodec(), bell, settings.stream_window_mebibytes << 20)
    stream = ReadingStream(feed, board, bell, settings.heartbeat_seconds)
    lists = Lists(StationStore(database), WeatherStore(database), BulletinStore(database), clock)
    server = GrpcServer(
        settings,
        port=settings.ingestion_port,
        board=_health(database, collecting),
        operator_methods=OPERATOR_METHODS,
    )
    # When an upload comes says nothing of its readings: it may be of years ago.
    judge = JudgeInContext(ContextStore(database))
    uploader = Uploader(store, StationStore(database), UploadStore(database), judge, bell, clock)
    meters = Meters(meter, QualityReportStore(database), board, clock)
    service = IngestionService(collecting.jobs, lists, meters, uploader, store, stream)
    server.add(add_to_server, service, FULL_NAME)
    server.on_drain(bell.close)
    due = [_upkeep(settings, database, clock), *(collecting.jobs.due() if settings.collect_on_schedule else ())]
    own = [Schedule(due, clock).run(), collecting.accounts.run(), *(one.run() for one in collecting.catch_ups)]
    async with feed, serving(server, *own, *relays(settings, feed, bell)):
        await until_stopped()


def _upkeep(settings: IngestionSettings, database: Database, clock: Clock) -> Due:
    """Each replica keeps the store up, whoever schedules collections: where another has, nothing is left to do."""
    upkeep = Upkeep(
        Partitions(database),
        WeatherStore(database),
        months_ahead=settings.readings_months_ahead,
        months_kept=settings.readings_kept_months,
        forecasts_kept=timedelta(days=settings.weather_forecast_days),
    )
    runs = RunStore(database)

    async def keep_up(_: datetime) -> None:
        await upkeep.keep_up(clock())
        await runs.prune(clock() - _RUNS_KEPT)

    return Due("upkeep", UPKEEP, keep_up)


def _health(database: Database, collecting: Collecting) -> HealthBoard:
    async def look_at_database() -> Health:
        await database.ping()
        return UP

    health = HealthBoard(SERVICE)
    health.check("database", look_at_database, critical=True)
    for name, account in collecting.accounts.by_feed.items():
        health.check(name, _look_at(account), critical=False)
    return health


def _look_at(account: Accounted) -> Check:
    async def look() -> Health:
        return source_health(account)

    return look


def relays(settings: IngestionSettings, feed: ChangeFeed, bell: Bell) -> Sequence[Coroutine[None, None, None]]:
    """What tells other replicas of changes, where there is a Redis to tell them through."""
    if settings.redis_url is None:
        return ()
    news = RedisStream(settings.redis_url.get_secret_value(), "ingestion:changes", max_entries=MOST_ENTRIES)
    return (Relay(feed, news, bell, settings.heartbeat_seconds).run(),)


def source_health(account: Accounted) -> Health:
    """How collection from the source does, as it was seen last."""
    outage, success = account.outage, account.last_success
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
