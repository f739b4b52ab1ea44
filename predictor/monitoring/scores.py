"""Scores, worked out from sums over forecasts that have come true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from air.pollutants import Pollutant

RECENT_DAYS: Final = 3
"""Drift is that of the newest days, so many."""

_LEAST_RECENT: Final = 24


@dataclass(frozen=True, slots=True)
class ScoreSums:
    """Sums over one model's forecasts of one pollutant so many hours ahead; errors are forecast minus measured.

    Attributes:
        count: How many were compared with what was measured.
        error: Of the mean.
        absolute_error: Of the median.
        squared_error: Of the mean.
        inside: How many hours lay in the 80 % interval.
        compared_squared_error: Of the mean, over those that persistence said something of, too.
        persistence_squared_error: That of persistence, over the same.
        beside_count: On days when damped persistence forecast the same hours: how many there were.
        beside_squared_error: Of the mean, over those.
        baseline_squared_error: That of damped persistence, over the same.
        recent_count: Of the newest RECENT_DAYS: how many there were.
        recent_squared_error: Of the mean, over those.
    """

    version: str
    pollutant: Pollutant
    horizon: int
    count: int
    error: float
    absolute_error: float
    squared_error: float
    inside: int
    compared_squared_error: float
    persistence_squared_error: float
    beside_count: int
    beside_squared_error: float
    baseline_squared_error: float
    recent_count: int
    recent_squared_error: float


@dataclass(frozen=True, slots=True)
class Score:
    """How good one model's forecasts of one pollutant were, so many hours ahead. Errors are in the pollutant's unit.

    Attributes:
        bias: The mean of forecast minus measured.
        coverage: The share of hours inside the 80 % interval.
        skill_persistence: 1 - RMSE / RMSE of persistence over the same hours; None where there is none of it.
        skill_damped_persistence: The same of damped persistence, as the baseline forecast it.
        drift: The RMSE of the newest RECENT_DAYS over that of all; None with too few.
    """

    version: str
    pollutant: Pollutant
    horizon: int
    count: int
    mean_absolute_error: float
    root_mean_square_error: float
    bias: float
    coverage: float
    skill_persistence: float | None
    skill_damped_persistence: float | None
    drift: float | None


def score_of(sums: ScoreSums) -> Score:
    """The score that sums over one forecast or more amount to."""
    squared = sums.squared_error / sums.count
    recent = sums.recent_squared_error / sums.recent_count if sums.recent_count >= _LEAST_RECENT else None
    return Score(
        version=sums.version,
        pollutant=sums.pollutant,
        horizon=sums.horizon,
        count=sums.count,
        mean_absolute_error=sums.absolute_error / sums.count,
        root_mean_square_error=math.sqrt(squared),
        bias=sums.error / sums.count,
        coverage=sums.inside / sums.count,
        skill_persistence=_skill(sums.compared_squared_error, sums.persistence_squared_error),
        skill_damped_persistence=_skill(sums.beside_squared_error, sums.baseline_squared_error),
        drift=math.sqrt(recent / squared) if recent is not None and squared > 0 else None,
    )


def _skill(squared_error: float, reference: float) -> float | None:
    return 1 - math.sqrt(squared_error / reference) if reference > 0 else None
