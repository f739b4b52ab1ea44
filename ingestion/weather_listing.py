"""Lists the weather of a place: what was observed, and where nothing was yet, what is forecast."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from air.places import Point
from ingestion.grid import cells_of
from ingestion.store.weather import WeatherStore
from ingestion.weather import Cell, WeatherForecast, WeatherObservation
from mesh.clock import Clock
from mesh.errors import InvalidInput, OutOfRange

PAST: Final = timedelta(hours=24)
AHEAD: Final = timedelta(hours=72)
LONGEST: Final = timedelta(days=31)

_REACH_CELLS: Final = 4
"""Weather this far off, 20 km, still says something of a place."""

LONGEST_LEAD: Final = timedelta(days=2)
"""An hour has been forecast, or nothing is collected there, by an issue that is no older."""

KnownWeather: TypeAlias = WeatherObservation | WeatherForecast


class RangeTooLong(InvalidInput):
    """More hours are asked for than one answer holds."""

    reason = "TIME_RANGE_TOO_LONG"


class OffGrid(OutOfRange):
    """The weather service has no cell there."""

    reason = "POINT_OFF_GRID"


@dataclass(frozen=True, slots=True)
class WeatherQuestion:
    """Which weather to list; see `ListWeatherRequest`."""

    point: Point
    start: datetime | None = None
    end: datetime | None = None
    as_of: datetime | None = None


async def list_weather(store: WeatherStore, question: WeatherQuestion, clock: Clock) -> Sequence[KnownWeather]:
    """By hour: the observation where there is one, else what was issued last. Nothing that was not known `as_of`.

    Of the cell that the point lies in, or else of the nearest within 20 km of which there is weather.
    Raises OffGrid, RangeTooLong or DatabaseUnavailable.
    """
    now = clock()
    as_of = question.as_of or now
    start = question.start or now - PAST
    end = question.end or max(now, start) + AHEAD
    checked_range(start, end)
    cells = cells_of([question.point])
    if not cells:
        raise OffGrid("the weather service covers Korea and its seas: choose a point there", field="point")
    cells = [await _nearest_collected(store, cells[0], start - LONGEST_LEAD)]
    forecasts = await store.latest_forecasts(cells, start, end, as_of=as_of)
    known = known_by_hour(forecasts, await store.observations(cells, start, end), as_of=as_of)
    return [weather for by_hour in known.values() for _, weather in sorted(by_hour.items())]


def known_by_hour(
    forecasts: Iterable[WeatherForecast], observations: Iterable[WeatherObservation], *, as_of: datetime
) -> dict[Cell, dict[datetime, KnownWeather]]:
    """Of each cell and hour the observation, if it is not after `as_of`, or else the forecast that was issued last."""
    known: defaultdict[Cell, dict[datetime, KnownWeather]] = defaultdict(dict)
    for forecast in forecasts:
        other = known[forecast.cell].get(forecast.valid_at)
        if not isinstance(other, WeatherForecast) or forecast.issued_at > other.issued_at:
            known[forecast.cell][forecast.valid_at] = forecast
    for observation in observations:
        if observation.observed_at <= as_of:
            known[observation.cell][observation.observed_at] = observation
    return known


def checked_range(start: datetime, end: datetime) -> None:
    """Raises InvalidInput or RangeTooLong unless there are 31 days at most from `start` to `end`."""
    if start >= end:
        raise InvalidInput("end_time must be after start_time, which is 24 hours ago when unset", field="end_time")
    if end - start > LONGEST:
        raise RangeTooLong(
            f"ask for {LONGEST.days} days at most: end_time is further from start_time", field="end_time"
        )


async def _nearest_collected(store: WeatherStore, cell: Cell, since: datetime) -> Cell:
    """Weather is collected where stations stand: the nearest such cell, this one itself when there is none."""
    reach = range(-_REACH_CELLS, _REACH_CELLS + 1)
    held = await store.held([Cell(cell.nx + east, cell.ny + north) for east in reach for north in reach], since)
    collected = {*held.observed, *(where for where, _ in held.issued)}
    return min(collected, key=lambda one: (one.nx - cell.nx) ** 2 + (one.ny - cell.ny) ** 2, default=cell)
