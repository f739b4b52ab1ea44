"""Issues forecasts: takes readings in, forecasts for the stations that they change, and publishes what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from air.places import Station
from mesh.bell import Bell
from mesh.clock import Clock
from predictor.board import ForecastBoard
from predictor.keeping import KeptLearning, Runs, restored
from predictor.limitation import Limitation
from predictor.models.calibration import Calibration
from predictor.models.model_file import LoadedModel
from predictor.monitoring.fallback import Verdict
from predictor.monitoring.monitor import InService, Monitor
from predictor.pending import oldest_kept
from predictor.run import Run
from predictor.serving import Lineup, forecast_anew, step
from predictor.store import Issue, News, Overtaken, PredictionStore, Retention
from predictor.weather_book import WeatherSource
from predictor.window import Reading, ReadingWindow, hour_of, time_of

_log: Final = structlog.stdlib.get_logger("issuing")
_BEFORE_ALL: Final = -1
_SCORES_KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The model in use, and since when."""

    loaded: LoadedModel
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Spans:
    """How many hours back models see and readings are kept, and how long predictions are."""

    window_hours: int
    retention_hours: int


class Issuer:
    """Keeps window, store and board in step; one change at a time. `open` it before use.

    Args:
        store: Where everything is kept.
        lineup: The models to begin with.
        bell: Rung when there is something new on the board.
        clock: For the times at which things are made.
        monitor: Looks back at how good the forecasts were.
        weather: The weather that forecasts are made with.
        spans: How far back it looks, and keeps.
    """

    def __init__(
        self,
        store: PredictionStore,
        lineup: Lineup,
        bell: Bell,
        clock: Clock,
        *,
        monitor: Monitor,
        weather: WeatherSource,
        spans: Spans,
    ) -> None:
        self._store = store
        self._bell = bell
        self._clock = clock
        self._monitor = monitor
        self._weather = weather
        self._verdict = Verdict()
        self._retention: Final = timedelta(hours=spans.retention_hours)
        self._turn = asyncio.Lock()
        self._window = ReadingWindow(spans.window_hours)
        self._stations: dict[str, Station] = {}
        self._reading_token = ""
        self._generation = _BEFORE_ALL
        self._lineup = lineup
        self._runs: Runs = _fresh(lineup)
        self._loaded_at = dict.fromkeys(lineup.models, clock())
        self._dropped_at_hour: int | None = None
        self._in_doubt = True
        self.board = ForecastBoard("", 0, ())

    @property
    def model(self) -> ServingModel:
        """The champion: the model in use."""
        return self._serving(self._lineup.champion)

    @property
    def baseline(self) -> ServingModel:
        """What all models are held against."""
        return self._serving(self._lineup.baseline)

    @property
    def challenger(self) -> ServingModel | None:
        """The model in shadow."""
        return None if self._lineup.challenger is None else self._serving(self._lineup.challenger)

    @property
    def in_service(self) -> InService:
        """The versions of the models in service."""
        challenger = self._lineup.challenger
        return InService(
            self._lineup.champion.version,
            self._lineup.baseline.version,
            None if challenger is None else challenger.version,
        )

    @property
    def verdict(self) -> Verdict:
        """Whether the champion has fallen behind."""
        return self._verdict

    @property
    def calibrated_until(self) -> datetime | None:
        """The newest hour that the champion has learnt from."""
        learned_until = self._runs[self._lineup.champion.sha256].learned_until
        return None if learned_until is None else time_of(learned_until)

    @property
    def stations(self) -> Mapping[str, Station]:
        """All stations that have ever reported, by station_id."""
        return self._stations

    @property
    def window_start(self) -> datetime:
        """Readings of this hour and before are of no use any more."""
        return self._clock() - timedelta(hours=self._window.hours)

    def calibration_of(self, loaded: LoadedModel) -> Calibration:
        """How a model's members are put together: as learnt where it is in service, else as its file says."""
        run = self._runs.get(loaded.sha256)
        return loaded.model.prior if run is None else run.calibration

    async def open(self) -> None:
        """Reads what was known when the process before ended; forecasts anew if its model was another one."""
        async with self._turn:
            await self._load()
            if await self._store.outdated_models(self._lineup.teller.sha256):
                await self._reissue(self._lineup)

    async def reading_token(self) -> str:
        """The token of the last element taken."""
        async with self._turn:
            if self._in_doubt:
                # A transaction ended without a word: only the database knows whether it was committed.
                await self._load()
            return self._reading_token

    async def start_over(self) -> None:
        """Forgets the token: the log of readings is another one now."""
        async with self._turn:
            await self._store.forget_reading_token()
            self._reading_token = ""

    async def take(self, readings: Sequence[Reading], reading_token: str) -> None:
        """Takes one element of the stream of readings, and issues the newest forecast of each station it changes."""
        async with self._turn:
            if readings or reading_token != self._reading_token:
                await self._take(readings, reading_token)
            else:
                await self._catch_up()

    async def weather_came(self) -> None:
        """Forecasts anew where that was done without weather: there is some now."""
        async with self._turn:
            # Another replica may have done so.
            await self._catch_up()
            if any(Limitation.WEATHER_MISSING in told.limitations for told in self.board.newest.values()):
                await self._reissue(self._lineup)

    async def serve(self, champion: LoadedModel, challenger: LoadedModel | None) -> None:
        """Puts other models in service, the challenger in shadow; forecasts are made anew where the champion changed.

        What a model has learnt before it goes on from. As long as this fails, the models before then serve on.
        """
        async with self._turn:
            await self._serve(champion, challenger)

    async def _serve(self, champion: LoadedModel, challenger: LoadedModel | None) -> None:
        lineup = Lineup(champion, self._lineup.baseline, challenger)
        changed = champion.sha256 != self._lineup.champion.sha256
        if not changed and lineup.models.keys() == self._lineup.models.keys():
            return
        if changed and (self._lineup.fallback or await self._store.outdated_models(champion.sha256)):
            await self._reissue(lineup)
        else:
            self._put_in_service(lineup, await self._runs_of(lineup))
        await self._look_back()
        _log.info(
            "models changed", champion=champion.version, challenger=None if challenger is None else challenger.version
        )

    async def _take(self, readings: Sequence[Reading], reading_token: str) -> None:
        while not await self._taken(readings, reading_token):
            await self._follow()

    async def _taken(self, readings: Sequence[Reading], reading_token: str) -> bool:
        """Takes an element; False when another replica was faster, and nothing has been taken."""
        window, changed = self._window.with_readings(readings)
        done = await asyncio.to_thread(step, self._runs, self._lineup, self._window, window, changed, self._weather)
        retention = self._due_retention(window)
        self._in_doubt = True
        try:
            issue = await self._store.record(
                _last_of_each_hour(readings, window),
                done,
                reading_token=reading_token,
                generation=self._generation,
                now=self._clock(),
            )
        except Overtaken:
            return False
        self._in_doubt = False
        self._reading_token = reading_token
        self._stations |= {reading.station.station_id: reading.station for reading in readings}
        if issue.generation == self._generation:
            # All of it had been known, or was older than what is.
            return True
        advanced = window.newest_hour != self._window.newest_hour
        self._window, self._runs = window, done.runs
        if retention is not None:
            self.board.drop_before(retention.predictions_before)
        self._publish(issue)
        if issue.forecasts:
            _log.info("issued", forecasts=len(issue.forecasts), readings=len(readings), newest=_newest(issue))
        if retention is not None:
            await self._store.drop(retention)
            self._dropped_at_hour = window.newest_hour
        if advanced:
            await self._look_back()
        return True

    async def _look_back(self) -> None:
        """Judges the champion by what has come true; what is told from the next issue on goes by that."""
        newest = self._window.newest_hour
        if newest is None:
            return
        # All replicas see the same forecasts, and after a restart they are still there.
        fell_back = any(Limitation.FALLBACK in told.limitations for told in self.board.newest.values())
        self._verdict = await self._monitor.look_back(self.in_service, time_of(newest), fell_back=fell_back)
        self._lineup = replace(self._lineup, fallback=self._verdict.fallback)

    async def _reissue(self, lineup: Lineup) -> None:
        """Forecasts anew for all stations, by these models, and puts them in service."""
        while True:
            runs = await self._runs_of(lineup)
            done = await asyncio.to_thread(
                forecast_anew, runs, lineup, self._window, self._window.stations, self._weather
            )
            self._in_doubt = True
            try:
                issue = await self._store.reissue(done, generation=self._generation, now=self._clock())
            except Overtaken:
                await self._follow()
                continue
            self._in_doubt = False
            self._put_in_service(lineup, done.runs)
            self._publish(issue)
            return

    async def _runs_of(self, lineup: Lineup) -> Runs:
        """The models as they serve; one that has not served here, with what is kept of it."""
        new = {sha256: loaded for sha256, loaded in lineup.models.items() if sha256 not in self._runs}
        kept = await self._store.learning(new) if new else KeptLearning()
        found = await asyncio.to_thread(restored, [Run.fresh(loaded) for loaded in new.values()], kept)
        return {sha256: found[sha256] if sha256 in new else self._runs[sha256] for sha256 in lineup.models}

    def _put_in_service(self, lineup: Lineup, runs: Runs) -> None:
        now = self._clock()
        self._loaded_at = {sha256: self._loaded_at.get(sha256, now) for sha256 in lineup.models}
        self._lineup, self._runs = lineup, runs

    def _serving(self, loaded: LoadedModel) -> ServingModel:
        return ServingModel(loaded, self._loaded_at[loaded.sha256])

    def _publish(self, issue: Issue) -> None:
        self._generation = issue.generation
        self.board.put(issue.forecasts)
        self._bell.ring()

    async def _catch_up(self) -> None:
        """Takes over what other replicas have stored."""
        head = await self._store.head()
        if (head.epoch, head.generation) != (self.board.epoch, self._generation):
            await self._follow()

    async def _follow(self) -> None:
        """Goes on from what other replicas have stored since, learning and forecasts included."""
        news = await self._store.news(self._lineup.models, after_generation=self._generation)
        if news.head.epoch != self.board.epoch or news.head.generation < self._generation:
            await self._load()
        else:
            await self._absorb(news)
            self.board.put(await self._store.newest_forecasts(self.board.sequence))
            await self._look_back()
        self._bell.ring()

    async def _load(self) -> None:
        news = await self._store.news(self._lineup.models)
        issued = await self._store.newest_forecasts()
        self._window, self._runs = ReadingWindow(self._window.hours), _fresh(self._lineup)
        await self._absorb(news)
        self.board = ForecastBoard(news.head.epoch, news.head.sequence, issued)
        await self._look_back()

    async def _absorb(self, news: News) -> None:
        self._in_doubt = True
        self._window, _ = self._window.with_readings(news.readings)
        self._runs = await asyncio.to_thread(restored, self._runs.values(), news.learning)
        self._stations = dict(news.stations)
        self._generation = news.head.generation
        self._reading_token = news.head.reading_token
        self._in_doubt = False

    def _due_retention(self, window: ReadingWindow) -> Retention | None:
        """What to drop, once for each new hour; counted from the data where they are old, for old days are replayed."""
        newest = window.newest_hour
        if newest is None or newest == self._dropped_at_hour:
            return None
        now = min(time_of(newest), self._clock())
        return Retention(
            readings_before=now - timedelta(hours=window.hours),
            predictions_before=now - self._retention,
            pending_before=min(time_of(oldest_kept(newest)), now),
            scores_before=now - _SCORES_KEPT,
        )


def _fresh(lineup: Lineup) -> Runs:
    return {sha256: Run.fresh(loaded) for sha256, loaded in lineup.models.items()}


def _newest(issue: Issue) -> str:
    return max(one.forecast.issue_time for one in issue.forecasts).isoformat(timespec="seconds")


def _last_of_each_hour(readings: Sequence[Reading], window: ReadingWindow) -> list[Reading]:
    """Readings that lie in the window: one a station and hour, the last one given."""
    last = {(reading.station.station_id, hour_of(reading.measured_at)): reading for reading in readings}
    return [
        reading
        for (station_id, hour), reading in last.items()
        if hour > window.stations[station_id].newest_hour - window.hours
    ]
