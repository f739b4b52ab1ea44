"""Issues forecasts: takes readings in, forecasts for the stations that they change, and publishes what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from air.places import Station
from mesh.bell import Bell
from mesh.clock import Clock
from predictor.board import ForecastBoard
from predictor.forecasting import forecast_stations
from predictor.models.model_file import LoadedModel, load
from predictor.store import Issue, LogHead, PredictionStore, Retention
from predictor.weather_book import WeatherSource
from predictor.window import Reading, ReadingWindow, hour_of, time_of

_log: Final = structlog.stdlib.get_logger("issuing")


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The model in use, and since when."""

    loaded: LoadedModel
    loaded_at: datetime


class Issuer:
    """Keeps window, store and board in step; one change at a time. `open` it before use.

    Args:
        store: Where everything is kept.
        loaded: The model to begin with.
        bell: Rung when there is something new on the board.
        clock: For the times at which things are made.
        weather: The weather that forecasts are made with.
        window_hours: How many hours the model sees, and the store keeps.
        retention_hours: How long predictions are kept.
    """

    def __init__(
        self,
        store: PredictionStore,
        loaded: LoadedModel,
        bell: Bell,
        clock: Clock,
        *,
        weather: WeatherSource,
        window_hours: int,
        retention_hours: int,
    ) -> None:
        self._store = store
        self._bell = bell
        self._clock = clock
        self._weather = weather
        self._retention: Final = timedelta(hours=retention_hours)
        self._turn = asyncio.Lock()
        self._window = ReadingWindow(window_hours)
        self._stations: dict[str, Station] = {}
        self._reading_token = ""
        self._dropped_at_hour: int | None = None
        self._in_doubt = True
        self.board = ForecastBoard("", 0, ())
        self.model = ServingModel(loaded, clock())

    @property
    def stations(self) -> Mapping[str, Station]:
        """All stations that have ever reported, by station_id."""
        return self._stations

    @property
    def window_start(self) -> datetime:
        """Readings of this hour and before are of no use any more."""
        return self._clock() - timedelta(hours=self._window.hours)

    async def open(self) -> None:
        """Reads what was known when the process before ended; forecasts anew if its model was another one."""
        async with self._turn:
            await self._load()
            if await self._store.outdated_models(self.model.loaded.sha256):
                await self._reissue(self.model.loaded)

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
        """Forecasts anew: there is weather now where there was none."""
        async with self._turn:
            await self._reissue(self.model.loaded)

    async def reload(self, path: Path) -> bool:
        """Reads the model file again; True when it is another one, with which all forecasts are then made anew.

        Raises ModelUnusable; the model before then serves on.
        """
        loaded = await asyncio.to_thread(load, path)
        async with self._turn:
            if loaded.sha256 == self.model.loaded.sha256:
                return False
            await self._reissue(loaded)
            self.model = ServingModel(loaded, self._clock())
        _log.info("model changed", version=loaded.version, sha256=loaded.sha256)
        return True

    async def _take(self, readings: Sequence[Reading], reading_token: str) -> None:
        window, changed = self._window.with_readings(readings)
        model = self.model.loaded
        asked = changed if window.newest_hour == self._window.newest_hour else window.stations
        forecasts = await asyncio.to_thread(forecast_stations, model, model.model.prior, window, asked, self._weather)
        retention = self._due_retention(window)
        self._in_doubt = True
        issue = await self._store.record(
            _last_of_each_hour(readings, window),
            forecasts,
            reading_token=reading_token,
            model_sha256=model.sha256,
            now=self._clock(),
            retention=retention,
        )
        self._in_doubt = False
        self._window = window
        self._reading_token = reading_token
        self._stations |= {reading.station.station_id: reading.station for reading in readings}
        if retention is not None:
            self._dropped_at_hour = window.newest_hour
            self.board.drop_before(retention.predictions_before)
        await self._publish(issue)
        if issue.forecasts:
            _log.info("issued", forecasts=len(issue.forecasts), readings=len(readings), newest=_newest(issue))

    async def _reissue(self, loaded: LoadedModel) -> None:
        asked = self.board.newest.keys() & self._window.stations.keys()
        forecasts = await asyncio.to_thread(
            forecast_stations, loaded, loaded.model.prior, self._window, asked, self._weather
        )
        issue = await self._store.reissue(forecasts, model_sha256=loaded.sha256, now=self._clock())
        await self._publish(issue)

    async def _publish(self, issue: Issue) -> None:
        if issue.after > self.board.sequence:
            # Another replica has issued in between.
            self.board.put(await self._store.newest_forecasts(self.board.sequence))
        self.board.put(issue.forecasts)
        self._bell.ring()

    async def _catch_up(self) -> None:
        """Takes over what other replicas have issued."""
        head = await self._store.head()
        if head.epoch != self.board.epoch:
            await self._load()
        elif head.sequence > self.board.sequence:
            self.board.put(await self._store.newest_forecasts(self.board.sequence))
        else:
            return
        self._bell.ring()

    async def _load(self) -> None:
        head: LogHead = await self._store.head()
        self._stations = await self._store.stations()
        readings = await self._store.readings(self._stations)
        self._window, _ = ReadingWindow(self._window.hours).with_readings(readings)
        self.board = ForecastBoard(head.epoch, head.sequence, await self._store.newest_forecasts())
        self._reading_token = head.reading_token
        self._in_doubt = False

    def _due_retention(self, window: ReadingWindow) -> Retention | None:
        """What to drop, once for each new hour; counted from the data where they are old, for old days are replayed."""
        newest = window.newest_hour
        if newest is None or newest == self._dropped_at_hour:
            return None
        now = min(time_of(newest), self._clock())
        return Retention(now - timedelta(hours=window.hours), now - self._retention)


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
