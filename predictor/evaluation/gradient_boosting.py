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
_DAYS_BACK: Final = (0, 1, 6)
_FADING_HOURS: Final = 24.0
_MOST_ROWS: Final = 90_000
_KEPT_FROM_FIT: Final = 0.15
_MOST_ROUNDS: Final = 300
_PATIENCE: Final = 20
_YEAR_HOURS: Final = 8766
_SETTINGS: Final = {
    "objective": "l2",
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}


class _Booster(Protocol):
    def predict(self, data: Floats) -> Floats: ...


class GradientBoosting:
    """LightGBM, a booster for each pollutant and scored horizon, and one a pollutant for all hours of tomorrow.

    They correct a fading last value by all pollutants' last values and means, what the hour's place in the day was like
    before, the mean of all stations, the climatology so far, and the season. How many rounds, the last part of the
    hours before `until` tells, which is kept from the fit.
    """

    name = "lightgbm"
    tells = (
        "LightGBM, a booster a pollutant and horizon, stopped early, fitted to the hours before --train-until; sees no"
        " weather; one number is median and mean."
    )

    def __init__(self, inputs: Hours, truth: Hours, until: int) -> None:
        """Fits on targets up to row `until`. Raises ModuleNotFoundError where LightGBM is not installed."""
        self._inputs = inputs
        self._persistence, self._climatology = Persistence(inputs), Climatology(inputs)
        self._means = [_rolling_mean(inputs.values, hours) for hours in _MEANS]
        self._of_hour = {horizon: self._fitted(truth, until, np.array([horizon])) for horizon in SCORED_HOURS}
        self._of_tomorrow = self._fitted(truth, until, HORIZONS)

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        shape = (len(issues), len(self._inputs.stations))
        issue, station = (axis.ravel() for axis in np.indices(shape))
        means = []
        for horizon in horizons.tolist():
            asked = issues[issue], station, np.full(len(issue), horizon)
            boosters = self._of_hour.get(horizon, self._of_tomorrow)
            features = self._features(*asked)
            change = np.stack([booster.predict(features) for booster in boosters], axis=-1)
            means.append(np.maximum(self._start(*asked) + change, 0.0).reshape(*shape, -1))
        return Forecasts(np.stack(means, axis=2))

    def _fitted(self, truth: Hours, until: int, horizons: Ints) -> list[_Booster]:
        """A booster a pollutant, fitted to these horizons."""
        import lightgbm

        random, values = np.random.default_rng(1), self._inputs.values
        first = WINDOW_HOURS // 2
        rows = min(_MOST_ROWS, (until - first) * values.shape[1])
        issue, station = random.integers(first, until, rows), random.integers(0, values.shape[1], rows)
        horizon = random.choice(horizons, rows)
        features, start = self._features(issue, station, horizon), self._start(issue, station, horizon)
        valid = issue + horizon
        fit = valid <= first + (until - first) * (1 - _KEPT_FROM_FIT)
        boosters: list[_Booster] = []
        for axis in range(values.shape[2]):
            came = truth.values[np.minimum(valid, until), station, axis]
            target = np.where(valid <= until, came - start[:, axis], np.nan)
            use = np.isfinite(target)
            data = lightgbm.Dataset(features[use & fit], target[use & fit])
            kept = lightgbm.Dataset(features[use & ~fit], target[use & ~fit], reference=data)
            stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
            boosters.append(lightgbm.train(_SETTINGS, data, _MOST_ROUNDS, valid_sets=[kept], callbacks=[stop]))
        return boosters

    def _start(self, issue: Ints, station: Ints, horizon: Ints) -> Floats:
        """What the boosters correct, (questions, pollutants): trees alone cannot say that all stays as it is."""
        usual = self._climatology.of(issue, station, horizon)
        last = self._persistence.of(issue, station)
        now = self._climatology.of(issue, station, np.zeros_like(horizon))
        fading = usual + np.exp(-horizon / _FADING_HOURS)[:, None] * (last - now)
        return np.where(np.isfinite(fading), fading, np.where(np.isfinite(usual), usual, last))

    def _features(self, issue: Ints, station: Ints, horizon: Ints) -> Floats:
        """One row a question: (questions, features), NaN where nothing is known."""
        values = self._inputs.values
        columns = [values[np.maximum(issue - lag, 0), station] for lag in _LAGS]
        # The newest hour of the valid hour's place in the day, the day before it, and a week before it.
        same = issue + horizon - 24 * -(-horizon // 24)
        columns += [values[np.maximum(same - 24 * days, 0), station] for days in _DAYS_BACK]
        columns += [means[issue, station] for means in self._means]
        columns += [_over_stations(values)[issue]]
        columns += [self._climatology.of(issue, station, horizon)]
        local = issue + horizon + self._inputs.first_hour + LOCAL_OFFSET_HOURS
        turn = 2 * np.pi * local / _YEAR_HOURS
        marks = [horizon, local % 24, local // 24 % 7, np.sin(turn), np.cos(turn), station]
        return np.concatenate([*columns, np.stack(marks, axis=-1).astype(np.float64)], axis=-1)


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
