"""The grade of tomorrow's air, told at 17 h, as people hear it in the evening news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.index import GRADE_ENDS, Grade, grade_of, sub_index
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.forecasters import Forecaster, Forecasts
from predictor.exceedance import exceedance
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.hourly_file import Hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ISSUE_HOUR: Final = 17
"""Of the day before, Korea's clock."""

HORIZONS: Final = np.arange(8, 32)
"""From 17 h on, tomorrow's 24 hours: hours are labelled by their end, 1 h to 24 h."""

LEAST_HOURS: Final = 18
"""Of a day, for it to have a mean, measured or told: three quarters, as means need in Korea."""

_ROUNDED: Final = 0.5
"""A mean is told in whole µg/m³: up to so much above a grade's end it is still of that grade."""

_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)


@dataclass(frozen=True, slots=True)
class RightGrades:
    """How many grades of days were told rightly.

    Attributes:
        by_mean: The day's grade being that of the mean of its hourly means.
        likeliest: The day's grade being the most probable one; of one number without quantiles, the same.
    """

    by_mean: int
    likeliest: int


def right_grades(
    truth: Hours, forecasters: Sequence[Forecaster], issues: Ints
) -> tuple[int, dict[str, RightGrades], dict[Grade, int]]:
    """How many days of stations there were, how many grades each forecaster told rightly, and how often each grade was.

    A day's grade is that of its mean of PM2.5, whole µg/m³, in the bands of the Korean index. A day counts for all
    forecasters or for none.

    Args:
        truth: What was measured, screened.
        forecasters: All that are asked.
        issues: Rows of issue hours; those at 17 h are used.
    """
    local = (issues + truth.first_hour + LOCAL_OFFSET_HOURS) % 24
    issues = issues[(local == ISSUE_HOUR) & (issues + HORIZONS[-1] < len(truth.values))]
    if not len(issues):
        return 0, {forecaster.name: RightGrades(0, 0) for forecaster in forecasters}, dict.fromkeys(Grade, 0)
    mean = _day_means(truth.values[issues[:, None] + HORIZONS, :, _PM25].transpose(0, 2, 1))
    told = {f.name: f.forecast(issues, HORIZONS) for f in forecasters}
    means = {name: _day_means(forecasts.mean[..., _PM25]) for name, forecasts in told.items()}
    use = np.isfinite(mean) & np.all([np.isfinite(own) for own in means.values()], axis=0)
    right = _grades(mean[use])

    def hits(grades: list[Grade]) -> int:
        return sum(one is other for one, other in zip(grades, right, strict=True))

    counts = {
        name: RightGrades(hits(_grades(means[name][use])), hits(_likeliest(forecasts, use)))
        for name, forecasts in told.items()
    }
    return len(right), counts, {grade: right.count(grade) for grade in Grade}


def _likeliest(forecasts: Forecasts, use: Bools) -> list[Grade]:
    """The most probable grades of the days in `use`, (issue hours, stations).

    A day's quantiles are taken to be the means of its hours', as if all erred together. That makes them wide, but their
    middle is that of the day's, and it is the middle that decides.
    """
    if forecasts.quantiles is None:
        return _grades(_day_means(forecasts.mean[..., _PM25])[use])
    quantiles = _day_means(np.moveaxis(forecasts.quantiles[:, :, :, _PM25], 2, -1))[use]
    above = exceedance(quantiles[..., None, :], np.array(GRADE_ENDS[Pollutant.PM25]) + _ROUNDED)
    bounds = np.concatenate([np.ones_like(above[..., :1]), above, np.zeros_like(above[..., :1])], axis=-1)
    grades = tuple(Grade)
    return [grades[place] for place in (bounds[..., :-1] - bounds[..., 1:]).argmax(axis=-1).tolist()]


def _day_means(hours: Floats) -> Floats:
    """The mean over the last axis, a day's hours; NaN with less than LEAST_HOURS of them."""
    known = np.isfinite(hours)
    count = known.sum(axis=-1)
    mean: Floats = np.where(known, hours, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= LEAST_HOURS, mean, np.nan)


def _grades(means: Floats) -> list[Grade]:
    return [grade_of(sub_index(Pollutant.PM25, whole)) for whole in np.floor(means + 0.5).tolist()]
