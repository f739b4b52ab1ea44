"""Looks back at how good the forecasts were: for the status, for Prometheus, and to judge the champion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from prometheus_client import Gauge

from predictor.monitoring import fallback
from predictor.monitoring.fallback import Verdict, judge
from predictor.monitoring.scores import ALL_STATIONS, DailySums, Score, ScoreSums, score_of, summed

_log: Final = structlog.stdlib.get_logger("monitoring")

_LABELS: Final = ("model", "pollutant", "horizon")
_COUNT: Final = Gauge("cleanair_forecast_scored", "Forecasts of the last week that were compared.", _LABELS)
_RMSE: Final = Gauge("cleanair_forecast_rmse", "Their root mean square error, in the pollutant's unit.", _LABELS)
_BIAS: Final = Gauge("cleanair_forecast_bias", "Their mean error, in the pollutant's unit.", _LABELS)
_COVERAGE: Final = Gauge("cleanair_forecast_coverage", "The share of hours inside the 80 % interval.", _LABELS)
_SKILL: Final = Gauge(
    "cleanair_forecast_skill_damped_persistence", "1 - RMSE / RMSE of damped persistence over the same hours.", _LABELS
)
_FALLBACK: Final = Gauge("cleanair_forecast_fallback", "1 while damped persistence forecasts in the champion's place.")
_ISSUED_AT: Final = Gauge("cleanair_forecast_issue_timestamp_seconds", "The newest hour that was forecast from.")
_CACHED: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ScoreSource(Protocol):
    """Knows what scores are made of."""

    async def of_days(self, versions: Collection[str], *, since: datetime, station_id: str) -> DailySums:
        """By version and day; of one station, or of all together."""


@dataclass(frozen=True, slots=True)
class InService:
    """The versions of the models in service."""

    champion: str
    baseline: str
    challenger: str | None = None

    @property
    def versions(self) -> frozenset[str]:
        """Each once."""
        return frozenset(one for one in (self.champion, self.baseline, self.challenger) if one is not None)


class Monitor:
    """Reads scores and makes known what they say.

    Args:
        source: Where they are kept.
    """

    def __init__(self, source: ScoreSource) -> None:
        self._source = source
        self._found: OrderedDict[tuple[InService, datetime, int, str], Sequence[Score]] = OrderedDict()

    async def look_back(self, models: InService, newest: datetime, *, fell_back: bool) -> Verdict:
        """Judges the champion at the newest issue time; `fell_back` is how it has been so far.

        Raises mesh.database.DatabaseUnavailable.
        """
        self._found.clear()
        sums = await self._sums(models, newest, fallback.DAYS, ALL_STATIONS)
        verdict = judge(
            [one for one in sums if one.version == models.champion] if models.champion != models.baseline else [],
            fallback=fell_back,
        )
        _publish([score_of(one) for one in sums], newest, verdict)
        if verdict.fallback and not fell_back:
            _log.warning("the champion has fallen behind", champion=models.champion, alert=verdict.alerts[0])
        elif fell_back and not verdict.fallback:
            _log.info("the champion is back", champion=models.champion)
        return verdict

    async def scores(self, models: InService, newest: datetime, *, days: int, station_id: str) -> Sequence[Score]:
        """The scores of the newest days, in the order of version, pollutant and horizon.

        They are kept until `look_back`: many may ask. Raises mesh.database.DatabaseUnavailable.
        """
        key = models, newest, days, station_id
        if key not in self._found:
            self._found[key] = [score_of(one) for one in await self._sums(models, newest, days, station_id)]
            while len(self._found) > _CACHED:
                self._found.popitem(last=False)
        return self._found[key]

    async def _sums(self, models: InService, newest: datetime, days: int, station_id: str) -> Sequence[ScoreSums]:
        found = await self._source.of_days(
            models.versions, since=_midnight(newest - timedelta(days=days)), station_id=station_id
        )
        return summed(found, baseline=models.baseline, newest_day=(newest - _EPOCH).days)


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _publish(scores: Sequence[Score], newest: datetime, verdict: Verdict) -> None:
    """Sets all series; those of models that serve no more go."""
    for gauge in (_COUNT, _RMSE, _BIAS, _COVERAGE, _SKILL):
        gauge.clear()
    for score in scores:
        labels = (score.version, score.pollutant.value, str(score.horizon))
        _COUNT.labels(*labels).set(score.count)
        _RMSE.labels(*labels).set(score.root_mean_square_error)
        _BIAS.labels(*labels).set(score.bias)
        _COVERAGE.labels(*labels).set(score.coverage)
        if score.skill_damped_persistence is not None:
            _SKILL.labels(*labels).set(score.skill_damped_persistence)
    _FALLBACK.set(verdict.fallback)
    _ISSUED_AT.set(newest.timestamp())
