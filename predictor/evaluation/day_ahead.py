"""The grade of tomorrow's air, told at 17 h, as people hear it in the evening news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.index import Grade, grade_of, sub_index
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.forecasters import Forecaster
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.hourly_file import Hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ISSUE_HOUR: Final = 17
"""Of the day before, Korea's clock."""

HORIZONS: Final = np.arange(8, 32)
"""From 17 h on, tomorrow's 24 hours: hours are labelled by their end, 1 h to 24 h."""

LEAST_HOURS: Final = 18
"""Of a day, for it to have a mean, measured or told: three quarters, as means need in Korea."""

_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)


def right_grades(
    truth: Hours, forecasters: Sequence[Forecaster], issues: Ints
) -> tuple[int, dict[str, int], dict[Grade, int]]:
    """How many days of stations there were, how many grades each forecaster told rightly, and how often each grade was.

    A day's grade is that of its mean of PM2.5, whole µg/m³, in the bands of the Korean index. A day counts for all
    forecasters or for none.

    Args:
        truth: What was measured, screened.
        forecasters: Each told by the mean of its hourly means.
        issues: Rows of issue hours; those at 17 h are used.
    """
    local = (issues + truth.first_hour + LOCAL_OFFSET_HOURS) % 24
    issues = issues[(local == ISSUE_HOUR) & (issues + HORIZONS[-1] < len(truth.values))]
    if not len(issues):
        return 0, {forecaster.name: 0 for forecaster in forecasters}, dict.fromkeys(Grade, 0)
    mean = _day_means(truth.values[issues[:, None] + HORIZONS, :, _PM25].transpose(0, 2, 1))
    told = {f.name: _day_means(f.forecast(issues, HORIZONS).mean[..., _PM25]) for f in forecasters}
    use = np.isfinite(mean) & np.all([np.isfinite(means) for means in told.values()], axis=0)
    right = _grades(mean[use])
    hits = {
        name: sum(one is other for one, other in zip(_grades(means[use]), right, strict=True))
        for name, means in told.items()
    }
    return len(right), hits, {grade: right.count(grade) for grade in Grade}


def _day_means(hours: Floats) -> Floats:
    """The mean over the last axis, a day's hours; NaN with less than LEAST_HOURS of them."""
    known = np.isfinite(hours)
    count = known.sum(axis=-1)
    mean: Floats = np.where(known, hours, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= LEAST_HOURS, mean, np.nan)


def _grades(means: Floats) -> list[Grade]:
    return [grade_of(sub_index(Pollutant.PM25, whole)) for whole in np.floor(means + 0.5).tolist()]
