"""Models that learn while they are scored, as they do when they serve: each hour from those that came before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS
from predictor.evaluation.forecasters import Forecasts
from predictor.evaluation.known_weather import KnownWeather
from predictor.evaluation.model_forecasters import ModelForecaster
from predictor.maturing import Measured
from predictor.models.calibration import Calibration
from predictor.models.members import FieldForecast
from predictor.models.model_file import LoadedModel
from predictor.run import Run
from predictor.training.hourly_file import Hours

Ints = NDArray[np.int64]


class LearningForecaster:
    """A model as the predictor runs it: its members are put together by what had come true at each issue hour.

    It learns from its forecasts of the issue hours that it is asked for, in their order. Asked for one that lies before
    the newest, it tells what it would have told then.
    """

    def __init__(
        self, name: str, loaded: LoadedModel, hours: Hours, stations: Sequence[Station], weather: KnownWeather
    ) -> None:
        """`hours` are of 4 or 6 pollutants."""
        plain = ModelForecaster(name, loaded.model, hours, stations, weather)
        self.name: Final = name
        self.tells: Final = (
            f"{plain.tells} Its members count, and its intervals reach, as its forecasts of this file have taught up to"
            " each issue hour."
        )
        self._plain: Final = plain
        self._hours = hours
        self._station_ids = [station.station_id for station in stations]
        self._run = Run.fresh(loaded)
        self._issues: list[int] = []
        self._calibrations: list[Calibration] = []

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        return Forecasts.of([self._told(issue).at(horizons.tolist()) for issue in issues.tolist()])

    def _told(self, issue: int) -> FieldForecast:
        if self._issues and issue <= self._issues[-1]:
            return self._as_then(issue)
        newest = self._issues[-1] if self._issues else issue
        news = [self._measured(row) for row in range(newest + 1, issue + 1) if self._is_measured(row)]
        self._run, _ = self._run.with_news(news)
        self._issues.append(issue)
        self._calibrations.append(self._run.calibration)
        self._run, told = self._run.forecast(self._plain.observed(issue))
        return told.field

    def _as_then(self, issue: int) -> FieldForecast:
        """What was told; between two issue hours, with what was known at the earlier one."""
        before = bisect_right(self._issues, issue)
        calibration = self._calibrations[before - 1] if before else self._run.loaded.model.prior
        return calibration.apply(self._plain.said(issue))

    def _is_measured(self, row: int) -> bool:
        return bool(np.isfinite(self._hours.values[row, :, : len(FORECAST_POLLUTANTS)]).any())

    def _measured(self, row: int) -> Measured:
        values = self._hours.values[row, :, : len(FORECAST_POLLUTANTS)].astype(np.float32)
        heard = np.flatnonzero(np.isfinite(values).any(axis=1))
        station_ids = tuple(self._station_ids[place] for place in heard.tolist())
        return Measured(self._hours.first_hour + row, station_ids, values[heard])
