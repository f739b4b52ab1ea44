"""What is scored, as one kind of thing; and the simplest of what a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from predictor.models.axes import MEDIAN
from predictor.models.members import FieldForecast
from predictor.training.hourly_file import Hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW_HOURS: Final = 336
"""The hours that a model sees when it serves."""

PERSISTENCE_HOURS: Final = 3
"""A last value may be so much older than the issue hour."""

_DAY_HOURS: Final = 24
_LEAST_DAYS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """What is expected, NaN where a forecaster has nothing to say.

    Attributes:
        mean: (issue hours, stations, horizons, pollutants), in network units.
        quantiles: One more axis, `QUANTILES`; None of a forecaster that tells one number only.
    """

    mean: Floats
    quantiles: Floats | None = None

    @classmethod
    def of(cls, told: Sequence[FieldForecast]) -> Self:
        """What a model tells, of each issue hour."""
        return cls(
            np.stack([one.mean for one in told]).astype(np.float64),
            np.stack([one.quantiles for one in told]).astype(np.float64),
        )

    @property
    def median(self) -> Floats:
        """The 50 % quantile; the one number where there are no quantiles."""
        return self.mean if self.quantiles is None else self.quantiles[..., MEDIAN]


class Forecaster(Protocol):
    """Forecasts from what had been measured up to each issue hour, and from nothing that came after it."""

    @property
    def name(self) -> str:
        """What it is called in a report."""

    @property
    def tells(self) -> str:
        """What it is, and what its mean is, in a sentence."""

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """Forecasts for all stations.

        Args:
            issues: Rows of the hours that it was made with, each the last one that is known.
            horizons: Hours ahead, 1 to 72.
        """


class Persistence:
    """All stays as it was measured last."""

    name = "persistence"
    tells = f"The last value, at most {PERSISTENCE_HOURS} h older than the issue hour, is median and mean."

    def __init__(self, hours: Hours) -> None:
        self._values = hours.values

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        last = self.of(issues[:, None], np.arange(self._values.shape[1]))
        return Forecasts(np.repeat(last[:, :, None], len(horizons), axis=2))

    def of(self, issue: Ints, station: Ints) -> Floats:
        """The last values of single questions, of one shape when broadcast, with one more axis of pollutants."""
        last = self._values[issue, station]
        for back in range(1, PERSISTENCE_HOURS + 1):
            last = np.where(np.isfinite(last), last, self._values[np.maximum(issue - back, 0), station])
        return last


class Climatology:
    """What was measured at that hour of day so far, by station: the mean of all days of the file up to the issue."""

    name = "climatology"
    tells = (
        f"The station's mean at that hour of day in all of the file up to the issue hour, {_LEAST_DAYS} days or more."
    )

    def __init__(self, hours: Hours) -> None:
        known = np.isfinite(hours.values)
        count = _sum_by_hour_of_day(known.astype(np.float64))
        total = _sum_by_hour_of_day(np.where(known, hours.values, 0.0))
        self._mean = np.where(count >= _LEAST_DAYS, total / np.maximum(count, 1), np.nan)

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        stations = np.arange(self._mean.shape[1])
        return Forecasts(self.of(issues[:, None, None], stations[:, None], horizons))

    def of(self, issue: Ints, station: Ints, horizon: Ints) -> Floats:
        """The means of single questions, of one shape when broadcast, with one more axis of pollutants."""
        # The newest hour that is known and of the same hour of day holds the mean of all those before it.
        newest = issue + horizon - _DAY_HOURS * -(-horizon // _DAY_HOURS)
        return np.where((newest >= 0)[..., None], self._mean[np.maximum(newest, 0), station], np.nan)


def _sum_by_hour_of_day(values: Floats) -> Floats:
    """Each hour's value and those of all days before it at the same hour, summed; any shape, hours first."""
    days = -(-len(values) // _DAY_HOURS)
    whole = np.zeros((days * _DAY_HOURS, *values.shape[1:]))
    whole[: len(values)] = values
    summed: Floats = whole.reshape(days, _DAY_HOURS, *values.shape[1:]).cumsum(axis=0).reshape(whole.shape)
    return summed[: len(values)]
