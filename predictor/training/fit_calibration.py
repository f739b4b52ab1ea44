"""The prior of a calibration: how members err, and how far intervals must reach, on hours that no member was fitted to.

Each recording weighs alike in what is expected of errors, and by the root of its hours in how far intervals reach: a
week tells little of a tail. Members that have learnt from seasons are doubted beyond the first day: in a winter that
their training lacks they lost to the damped persistence two days ahead, by what no validation within the years of the
fit had shown. What a network teaches in a few weeks outweighs both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.models.axes import MEDIAN, QUANTILES
from predictor.models.calibration import LEADS, Calibration
from predictor.models.intervals import Intervals
from predictor.models.stack import WILDEST, Stack
from predictor.training.hindcast import Hindcast

Floats = NDArray[np.float64]

DOUBT: Final = 0.5
"""A doubted member's mean square error is taken to be larger by this share from DOUBT_HOURS ahead on, less before."""

DOUBT_HOURS: Final = 48

_LEAST_WIDTH: Final = 1e-9


def fit_prior(hindcasts: Sequence[Hindcast], doubted: Sequence[bool]) -> Calibration:
    """What is to be expected of members before any forecast has come true.

    Args:
        hindcasts: What they said of recordings; `truth` is NaN where hours are not to be looked at, above all those
            that members were fitted to.
        doubted: Which members have learnt from seasons.
    """
    tested = [one for one in (_Tested(hindcast) for hindcast in hindcasts) if one.hours]
    if not tested:
        raise ValueError("there are no hours to fit a calibration to")
    share = np.minimum(np.array(LEADS) / DOUBT_HOURS, 1.0)[:, None] * np.array(doubted)
    doubt = np.sqrt(1 + DOUBT * share)[:, None, :]
    products = _mean([one.products() for one in tested], np.ones(len(tested)))
    # Errors become larger on the diagonal alone: what members have in common stays as it is.
    diagonal = np.eye(products.shape[-1], dtype=bool)
    stack = Stack.expecting(np.where(diagonal, products * doubt[..., None] * doubt[..., None, :], products))
    weights = stack.weights
    reach = _mean([one.reach(weights) for one in tested], np.sqrt([one.hours for one in tested]))
    return Calibration(stack, Intervals.expecting(reach))


class _Tested:
    """One recording: forecasts and what came, a row each station and issue hour."""

    def __init__(self, hindcast: Hindcast) -> None:
        self._mean = np.stack([one.mean for one in hindcast.said], axis=1)
        self._quantiles = np.stack([one.quantiles for one in hindcast.said], axis=1)
        at = hindcast.issue_hours[:, None] + np.array(LEADS) - hindcast.first_hour
        last = len(hindcast.truth) - 1
        truth = np.where((at <= last)[..., None, None], hindcast.truth[np.minimum(at, last)], np.nan)
        self._truth = truth.swapaxes(1, 2)
        self.hours = int(np.isfinite(hindcast.truth).any(axis=(1, 2)).sum())

    def products(self) -> Floats:
        """Mean products of errors, (leads, pollutants, members, members)."""
        return _by_cell([self._products(lead, axis) for lead, axis in self._cells()])

    def reach(self, weights: Floats) -> Floats:
        """Where the quantiles of what came lie on the scale of `Intervals`, (leads, pollutants, quantiles)."""
        return _by_cell([self._reach(weights[lead, axis], lead, axis) for lead, axis in self._cells()])

    def _cells(self) -> list[tuple[int, int]]:
        return [(lead, axis) for lead in range(len(LEADS)) for axis in range(self._truth.shape[-1])]

    def _products(self, lead: int, axis: int) -> Floats:
        errors = (self._mean[:, :, :, lead, axis] - self._truth[:, :, lead, axis]).reshape(len(self._mean), -1)
        errors = errors[:, np.isfinite(errors).all(axis=0)].astype(np.float64)
        if not errors.size:
            return np.full((len(errors), len(errors)), np.nan)
        usual = np.sqrt((errors**2).mean(axis=1).min())
        errors = np.clip(errors, -WILDEST * usual, WILDEST * usual)
        products: Floats = errors @ errors.T / errors.shape[1]
        return products

    def _reach(self, weights: Floats, lead: int, axis: int) -> Floats:
        quantiles = np.einsum("m,mtsq->tsq", weights, self._quantiles[:, :, :, lead, axis])
        middle = quantiles[..., MEDIAN]
        off = self._truth[:, :, lead, axis] - middle
        side = np.where(off < 0, middle - quantiles[..., 0], quantiles[..., -1] - middle)
        places = off / np.maximum(side, _LEAST_WIDTH)
        known = places[np.isfinite(places)]
        reach: Floats = np.quantile(known, QUANTILES) if known.size else np.full(len(QUANTILES), np.nan)
        return reach


def _by_cell(values: list[Floats]) -> Floats:
    stacked = np.stack(values)
    return stacked.reshape(len(LEADS), -1, *stacked.shape[1:])


def _mean(values: Sequence[Floats], weights: Floats) -> Floats:
    """Over recordings, of those that have a cell; raises ValueError where none has."""
    stacked = np.stack(values)
    counts = np.where(np.isfinite(stacked), weights.reshape(-1, *[1] * (stacked.ndim - 1)), 0.0)
    total = counts.sum(axis=0)
    if (total == 0).any():
        raise ValueError("no hours tell of some pollutant and hour ahead")
    mean: Floats = (counts * np.nan_to_num(stacked)).sum(axis=0) / total
    return mean
