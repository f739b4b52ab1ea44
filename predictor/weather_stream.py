"""Asks ingestion for the weather, again and again, and keeps the book of it up to date."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import grpc
import numpy as np
import structlog
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import weather_pb2
from cleanair.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from prometheus_client import Counter, Gauge

from mesh.clock import Clock
from mesh.errors import CleanAirError
from mesh.health import Health, HealthState
from mesh.interceptors.errors import reason_of
from mesh.wire import time_from_wire, time_to_wire
from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS
from predictor.weather_book import LATE_HOURS, CellKey, GridHours, WeatherBook
from predictor.window import hour_of, time_of

NAME: Final = "weather"

_log: Final = structlog.stdlib.get_logger("weather")

_FAILED: Final = Counter("cleanair_weather_polls_failed", "Times that ingestion did not tell its weather.", ["cause"])

_NEWEST_ISSUE: Final = Gauge(
    "cleanair_weather_newest_issue_seconds", "When the newest weather forecast known was issued, Unix time."
)

_FIRST_DELAY_S: Final = 0.5
_UNTIL_ANY_S: Final = 15.0
_SOON: Final = 40
"""So many times weather that there is none of is asked for as often: it is collected soon after readings first are."""

_LATE: Final = timedelta(hours=4)
"""Forecasts are issued every hour, and the one for three days every three."""

_MOST_PAGES: Final = 200
"""More cells than the grid's whole land has; what goes on for ever is a defect."""

_CLOUD_TENTHS: Final = np.array([np.nan, 2.5, 7.0, 9.5], dtype=np.float32)
"""By `Weather.Sky`; see `weather_input.FORESEEN`."""


class EndlessWeather(CleanAirError):
    """Page follows page without end."""

    reason = "TOO_MANY_PAGES"


class UnevenWeather(CleanAirError):
    """Columns differ in length."""

    reason = "UNEVEN_COLUMNS"


class WeatherStream:
    """Keeps a book up to date from `IngestionService.ListGridWeather`.

    Weather is published twice an hour, and an hour's answer is small: who asks every few minutes for all of it needs no
    token, and no replica depends on another.

    Args:
        channel: To ingestion.
        book: What is kept up to date.
        clock: Which hours to ask for.
        poll_seconds: How long to wait between questions, a fifth more or less.
        on_new_cells: Called when there is weather where there was none: forecasts made without can be made better.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        book: WeatherBook,
        clock: Clock,
        *,
        poll_seconds: float,
        on_new_cells: Callable[[], Awaitable[None]],
    ) -> None:
        self._stub = IngestionServiceStub(channel)
        self._book = book
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._on_new_cells = on_new_cells
        self._trouble = "not asked yet"
        self._newest_issue: datetime | None = None
        self._new_cells = False

    @property
    def newest_issue(self) -> datetime | None:
        """When the newest forecast in the book was issued; None when there is none."""
        return self._newest_issue

    def lateness(self) -> str:
        """What to say of weather that is known, and older than it would be if all went well; empty otherwise."""
        issue = self._newest_issue
        if issue is None or self._clock() - issue <= _LATE:
            return ""
        return f"The newest weather forecast is of {_minute(issue)}."

    async def run(self) -> None:
        """Asks until cancelled."""
        failures = asked = 0
        while True:
            cause = await self._poll()
            self._tell(cause)
            failures, asked = failures + 1 if cause else 0, asked + 1
            await asyncio.sleep(self._delay(failures, asked))

    def health(self) -> Health:
        """Whether ingestion told its weather when it was asked last, and how new that is."""
        issue = self._newest_issue
        known = "none is known" if issue is None else f"the newest forecast is of {_minute(issue)}"
        if self._trouble:
            return Health(HealthState.DEGRADED, f"{self._trouble}; {known}")
        return Health(HealthState.UP, known)

    async def _poll(self) -> str:
        """Asks once; why it failed, or nothing."""
        try:
            held = self._book.cells
            cells = await self._ask(LATE_HOURS if held else WINDOW_HOURS + LATE_HOURS)
            strangers = held and {_key(cell) for cell in cells} - held
            if strangers:
                cells = await self._ask(WINDOW_HOURS + LATE_HOURS)
            if cells:
                # An ingestion that has lost its weather does not make what is known of it wrong.
                self._book.put(grid_hours(cells))
                issues = (cell.newest_issue_time for cell in cells if cell.HasField("newest_issue_time"))
                self._newest_issue = max(map(time_from_wire, issues), default=self._newest_issue)
                if self._newest_issue is not None:
                    _NEWEST_ISSUE.set(self._newest_issue.timestamp())
            if strangers or (cells and not held):
                self._new_cells = True
                _log.info("weather known", cells=len(cells), newest_issue=str(self._newest_issue))
            if self._new_cells:
                await self._on_new_cells()
                self._new_cells = False
        except grpc.aio.AioRpcError as error:
            return reason_of(error) or error.code().name
        except CleanAirError as error:
            return error.reason
        return ""

    async def _ask(self, hours_back: int) -> list[weather_pb2.GridWeather]:
        hour = hour_of(self._clock())
        request = wire.ListGridWeatherRequest(
            start_time=time_to_wire(time_of(hour - hours_back)),
            end_time=time_to_wire(time_of(hour + HORIZON_HOURS + 1)),
        )
        cells: list[weather_pb2.GridWeather] = []
        for _ in range(_MOST_PAGES):
            answer: wire.ListGridWeatherResponse = await self._stub.ListGridWeather(request)
            cells += answer.cells
            request.page_token = answer.next_page_token
            if not answer.next_page_token:
                return cells
        raise EndlessWeather(f"the weather of all cells has more than {_MOST_PAGES} pages")

    def _tell(self, cause: str) -> None:
        if cause:
            _FAILED.labels(cause).inc()
        if cause and cause != self._trouble:
            # Once an outage, not once a question.
            _log.warning("weather not told", cause=cause, newest_issue=str(self._newest_issue))
        self._trouble = cause

    def _delay(self, failures: int, asked: int) -> float:
        """Seconds to the next question, with jitter, so that replicas do not ask in step."""
        if failures:
            longest = min(_FIRST_DELAY_S * 2.0 ** min(failures, 16), self._poll_seconds)
            return random.uniform(longest / 2, longest)  # noqa: S311 - jitter is no secret
        soon = asked < _SOON and not self._book.cells
        usual = min(_UNTIL_ANY_S, self._poll_seconds) if soon else self._poll_seconds
        return usual * random.uniform(0.8, 1.2)  # noqa: S311 - likewise


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%MZ}"


def grid_hours(cells: Sequence[weather_pb2.GridWeather]) -> GridHours:
    """One answer's cells, of the same hours. Raises UnevenWeather."""
    hours = [_hours(cell) for cell in cells]
    if len({len(values) for values in hours}) > 1:
        raise UnevenWeather("cells of one answer have different hours")
    return GridHours(
        cells=tuple(_key(cell) for cell in cells),
        latitude=np.array([cell.cell.centre.latitude for cell in cells]),
        longitude=np.array([cell.cell.centre.longitude for cell in cells]),
        start_hour=hour_of(time_from_wire(cells[0].start_time)),
        values=np.stack(hours),
    )


def _hours(cell: weather_pb2.GridWeather) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    east, north = np.array(cell.wind_east_mps), np.array(cell.wind_north_mps)
    sky = np.array(cell.sky, dtype=np.int64)
    columns = (
        np.array(cell.temperature_celsius),
        np.array(cell.humidity_percent),
        east,
        north,
        np.array(cell.precipitation_mm),
        _CLOUD_TENTHS[np.where(sky < len(_CLOUD_TENTHS), sky, 0)],
    )
    if len({len(column) for column in columns}) > 1:
        raise UnevenWeather("columns of one cell have different hours")
    temperature, humidity, _, _, water, clouds = columns
    return np.stack(
        [temperature, humidity, east, north, np.hypot(east, north), water, clouds], axis=-1, dtype=np.float32
    )


def _key(cell: weather_pb2.GridWeather) -> CellKey:
    return CellKey(cell.cell.nx, cell.cell.ny)
