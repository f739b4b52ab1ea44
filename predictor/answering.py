"""Answers questions about the hours ahead: at stations from the board, at points from the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from air.places import Point
from air.status import DataStatus
from mesh.clock import Clock
from predictor.forecast import Forecast
from predictor.freshness import answer_status, data_status
from predictor.issuing import Issuer
from predictor.kept_listing import KeptPage, KeptQuestion, list_kept
from predictor.models.axes import HORIZON_HOURS
from predictor.points import at_points, require_stations
from predictor.prediction import at_stations, none_ahead
from predictor.prediction_cache import Edition, PredictionCache


class Answers:
    """What is asked of the newest forecasts.

    Args:
        issuer: Its board has the newest forecasts of stations.
        cache: Keeps those at points.
        upstream: What ingestion last said of its readings; None while there is no connection to it.
        clock: Says what is ahead.
    """

    def __init__(
        self, issuer: Issuer, cache: PredictionCache, upstream: Callable[[], DataStatus | None], clock: Clock
    ) -> None:
        self._issuer = issuer
        self._cache = cache
        self._upstream = upstream
        self._clock = clock

    @property
    def hits(self) -> int:
        """How many forecasts were given that were ready."""
        return self._cache.hits

    @property
    def misses(self) -> int:
        """How many had to be worked out."""
        return self._cache.misses

    def at_stations(self, station_ids: Sequence[str], hours: int) -> list[Forecast]:
        """The hours ahead at stations, in the order asked for. Raises UnknownStation, NoForecastYet."""
        known, newest = self._issuer.stations, self._issuer.board.newest
        forecasts = at_stations(station_ids, newest, known, now=self._clock(), hours=hours)
        self._cache.hits += len(forecasts)
        return forecasts

    async def at_points(self, points: Sequence[Point], hours: int) -> list[Forecast]:
        """The hours ahead at points, in the order asked for. Raises NoForecastYet, PointTooFar."""
        now, board = self._clock(), self._issuer.board
        newest = board.newest
        # Before the cache: what is wrong with a request is told by its own fields, whoever asks for the same points.
        require_stations(points, newest, now=now)
        latest = max(newest.values(), key=lambda forecast: forecast.issue_time)
        edition = Edition(latest.issue_time, latest.model_version, board.epoch, board.sequence)

        def work(lacking: Sequence[Point]) -> list[Forecast]:
            return at_points(lacking, newest, now=edition.issue_time, hours=HORIZON_HOURS)

        forecasts = await self._cache.at(edition, points, work)
        return [_ahead(forecast, now, hours, f"points[{place}]") for place, forecast in enumerate(forecasts)]

    def status_of(self, forecasts: Sequence[Forecast], hours: int) -> DataStatus:
        """What an answer of so many hours rests on."""
        return answer_status(self._upstream(), forecasts, hours=hours, now=self._clock())

    def status(self) -> DataStatus:
        """What all that is forecast rests on."""
        board = self._issuer.board
        return data_status(self._upstream(), board.newest_measured_at, simulated=board.simulated, now=self._clock())

    async def kept(self, question: KeptQuestion) -> KeptPage:
        """A page of the forecasts that are ready. Raises InvalidPageToken."""
        return await list_kept(self._issuer.board, self._cache, question)


def _ahead(forecast: Forecast, now: datetime, hours: int, field: str) -> Forecast:
    ahead = forecast.ahead_of(now, hours)
    if ahead is None:
        raise none_ahead("the point", forecast, field)
    return ahead
