"""How likely a concentration above a limit is, and how likely the most likely grade, by a forecast's own quantiles."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.index import GRADE_ENDS
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import MEDIAN

Floats = NDArray[np.float64]

DECIMALS: Final = 3
"""Probabilities are told and kept to a thousandth."""

_NORMAL: Final = 1.2815515655446004
"""The 90 % quantile of the normal distribution."""

_NARROWEST: Final = 1e-9
_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)
_HALF_A_STEP: Final = {Pollutant.PM25: 0.5, Pollutant.PM10: 0.5}
"""Networks publish particles in whole µg/m³: all below 15.5 is told as 15, and good. Steps of gases are too fine."""

_ENDS: Final = np.array(
    [np.array(GRADE_ENDS[pollutant]) + _HALF_A_STEP.get(pollutant, 0.0) for pollutant in FORECAST_POLLUTANTS]
)
"""Where grades end, (pollutants, 3)."""


def exceedance(quantiles: Floats, limit: Floats | float) -> Floats:
    """The probability of more than `limit`, which broadcasts against the quantiles without their last axis.

    Between and beyond the quantiles, (..., 3), a normal distribution is assumed, with a width of its own on each side
    of the median. On the scale of logarithms the Brier score of the grades would be 1 % better for particles and no
    better for gases, over recorded months.
    """
    low, middle, high = (quantiles[..., place] for place in (0, MEDIAN, -1))
    width = np.maximum(np.where(limit < middle, middle - low, high - middle), _NARROWEST)
    deviations = np.asarray(_NORMAL * (middle - limit) / width)
    probability: Floats = torch.special.ndtr(torch.from_numpy(deviations)).numpy()
    return probability


def above_grades(quantiles: Floats) -> Floats:
    """The probability of worse than each grade but the worst: (..., pollutants, 3) of quantiles in that shape."""
    exceeded = exceedance(quantiles[..., None, :], _ENDS)
    return np.round(exceeded, DECIMALS)


def grade_confidences(quantiles: Floats) -> Floats:
    """The probability of the most likely grade of PM2.5: (...) of quantiles (..., pollutants, 3)."""
    above = exceedance(quantiles[..., _PM25, None, :], _ENDS[_PM25])
    bounds = np.concatenate([np.ones_like(above[..., :1]), above, np.zeros_like(above[..., :1])], axis=-1)
    likeliest: Floats = np.round((bounds[..., :-1] - bounds[..., 1:]).max(axis=-1), DECIMALS)
    return likeliest
