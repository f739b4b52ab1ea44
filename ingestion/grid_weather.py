"""Lists the weather of all cells that it is collected of, hour by hour, in pages of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingestion.store.weather import WeatherStore
from ingestion.weather import Cell, Sky, WeatherForecast
from ingestion.weather_listing import LONGEST_LEAD, KnownWeather, checked_range, known_by_hour
from mesh.clock import Clock
from mesh.page_token import PageToken, fingerprint

DEFAULT_PAGE_SIZE: Final = 10
"""So many cells of ten days are a few milliseconds of work: other calls are not kept waiting."""

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GridQuestion:
    """Which hours of weather to list; see `ListGridWeatherRequest`."""

    start: datetime
    end: datetime
    page_size: int = 0
    page_token: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class GridWeather:
    """The weather of one cell: of each hour what was observed, or else what the newest forecasts say.

    Attributes:
        cell: The cell.
        start: The first hour.
        columns: Temperature °C, relative humidity %, wind towards the east and the north m/s, and water fallen mm,
            (5, hours), NaN where not given.
        sky: Of each hour that was forecast; None where it was not.
        newest_observed: The newest hour observed; None when none was.
        newest_issue: When the newest of the forecasts was issued; None when no hour was forecast.
        simulated: True when it belongs to the simulated city.
    """

    cell: Cell
    start: datetime
    columns: NDArray[np.float32]
    sky: Sequence[Sky | None]
    newest_observed: datetime | None
    newest_issue: datetime | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class GridPage:
    """Cells from the west, then from the south; and the token of the next page, empty at the end."""

    cells: Sequence[GridWeather]
    next_page_token: str


async def list_grid_weather(store: WeatherStore, question: GridQuestion, clock: Clock) -> GridPage:
    """The page that the question asks for, of the cells still forecast for; of none two days after the last issue.

    Raises InvalidInput, RangeTooLong, InvalidPageToken or DatabaseUnavailable.
    """
    start, end = _next_hour(question.start), question.end
    checked_range(question.start, end)
    mark = fingerprint("grid weather", question.start, end)
    after = _cell_of(PageToken.decode(question.page_token, mark).text) if question.page_token else None
    now, size = clock(), question.page_size or DEFAULT_PAGE_SIZE
    issues = {key: issued for key, issued in (await store.newest_issues(now)).items() if issued >= now - LONGEST_LEAD}
    found = sorted({cell for cell, _ in issues if after is None or cell > after})
    cells = found[:size]
    of_page = {key: issued for key, issued in issues.items() if key[0] in set(cells)}
    forecasts = await store.forecasts(of_page, start, end)
    observations = await store.observations(cells, start, end)
    known = known_by_hour(forecasts, observations, as_of=now)
    page = [_grid_weather(cell, start, _hours(start, end), known.get(cell, {})) for cell in cells]
    if len(found) == len(cells):
        return GridPage(page, "")
    last = cells[-1]
    return GridPage(page, PageToken(f"{last.nx},{last.ny}", ()).encode(mark))


def _grid_weather(cell: Cell, start: datetime, hours: int, known: Mapping[datetime, KnownWeather]) -> GridWeather:
    columns = np.full((5, hours), np.nan, dtype=np.float32)
    sky: list[Sky | None] = [None] * hours
    observed: list[datetime] = []
    issued: list[datetime] = []
    for hour, weather in known.items():
        place, conditions = (hour - start) // _HOUR, weather.conditions
        amount = conditions.precipitation_amount
        columns[:, place] = [
            np.nan if value is None else value
            for value in (
                conditions.temperature,
                conditions.humidity,
                conditions.wind_east,
                conditions.wind_north,
                None if amount is None else amount.number,
            )
        ]
        if isinstance(weather, WeatherForecast):
            sky[place] = weather.sky
            issued.append(weather.issued_at)
        else:
            observed.append(hour)
    simulated = any(weather.simulated for weather in known.values())
    return GridWeather(cell, start, columns, sky, max(observed, default=None), max(issued, default=None), simulated)


def _next_hour(time: datetime) -> datetime:
    return _EPOCH - (_EPOCH - time) // _HOUR * _HOUR


def _hours(start: datetime, end: datetime) -> int:
    return max(-((start - end) // _HOUR), 0)


def _cell_of(text: str) -> Cell:
    nx, ny = text.split(",")
    return Cell(int(nx), int(ny))
