"""Gradient boosting on an earlier part of the same file: what a day's work with a good library would reach."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from predictor.evaluation.day_ahead import HORIZONS
from predictor.evaluation.forecasters import WINDOW_HOURS, Climatology, Forecasts, Persistence
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.hourly_file import Hours
from predictor.training.scores import SCORED_HOURS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LAGS: Final = (0, 1, 2, 3, 6, 12, 23)
_MEANS: Final = (6, 24, 168)
_FADING_HOURS: Final = 24.0
_MOST_ROWS: Final = 120_000
_ROWS_AN_HOUR: Final = 8
_ROUNDS: Final = 200
_SETTINGS: Final = {
    "objective": "l2",
    "learning_rate": 0.06,
    "num_leaves": 63,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.6,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}


class _Booster(Protocol):
    def predict(self, data: Floats) -> Floats: ...


class GradientBoosting:
    """LightGBM, one booster a pollutant for all stations and horizons, fitted to squared errors of a fading last value.

    It sees all pollutants' last values and means, the station's climatology so far, the horizon and the hour of day.
    """

    name = "lightgbm"
    tells = f"LightGBM, {_ROUNDS} rounds, fitted to the hours before --train-until; one number is median and mean."

    def __init__(self, inputs: Hours, truth: Hours, until: int) -> None:
        """Fits on targets up to row `until`. Raises ModuleNotFoundError where LightGBM is not installed."""
        import lightgbm

        self._inputs = inputs
        self._persistence, self._climatology = Persistence(inputs), Climatology(inputs)
        self._means = [_rolling_mean(inputs.values, hours) for hours in _MEANS]
        random, rows = np.random.default_rng(1), min(_MOST_ROWS, _ROWS_AN_HOUR * inputs.values[:until, :, 0].size)
        issue = random.integers(WINDOW_HOURS // 2, until, rows)
        station = random.integers(0, len(inputs.stations), rows)
        # Half of the questions are those that are scored hour by hour, half those of tomorrow.
        asked = np.where(random.integers(0, 2, rows), random.choice(SCORED_HOURS, rows), random.choice(HORIZONS, rows))
        horizon = asked.astype(np.int64)
        at = np.minimum(issue + horizon, until)
        features, start = self._features(issue, station, horizon), self._start(issue, station, horizon)
        self._boosters: list[_Booster] = []
        for axis in range(inputs.values.shape[2]):
            target = np.where(issue + horizon <= until, truth.values[at, station, axis] - start[:, axis], np.nan)
            use = np.isfinite(target)
            data = lightgbm.Dataset(features[use], target[use])
            self._boosters.append(lightgbm.train(_SETTINGS, data, _ROUNDS))

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        shape = (len(issues), len(self._inputs.stations), len(horizons))
        issue, station, place = (axis.ravel() for axis in np.indices(shape))
        features = self._features(issues[issue], station, horizons[place])
        change = np.stack([booster.predict(features) for booster in self._boosters], axis=-1)
        mean = np.maximum(self._start(issues[issue], station, horizons[place]) + change, 0.0)
        return Forecasts(mean.reshape(*shape, len(self._boosters)))

    def _start(self, issue: Ints, station: Ints, horizon: Ints) -> Floats:
        """What the boosters correct, (questions, pollutants): trees alone cannot say that all stays as it is."""
        usual = self._climatology.of(issue, station, horizon)
        last = self._persistence.of(issue, station)
        fading = usual + np.exp(-horizon / _FADING_HOURS)[:, None] * (last - usual)
        return np.where(np.isfinite(fading), fading, np.where(np.isfinite(usual), usual, last))

    def _features(self, issue: Ints, station: Ints, horizon: Ints) -> Floats:
        """One row a question: (questions, features), NaN where nothing is known."""
        values = self._inputs.values
        columns = [values[np.maximum(issue - lag, 0), station] for lag in _LAGS]
        columns += [means[issue, station] for means in self._means]
        columns += [_over_stations(values)[issue]]
        columns += [self._climatology.of(issue, station, horizon)]
        hour = (issue + horizon + self._inputs.first_hour + LOCAL_OFFSET_HOURS) % 24
        return np.concatenate([*columns, np.stack([horizon, hour, station], axis=-1).astype(np.float64)], axis=-1)


def _rolling_mean(values: Floats, hours: int) -> Floats:
    """The mean of each hour and those before it, `hours` in all; NaN where none is known."""
    known = np.isfinite(values)
    sums = [np.cumsum(array, axis=0) for array in (np.where(known, values, 0.0), known.astype(np.float64))]
    total, count = (np.concatenate([one[:hours], one[hours:] - one[:-hours]]) for one in sums)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _over_stations(values: Floats) -> Floats:
    """The mean over all stations, (hours, pollutants); NaN where none is known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
