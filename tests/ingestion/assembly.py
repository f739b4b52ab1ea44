"""The parts of the ingestion service put together as its server does, without the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.catch_up import Bounds, CatchUp, Past
from ingestion.change_feed import ChangeFeed
from ingestion.collection import Collector
from ingestion.feed_metrics import FeedMeter
from ingestion.jobs import Job, Jobs
from ingestion.listing_service import Lists
from ingestion.metrics_service import Meters
from ingestion.quality.judge import JudgeInContext
from ingestion.quota import Unlimited
from ingestion.running import Runner
from ingestion.service import IngestionService
from ingestion.settings import IngestionSettings
from ingestion.slots import READINGS
from ingestion.sources.airkorea import AirKorea
from ingestion.store.bulletins import BulletinStore
from ingestion.store.changes import ChangeStore
from ingestion.store.gaps import GapStore
from ingestion.store.quality import ContextStore
from ingestion.store.quality_report import QualityReportStore
from ingestion.store.quotas import QuotaStore
from ingestion.store.readings import ReadingStore
from ingestion.store.runs import RunStore
from ingestion.store.stations import StationStore
from ingestion.store.uploads import UploadStore
from ingestion.store.weather import WeatherStore
from ingestion.stream import ReadingStream, StatusBoard
from ingestion.upload import Uploader
from ingestion.wire import ReadingCodec
from mesh.bell import Bell
from mesh.database import Database
from mesh.redis_lock import open_locks
from tests.backing.tables import make_tables
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
    runs: RunStore
    catch_up: CatchUp
    jobs: Jobs

    @property
    def service(self) -> IngestionService:
        """What answers over gRPC."""
        database = self.database
        lists = Lists(self.stations, WeatherStore(database), BulletinStore(database), self.clock)
        judge, uploads = JudgeInContext(ContextStore(database)), UploadStore(database)
        uploader = Uploader(self.store, self.stations, uploads, judge, self.bell, self.clock)
        limits = {"airkorea": {"ArpltnInforInqireSvc": 500}}
        feeds = FeedMeter(self.runs, QuotaStore(database), limits, self.clock)
        meters = Meters(feeds, QualityReportStore(database), self.board, self.clock)
        return IngestionService(self.jobs, lists, meters, uploader, self.store, self.stream)


def quick_settings(folder: Path, url: str, **more: object) -> IngestionSettings:
    """No waits between retries, fast heartbeats, and a database in the folder unless told otherwise."""
    quick = {"airkorea_retry_seconds": 0.0, "airkorea_timeout_seconds": 5.0, "heartbeat_seconds": 0.2}
    return IngestionSettings.model_validate({"data_dir": folder, "airkorea_url": url, **quick, **more})


@asynccontextmanager
async def assembled(
    settings: IngestionSettings, now: datetime = NOW, *, clock: SettableClock | None = None
) -> AsyncIterator[Assembly]:
    """The service's parts over a database brought up to date; a clock of the test's own makes `now` idle."""
    clock = clock or SettableClock(now)
    await make_tables(settings, "ingestion")
    database, locks = Database.open(settings, "ingestion"), open_locks(settings)
    try:
        async with AirKorea(settings, Unlimited(), clock) as source:
            bell, store, stations = Bell(), ReadingStore(database), StationStore(database)
            collector = Collector(source, store, stations, bell, clock)
            board = StatusBoard(store, collector, bell, clock, settings.heartbeat_seconds)
            async with ChangeFeed(
                ChangeStore(database), ReadingCodec(), bell, settings.stream_window_mebibytes << 20
            ) as feed:
                stream = ReadingStream(feed, board, bell, settings.heartbeat_seconds)
                runs = RunStore(database)
                runner = Runner(runs, locks, clock)
                past = Past(source, collector.intake, Unlimited(), timedelta(minutes=READINGS.minutes[-1]))
                catch_up = CatchUp(
                    collector, past, GapStore(database), runner, clock, Bounds(timedelta(days=settings.catch_up_days))
                )
                jobs = Jobs(runner, [Job(collector.feed, READINGS, collector.collect, catch_up.wake)])
                yield Assembly(
                    settings=settings,
                    database=database,
                    source=source,
                    store=store,
                    stations=stations,
                    bell=bell,
                    clock=clock,
                    collector=collector,
                    board=board,
                    feed=feed,
                    stream=stream,
                    runs=runs,
                    catch_up=catch_up,
                    jobs=jobs,
                )
    finally:
        await locks.close()
        await database.close()
