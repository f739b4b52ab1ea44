"""Models that are scored, each asked as it is when it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.places import Station
from predictor.evaluation.forecasters import WINDOW_HOURS, Forecasts
from predictor.models.field import forecast_field
from predictor.models.model import Model
from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.training.hourly_file import Hours
from predictor.training.scores import SWANSON

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BATCH: Final = 2048


class ModelForecaster:
    """A model, asked as it is when it serves: the last two weeks in, with their gaps, quantiles out."""

    def __init__(self, name: str, model: Model, hours: Hours) -> None:
        self.name: Final = name
        self.tells: Final = (
            f"{model.version} on the last {WINDOW_HOURS} h; takes no weather; its mean is 0.3 · q10 + 0.4 · q50"
            " + 0.3 · q90."
        )
        self._model = model
        self._first_hour = hours.first_hour
        self._windows = _windows(hours)

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        at_once = max(1, _BATCH // self._windows.shape[1])
        parts = [self._quantiles(issues[at : at + at_once], horizons) for at in range(0, len(issues), at_once)]
        quantiles = np.concatenate(parts)
        return Forecasts(quantiles @ SWANSON, quantiles)

    def _quantiles(self, issues: Ints, horizons: Ints) -> Floats:
        window = torch.from_numpy(self._windows[issues].copy())
        issue_hour = torch.from_numpy(issues + self._first_hour).repeat_interleave(window.shape[1])
        told = self._model.forecast(window.flatten(0, 1), issue_hour)[:, torch.from_numpy(horizons - 1)]
        quantiles: Floats = told.numpy().astype(np.float64)
        return quantiles.reshape(*window.shape[:2], *quantiles.shape[1:])


class EnsembleForecaster:
    """The nets, which see the whole network of an hour at once: each station's neighbours, and which station it is."""

    def __init__(self, name: str, model: RecurrentEnsemble, hours: Hours, stations: Sequence[Station]) -> None:
        self.name: Final = name
        self.tells: Final = (
            f"{model.version} on the last {WINDOW_HOURS} h of PM2.5, PM10, O3 and NO2 of all stations; here without"
            " weather, holidays, CO and SO2; its mean is its own."
        )
        self._model = model
        self._stations = stations
        self._first_hour = hours.first_hour
        self._windows = _windows(hours)

    def forecast(self, issues: Ints, horizons: Ints) -> Forecasts:
        """As in `Forecaster`."""
        means, quantiles = [], []
        for issue in issues.tolist():
            window = torch.from_numpy(self._windows[issue].copy())
            told = forecast_field(self._model, window, self._stations, self._first_hour + issue)
            means.append(told.mean.numpy()[:, horizons - 1])
            quantiles.append(told.main_quantiles.numpy()[:, horizons - 1])
        return Forecasts(np.stack(means).astype(np.float64), np.stack(quantiles).astype(np.float64))


def _windows(hours: Hours) -> NDArray[np.float32]:
    """The hours up to each hour, (hours, stations, window, pollutants): a view, of which each batch copies its own."""
    values = hours.values.astype(np.float32)
    before = np.full((WINDOW_HOURS - 1, *values.shape[1:]), np.nan, dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, values]), WINDOW_HOURS, axis=0)
    return windows.transpose(0, 1, 3, 2)
