"""Scores, worked out from sums over forecasts that have come true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.maturing import SCORED, SUMS, Sums

RECENT_DAYS: Final = 3
"""Drift is that of the newest days, so many."""

_LEAST_RECENT: Final = 24


ALL_STATIONS: Final = ""
"""Stands for all stations together."""

DailySums = Mapping[tuple[str, int], Sums]
"""By version and day (since 1970-01-01, UTC): (SCORED, pollutants, SUMS)."""


@dataclass(frozen=True, slots=True)
class ScoreSums:
    """Sums over one model's forecasts of one pollutant so many hours ahead, on some days.

    Attributes:
        all: By the names in `maturing.SUMS`, over all days.
        recent: The same over the newest RECENT_DAYS.
        beside: The same over those days on which as many forecasts of damped persistence came true: they are of the
            same hours then.
        baseline: The same of damped persistence, on those days.
        days_beside: How many days these are.
    """

    version: str
    pollutant: Pollutant
    horizon: int
    all: Mapping[str, float]
    recent: Mapping[str, float]
    beside: Mapping[str, float]
    baseline: Mapping[str, float]
    days_beside: int


def summed(days: DailySums, *, baseline: str, newest_day: int) -> list[ScoreSums]:
    """What is summed of each version, pollutant and horizon that there is anything of, in this order."""
    of_version: dict[str, dict[int, Sums]] = {}
    for (version, day), own in days.items():
        of_version.setdefault(version, {})[day] = own
    nothing = np.zeros((len(SCORED), len(FORECAST_POLLUTANTS), len(SUMS)))
    found = []
    for version, own_days in sorted(of_version.items()):
        everything, recent, beside, reference = nothing, nothing, nothing, nothing
        days_beside = np.zeros(nothing.shape[:2], dtype=np.int64)
        for day, own in own_days.items():
            everything = everything + own
            if day > newest_day - RECENT_DAYS:
                recent = recent + own
            other = of_version.get(baseline, {}).get(day, nothing)
            same = (own[..., :1] == other[..., :1]) & (other[..., :1] > 0)
            days_beside += same[..., 0]
            beside, reference = beside + np.where(same, own, 0.0), reference + np.where(same, other, 0.0)
        found += [
            ScoreSums(
                version=version,
                pollutant=pollutant,
                horizon=horizon,
                all=_named(everything[row, axis]),
                recent=_named(recent[row, axis]),
                beside=_named(beside[row, axis]),
                baseline=_named(reference[row, axis]),
                days_beside=int(days_beside[row, axis]),
            )
            for axis, pollutant in enumerate(FORECAST_POLLUTANTS)
            for row, horizon in enumerate(SCORED)
            if everything[row, axis, 0]
        ]
    return found


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
    own, count = sums.all, sums.all["count"]
    squared = own["squared_error"] / count
    enough = sums.recent["count"] >= _LEAST_RECENT
    recent = sums.recent["squared_error"] / sums.recent["count"] if enough else None
    return Score(
        version=sums.version,
        pollutant=sums.pollutant,
        horizon=sums.horizon,
        count=round(count),
        mean_absolute_error=own["absolute_error"] / count,
        root_mean_square_error=math.sqrt(squared),
        bias=own["error"] / count,
        coverage=own["inside"] / count,
        skill_persistence=_skill(own["compared_squared_error"], own["persistence_squared_error"]),
        skill_damped_persistence=_skill(sums.beside["squared_error"], sums.baseline["squared_error"]),
        drift=math.sqrt(recent / squared) if recent is not None and squared > 0 else None,
    )


def _named(sums: Sums) -> Mapping[str, float]:
    return dict(zip(SUMS, sums.tolist(), strict=True))


def _skill(squared_error: float, reference: float) -> float | None:
    return 1 - math.sqrt(squared_error / reference) if reference > 0 else None
