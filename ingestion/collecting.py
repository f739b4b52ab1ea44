"""Puts together what collects: for each feed that is open, a collector and a job for each thing that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ingestion.account import Accounted, AccountOfAll
from ingestion.bulletin_collection import BulletinCollector, CollectedBulletins
from ingestion.catch_up import Bounds, CatchUp, Past
from ingestion.collection import Collector
from ingestion.feeds import OpenFeed
from ingestion.intake import Intake, TakenIn
from ingestion.jobs import Job, Jobs
from ingestion.quality.judge import JudgeInContext
from ingestion.quality.validation import Validator
from ingestion.quota import DailyQuota
from ingestion.run import Fence
from ingestion.running import Runner
from ingestion.settings import IngestionSettings
from ingestion.shared_account import SharedAccounts
from ingestion.slots import BULLETINS, VALIDATION, WEATHER
from ingestion.source import BulletinSource, Source, WeatherSource
from ingestion.store.bulletins import BulletinStore
from ingestion.store.gaps import GapStore
from ingestion.store.quality import ContextStore
from ingestion.store.readings import ReadingStore
from ingestion.store.runs import RunStore
from ingestion.store.stations import StationStore
from ingestion.store.weather import WeatherStore
from ingestion.weather import Cell
from ingestion.weather_cells import WeatherCells
from ingestion.weather_collection import WeatherCollector
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.database import Database
from mesh.lock import Locks


@dataclass(frozen=True, slots=True)
class Collecting:
    """What collects.

    Attributes:
        jobs: What is done on schedule, or because an operator asks.
        catch_ups: What fills gaps, once a job has woken it.
        accounts: How each feed does over all replicas; bulletins have a line of their own.
        readings: How all feeds of readings do together.
    """

    jobs: Jobs
    catch_ups: Sequence[CatchUp]
    accounts: SharedAccounts
    readings: Accounted


@dataclass(frozen=True, slots=True)
class Workshop:
    """What collectors are made of: a database, and what one process shares."""

    settings: IngestionSettings
    database: Database
    quota: DailyQuota
    locks: Locks
    bell: Bell
    clock: Clock

    def collecting(self, feeds: Sequence[OpenFeed]) -> Collecting:
        """What collects these feeds."""
        runs = RunStore(self.database)
        runner = Runner(runs, self.locks, self.clock)
        readings: dict[str, Collector] = {}
        weather: dict[str, WeatherCollector] = {}
        bulletins: dict[str, BulletinCollector] = {}
        catch_ups: dict[str, CatchUp] = {}
        jobs: list[Job[TakenIn]] = []
        for feed, ports in ((one.feed, one.ports) for one in feeds):
            if ports.readings is not None:
                collector = readings[feed.name] = self._readings(feed.name, ports.readings)
                job = Job(feed.name, feed.readings_slots, collector.collect)
                if ports.history is not None and self.settings.catch_up_days:
                    settles_after = timedelta(minutes=feed.readings_slots.minutes[-1])
                    past = Past(ports.history, self._intake_of_the_past(), self.quota, settles_after)
                    catch_up = catch_ups[feed.name] = self._catch_up(collector, past, runner)
                    job = Job(feed.name, feed.readings_slots, collector.collect, catch_up.wake)
                jobs.append(job)
            if ports.weather is not None:
                weather[feed.name] = self._weather(feed.name, ports.weather)
            if ports.bulletins is not None:
                bulletins["bulletins"] = self._bulletins(ports.bulletins)
        validator = Validator(ReadingStore(self.database), ContextStore(self.database), self.clock)
        own: dict[str, Accounted] = {**readings, **weather, **bulletins}
        accounts = SharedAccounts(own, runs, self.bell, self.settings.heartbeat_seconds)
        return Collecting(
            Jobs(
                runner,
                readings=jobs,
                bulletins=[_bulletin_job(name, one) for name, one in bulletins.items()],
                weather=[Job(name, WEATHER, one.collect) for name, one in weather.items()],
                validation=[Job("validation", VALIDATION, validator.validate, self.bell.ring)],
            ),
            list(catch_ups.values()),
            accounts,
            AccountOfAll([accounts.by_feed[feed] for feed in readings]),
        )

    def _readings(self, feed: str, source: Source) -> Collector:
        judge = JudgeInContext(ContextStore(self.database), self.clock)
        store, stations = ReadingStore(self.database), StationStore(self.database)
        return Collector(source, store, stations, self.bell, self.clock, feed=feed, judge=judge)

    def _intake_of_the_past(self) -> Intake:
        # That a row of the past arrives now says nothing of its value: this judge has no clock.
        return Intake(ReadingStore(self.database), JudgeInContext(ContextStore(self.database)), self.bell, self.clock)

    def _catch_up(self, collector: Collector, past: Past, runner: Runner) -> CatchUp:
        bounds = Bounds(timedelta(days=self.settings.catch_up_days), self.settings.catch_up_share)
        return CatchUp(collector, past, GapStore(self.database), runner, self.clock, bounds)

    def _weather(self, feed: str, source: WeatherSource) -> WeatherCollector:
        settings, stations = self.settings, StationStore(self.database)
        return WeatherCollector(
            source,
            WeatherStore(self.database),
            WeatherCells(stations, chosen=[Cell(*cell) for cell in settings.kma_cells], most=settings.kma_most_cells),
            self.clock,
            at_once=settings.kma_requests_at_once,
            keep_forecasts=timedelta(days=settings.weather_forecast_days),
            feed=feed,
        )

    def _bulletins(self, source: BulletinSource) -> BulletinCollector:
        return BulletinCollector(source, BulletinStore(self.database), self.clock)


def _bulletin_job(name: str, collector: BulletinCollector) -> Job[CollectedBulletins]:
    async def collect(_: Fence | None) -> CollectedBulletins:
        # Two at once would write the same: there is nothing to fence off.
        return await collector.collect()

    return Job(name, BULLETINS, collect)
