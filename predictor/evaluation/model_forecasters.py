"""Models that are scored, each asked as it is when it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Station
from predictor.evaluation.forecasters import WINDOW_HOURS, Forecasts
from predictor.evaluation.known_weather import KnownWeather
from predictor.holidays import holidays_around
from predictor.models.members import MemberForecasts
from predictor.models.model import Model
from predictor.models.observed import Observed
from predictor.training.hourly_file import Hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ModelForecaster:
    """A model, asked as it is when it serves: the last two weeks of the whole network in, with their gaps."""

    def __init__(
        self, name: str, model: Model, hours: Hours, stations: Sequence[Station], weather: KnownWeather
    ) -> None:
        """`hours` are of 4 or 6 pollutants."""
        self.name: Final = name
        self.tells: Final = (
            f"{model.version}: {', '.join(model.members)}; on the last {WINDOW_HOURS} h of all stations, holidays, and"
            " what is known of weather, CO and SO2."
        )
        self._model = model
        self._stations = stations
        self._weather = weather
        self._first_hour = hours.first_hour
        self._windows = _windows(hours)

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        return Forecasts.of(
            [self._model.prior.apply(self.said(issue)).at(horizons.tolist()) for issue in issues.tolist()]
        )

    def said(self, issue: int) -> MemberForecasts:
        """What the model's members say at an issue hour."""
        return self._model.forecast(self.observed(issue))

    def observed(self, issue: int) -> Observed:
        """What the model is shown at an issue hour."""
        issue_hour = self._first_hour + issue
        return Observed(
            stations=self._stations,
            issue_hour=issue_hour,
            values=self._windows[issue].copy(),
            weather=self._weather.at(len(self._stations), issue_hour),
            holidays=holidays_around(issue_hour),
        )


def _windows(hours: Hours) -> NDArray[np.float32]:
    """The hours up to each hour, (hours, stations, window, pollutants): a view, of which each batch copies its own."""
    values = hours.values.astype(np.float32)
    before = np.full((WINDOW_HOURS - 1, *values.shape[1:]), np.nan, dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, values]), WINDOW_HOURS, axis=0)
    return windows.transpose(0, 1, 3, 2)
