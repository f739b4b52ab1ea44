"""How far the told quantiles reach, so that each holds as often as it says: steps after every miss.

Adaptive conformal inference (Gibbs and Candès 2021) in the form of quantile tracking, the P of conformal PID control
(Angelopoulos, Candès and Tibshirani 2023): where a value fell below a told quantile more often than it should, the
quantile moves down by a little, else up. Nothing is assumed of the errors, and over a long time the shares are right
whatever the air does. Steps are proportional to the reach, so that what a wild week has widened narrows again as fast,
and shorter at long leads, whose errors come in series.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.axes import MEDIAN, QUANTILES
from predictor.models.leads import LEADS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEP: Final = 0.015
_SERIES_HOURS: Final = 12.0
_MEDIAN_STEP: Final = 0.4
_FADE_HOURS: Final = 15 * 24.0
"""After so many silent hours half of what was learnt is left."""

_SHORTEST, _LONGEST, _FARTHEST_MEDIAN = 0.25, 8.0, 0.2
_PLAIN: Final = (-1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """The places of the told quantiles, by lead (LEADS), pollutant and quantile, on a scale that the stack gives.

    On it -1 is the stack's 10 % quantile, 0 its median and 1 its 90 % quantile.

    Attributes:
        expected: What the file expects, (leads, pollutants, quantiles).
        reach: By now, the same.
    """

    expected: Floats
    reach: Floats

    @classmethod
    def expecting(cls, expected: Floats) -> Self:
        """Nothing has been seen yet."""
        within = _bounded(expected)
        return cls(within, within)

    @classmethod
    def neutral(cls) -> Self:
        """The stack's quantiles are taken at their word."""
        return cls.expecting(np.ones((len(LEADS), len(FORECAST_POLLUTANTS), 1)) * np.array(_PLAIN))

    def faded(self, silent_hours: int) -> Self:
        """After so many hours of which nothing was measured."""
        left = 0.5 ** (silent_hours / _FADE_HOURS)
        return replace(self, reach=self.expected + left * (self.reach - self.expected))

    def with_misses(self, places: Ints, told: Floats, truth: Floats, weight: float) -> Self:
        """With what one hour has shown.

        Args:
            places: Which of LEADS had been told of.
            told: The quantiles that had been told, (stations, places, pollutants, quantiles), NaN where none.
            truth: (stations, pollutants), NaN where nothing was measured.
            weight: How far the hour counts, 1 for a new one.
        """
        value = truth[:, None, :, None]
        known = np.isfinite(value) & np.isfinite(told)
        missing = np.where(known, np.array(QUANTILES) - (value < told), 0.0).sum(axis=0) / max(1, len(truth))
        rate = _STEP / np.sqrt(1 + np.array(LEADS)[places] / _SERIES_HOURS)
        reach = self.reach.copy()
        size = np.abs(reach[places])
        size[..., MEDIAN] = _MEDIAN_STEP
        reach[places] += weight * rate[:, None, None] * missing * size
        return replace(self, reach=_bounded(reach))


def reached(quantiles: NDArray[np.float32], reach: NDArray[np.float32]) -> NDArray[np.float32]:
    """The quantiles at their new places; both (..., quantiles), broadcast."""
    low, middle, high = quantiles[..., 0], quantiles[..., MEDIAN], quantiles[..., -1]
    below, above = middle - low, high - middle
    placed = np.empty_like(quantiles)
    placed[..., 0] = middle + reach[..., 0] * below
    placed[..., MEDIAN] = middle + reach[..., MEDIAN] * np.where(reach[..., MEDIAN] < 0, below, above)
    placed[..., -1] = middle + reach[..., -1] * above
    return placed


def _bounded(reach: Floats) -> Floats:
    """Within what can be meant: ascending, with a width that is neither nothing nor everything."""
    bounded = reach.copy()
    bounded[..., 0] = np.clip(reach[..., 0], -_LONGEST, -_SHORTEST)
    bounded[..., MEDIAN] = np.clip(reach[..., MEDIAN], -_FARTHEST_MEDIAN, _FARTHEST_MEDIAN)
    bounded[..., -1] = np.clip(reach[..., -1], _SHORTEST, _LONGEST)
    return bounded
