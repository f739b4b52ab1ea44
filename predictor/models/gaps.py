"""Gaps: what the nets are shown where nothing was measured, together with the mask that says so."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from predictor.models.channels import FORECAST, NEAR, OWN, SECTOR, SECTOR_POLLUTANTS, SECTORS

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_NOTHING: Final = 0.0
"""The scale's centre: what is shown where neither the station nor its surroundings measured anything."""


def fill(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs without gaps, and where they were measured.

    A straight line is drawn across a gap; before the first value and after the last, that value holds. A channel
    without any value borrows: a station its neighbours' values, neighbours and sectors those of the station.

    Args:
        inputs: On the scale, (stations, hours, CHANNELS), NaN in gaps.

    Returns:
        The same without NaN, and the mask of what was there, bool.
    """
    series: Floats = np.array(inputs.numpy().transpose(0, 2, 1), order="C")
    known = ~np.isnan(series)
    empty: Bools = np.logical_not(known.any(axis=-1))
    partly = np.logical_not(empty | known.all(axis=-1))
    series[partly] = _interpolated(series[partly], known[partly])
    _borrow(series, empty)
    return torch.from_numpy(series).transpose(1, 2), torch.from_numpy(known).transpose(1, 2)


def _interpolated(series: Floats, known: Bools) -> Floats:
    """Gaps of series that have a value each, (series, hours), drawn over."""
    hours = series.shape[1]
    flat, flat_known = series.ravel(), known.ravel()
    gap = np.flatnonzero(~flat_known).astype(np.int32)
    # The known places in order: how many lie before a gap says which two it lies between.
    place = np.concatenate([[-1], np.flatnonzero(flat_known), [flat.size]], dtype=np.int32)
    before = gap - np.arange(len(gap), dtype=np.int32)
    left, right = place[before], place[before + 1]
    start = gap // hours * hours
    # A place in the series before or after this one is no end: then both ends are the one that there is.
    left, right = np.where(left >= start, left, right), np.where(right < start + hours, right, left)
    share = (gap - left).astype(np.float32) / np.maximum(right - left, 1).astype(np.float32)
    low = flat[left]
    flat[gap] = low + (flat[right] - low) * share
    return flat.reshape(series.shape)


def _borrow(series: Floats, empty: Bools) -> None:
    """Gives series without any value, (stations, channels), those of the nearest thing to them, in place."""
    series[:, OWN][empty[:, OWN]] = _NOTHING
    own, near = series[:, :FORECAST], series[:, NEAR]
    near[empty[:, NEAR]] = own[empty[:, NEAR]]
    own[empty[:, :FORECAST]] = near[empty[:, :FORECAST]]
    stations, _, hours = series.shape
    sectors = series[:, SECTOR].reshape(stations, len(SECTORS), SECTOR_POLLUTANTS, hours)
    station, sector, pollutant = np.nonzero(empty[:, SECTOR].reshape(sectors.shape[:-1]))
    sectors[station, sector, pollutant] = near[station, pollutant]
