"""The forecast of one station, as the router keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from air.places import Station
from air.pollutants import Pollutant


@dataclass(frozen=True, slots=True)
class Quantiles:
    """One pollutant's expected concentrations by horizon, in its network's unit.

    Attributes:
        lower: The 10 % quantile.
        median: The 50 % quantile.
        upper: The 90 % quantile.
        mean: The mean of all that is thought possible.
    """

    lower: tuple[float, ...]
    median: tuple[float, ...]
    upper: tuple[float, ...]
    mean: tuple[float, ...]

    @classmethod
    def without_mean(cls, lower: tuple[float, ...], median: tuple[float, ...], upper: tuple[float, ...]) -> Self:
        """With the mean that quantiles suggest, 0.3 · q10 + 0.4 · q50 + 0.3 · q90 (Swanson's rule)."""
        each = zip(lower, median, upper, strict=True)
        return cls(lower, median, upper, tuple(0.3 * low + 0.4 * middle + 0.3 * high for low, middle, high in each))


@dataclass(frozen=True, slots=True)
class StationForecast:
    """What is expected at one station.

    Attributes:
        station: Where it holds.
        issue_time: The newest hour whose measurements it knows.
        horizon_hours: Hours after the issue time, ascending. The value of a horizon is the mean of the hour that ends
            at issue time + horizon, as stations report it.
        series: By pollutant, each with as many values as there are horizons.
    """

    station: Station
    issue_time: datetime
    horizon_hours: tuple[int, ...]
    series: Mapping[Pollutant, Quantiles]
