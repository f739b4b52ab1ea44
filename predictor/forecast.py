"""Forecasts: what is expected at one place in the hours after an issue time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from air.places import Point, Station
from predictor.exceedance import DECIMALS
from predictor.limitation import Limitation

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected at a place.

    Attributes:
        place: The station, or the point between stations.
        issue_time: The newest hour whose measurements it knows.
        model_version: Name and version of the model that made it.
        horizons: Hours after the issue time, ascending without gaps.
        quantiles: 10, 50 and 90 % quantiles, (horizons, pollutants, 3), in network units, pollutants in the order of
            `air.pollutants.FORECAST_POLLUTANTS`.
        mean: What is expected on average, (horizons, pollutants), likewise.
        confidences: The probability, 0 to 1, of the most likely grade of PM2.5, (horizons,): how likely the grade told
            for an hour is the one that will be measured.
        newest_measured_at: The newest hour in which the place's stations measured anything; None when none did.
        limitations: What it had to do without.
    """

    place: Station | Point
    issue_time: datetime
    model_version: str
    horizons: range
    quantiles: Floats
    mean: Floats
    confidences: Floats
    newest_measured_at: datetime | None
    limitations: frozenset[Limitation] = frozenset()

    @property
    def confidence(self) -> float:
        """The mean of `confidences`."""
        return round(float(self.confidences.mean()), DECIMALS)

    @property
    def ends_at(self) -> datetime:
        """The last valid time."""
        return self.issue_time + timedelta(hours=self.horizons[-1])

    def ahead_of(self, now: datetime, hours: int) -> Forecast | None:
        """The part from the first valid time after `now` on, `hours` long at most; None when all of it is past."""
        elapsed = (now - self.issue_time) // timedelta(hours=1)
        first = max(elapsed + 1, self.horizons[0])
        horizons = range(first, min(first + hours, self.horizons[-1] + 1))
        if not horizons:
            return None
        start = first - self.horizons[0]
        there = slice(start, start + len(horizons))
        return replace(
            self,
            horizons=horizons,
            quantiles=self.quantiles[there],
            mean=self.mean[there],
            confidences=self.confidences[there],
        )


@dataclass(frozen=True, slots=True, eq=False)
class IssuedForecast:
    """A station's forecast in the log of forecasts: `sequence` is its place there, `issued_at` the time it got it."""

    forecast: Forecast
    station: Station
    sequence: int
    issued_at: datetime
