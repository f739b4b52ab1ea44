"""Lists the forecasts that are ready: those of stations on the board, and those at points in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mesh.page_token import PageToken, fingerprint
from predictor.board import ForecastBoard
from predictor.forecast_bytes import KeptForecast
from predictor.prediction_cache import PredictionCache, issue_time_of

DEFAULT_PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """Which forecasts to list; see `ListCachedPredictionsRequest`."""

    station_id: str = ""
    page_size: int = 0
    page_token: str = ""


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Forecasts, newest first; the token of the next page, empty at the end; and how many there are in all."""

    forecasts: Sequence[KeptForecast]
    next_page_token: str
    total: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is listed: by its issue time, and a name that tells it from others; `at_station` unless it is cached."""

    issue_time: datetime
    name: str
    at_station: KeptForecast | None = None

    @property
    def rank(self) -> tuple[float, str]:
        """The place in the list."""
        return -self.issue_time.timestamp(), self.name


async def list_kept(board: ForecastBoard, cache: PredictionCache, question: KeptQuestion) -> KeptPage:
    """The page that the question asks for. What is dropped while pages are read is missing. Raises InvalidPageToken."""
    mark = fingerprint("cached predictions", question.station_id)
    after = _Entry(*_place(question.page_token, mark)) if question.page_token else None
    entries = sorted(await _entries(board, cache, question.station_id), key=lambda entry: entry.rank)
    rest = entries if after is None else [entry for entry in entries if entry.rank > after.rank]
    page = rest[: question.page_size or DEFAULT_PAGE_SIZE]
    cached = await cache.kept([entry.name for entry in page if entry.at_station is None])
    found = (entry.at_station or cached.get(entry.name) for entry in page)
    token = PageToken(page[-1].name, (page[-1].issue_time,)).encode(mark) if len(page) < len(rest) else ""
    return KeptPage([one for one in found if one is not None], token, len(entries))


async def _entries(board: ForecastBoard, cache: PredictionCache, station_id: str) -> list[_Entry]:
    """Of one station; of all and all points when it is empty."""
    at_stations = [
        _Entry(one.forecast.issue_time, one.station.station_id, KeptForecast(one.forecast, one.issued_at))
        for one in board.issued
        if station_id in {"", one.station.station_id}
    ]
    names = [] if station_id else await cache.names()
    return [*at_stations, *(_Entry(issue_time_of(name), name) for name in names)]


def _place(page_token: str, mark: int) -> tuple[datetime, str]:
    token = PageToken.decode(page_token, mark)
    (issue_time,) = token.times
    return issue_time, token.text
