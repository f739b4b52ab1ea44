"""Sums of errors over many forecasts, and the scores that they make."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.forecasters import Forecasts
from predictor.exceedance import exceedance
from predictor.models.axes import QUANTILES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNHEALTHY_PM25: Final = 35.0
"""µg/m³: above it the Korean index is at 나쁨."""

ALARM_PROBABILITY: Final = 0.28
"""From this probability on an exceedance is announced: F1 is highest at half of itself, and .5 to .65 can be reached.

Lipton, Elkan and Naryanaswamy, Optimal Thresholding of Classifiers to Maximize F1 Measure, 2014. Of the thresholds the
best was .26 to .28 one and two days ahead at Seoul's downtown mean in 2021, the year before that of the test.
"""

PROBABILITY_BINS: Final = 10
"""Of equal width: forecasts of exceedance are counted by their probability, to see how often each came true."""

_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSums:
    """Sums over cases, (horizons, pollutants) each but for `bins`; what needs quantiles is NaN where there are none.

    Attributes:
        count: Cases.
        absolute: |median - truth|.
        squared: (mean - truth)².
        signed: mean - truth.
        inside: Cases with the truth inside the 80 % interval.
        pinball: Pinball loss, its mean over the quantiles; one number stands for all of them where there is but one.
        observed: Cases above UNHEALTHY_PM25.
        alarms: Cases announced to be above it.
        hits: Cases that were both.
        brier: (probability of being above it - whether it was)².
        bins: Of PM2.5 by the bin of that probability, (horizons, PROBABILITY_BINS, 3): cases, their probabilities, and
            how many were above it.
    """

    count: Floats
    absolute: Floats
    squared: Floats
    signed: Floats
    inside: Floats
    pinball: Floats
    observed: Floats
    alarms: Floats
    hits: Floats
    brier: Floats
    bins: Floats

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def error_sums(forecasts: Forecasts, truth: Floats, use: Bools) -> ErrorSums:
    """The sums over the cases in `use`; it and `truth` are (issue hours, stations, horizons, pollutants)."""

    def total(values: Floats | Bools) -> Floats:
        return np.asarray(np.where(use, values, 0).sum(axis=(0, 1)), dtype=np.float64)

    error = forecasts.mean - truth
    quantiles = forecasts.quantiles
    above = truth > UNHEALTHY_PM25
    probability = exceedance_probability(forecasts, UNHEALTHY_PM25)
    alarm = probability >= ALARM_PROBABILITY
    inside = total(np.zeros_like(truth) if quantiles is None else _inside(quantiles, truth))
    return ErrorSums(
        count=total(use),
        absolute=total(np.abs(forecasts.median - truth)),
        squared=total(error**2),
        signed=total(error),
        inside=np.full_like(inside, np.nan) if quantiles is None else inside,
        pinball=total(_pinball(forecasts.median[..., None] if quantiles is None else quantiles, truth)),
        observed=total(above),
        alarms=total(alarm),
        hits=total(above & alarm),
        brier=total((probability - above) ** 2),
        bins=_bins(probability[..., _PM25], above[..., _PM25], use[..., _PM25]),
    )


def exceedance_probability(forecasts: Forecasts, limit: float) -> Floats:
    """The probability of more than `limit`, in the shape of the mean; one number without quantiles is certain."""
    if forecasts.quantiles is None:
        return np.greater(forecasts.mean, limit).astype(np.float64)
    return exceedance(forecasts.quantiles, limit)


def ratio(part: float, whole: float) -> float | None:
    """A share; None where there is nothing to take it of, or the part is not known."""
    return part / whole if whole > 0 and math.isfinite(part) else None


def _bins(probability: Floats, above: Bools, use: Bools) -> Floats:
    """See `ErrorSums`; all are (issue hours, stations, horizons)."""
    place = np.minimum(np.nan_to_num(probability) * PROBABILITY_BINS, PROBABILITY_BINS - 1).astype(np.int64)
    within = use[..., None] & (place[..., None] == np.arange(PROBABILITY_BINS))
    values = np.stack([np.ones_like(probability), np.nan_to_num(probability), above], axis=-1)
    sums: Floats = np.einsum("tshb,tshv->hbv", within.astype(np.float64), values)
    return sums


def _inside(quantiles: Floats, truth: Floats) -> Bools:
    inside: Bools = (truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])
    return inside


def _pinball(quantiles: Floats, truth: Floats) -> Floats:
    level = np.array(QUANTILES)
    over = truth[..., None] - quantiles
    loss: Floats = np.maximum(level * over, (level - 1) * over).mean(axis=-1)
    return loss
