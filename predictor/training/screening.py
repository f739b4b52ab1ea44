"""What is left out of recorded values before a fit: sentinels, stuck instruments, lone spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import Pollutant
from predictor.models.scale import INPUT_POLLUTANTS

Floats = NDArray[np.float64]

_STUCK_HOURS: Final = dict.fromkeys(INPUT_POLLUTANTS, 12) | {Pollutant.CO: 48, Pollutant.SO2: 48}
"""CO and SO2 are told in steps that are coarse beside their usual changes."""

_LOW_OZONE_PPM: Final = 0.004
_SPIKE_STATIONS: Final = 5
_SPIKE_FLOOR: Final = {
    Pollutant.PM25: 150.0,
    Pollutant.PM10: 300.0,
    Pollutant.O3: 0.15,
    Pollutant.NO2: 0.15,
    Pollutant.CO: 5.0,
    Pollutant.SO2: 0.05,
}
_SPIKE_TIMES_MEDIAN: Final = 3.0
_SPIKE_DEVIATIONS: Final = 8.0
_LEAST_DEVIATION: Final = {
    Pollutant.PM25: 1.0,
    Pollutant.PM10: 1.0,
    Pollutant.O3: 0.001,
    Pollutant.NO2: 0.001,
    Pollutant.CO: 0.1,
    Pollutant.SO2: 0.001,
}
_MAD_TO_DEVIATION: Final = 1.4826


def screened(values: Floats, groups: Sequence[str] | None = None) -> Floats:
    """Values with NaN in place of what no instrument can have meant.

    Args:
        values: (hours, stations, pollutants), pollutants in the order of INPUT_POLLUTANTS.
        groups: Which part of the country each station lies in: spikes are lone among those of the same part. Without
            it all stations are of one.
    """
    sound = np.where(values > 0, values, np.nan)
    group = np.array(["" for _ in range(values.shape[1])] if groups is None else groups, dtype=np.str_)
    for axis, pollutant in enumerate(INPUT_POLLUTANTS[: values.shape[2]]):
        one = sound[:, :, axis]
        stuck = _run_lengths(one) >= _STUCK_HOURS[pollutant]
        if pollutant is Pollutant.O3:
            # Ozone does lie at its floor through a polluted night.
            stuck &= one > _LOW_OZONE_PPM
        one = np.where(stuck, np.nan, one)
        for name in np.unique(group):
            own = np.flatnonzero(group == name)
            sound[:, own, axis] = np.where(_spikes(one[:, own], pollutant), np.nan, one[:, own])
    return sound


def _run_lengths(values: Floats) -> NDArray[np.int64]:
    """How many hours on end each value stays the same; a gap is a run of its own."""
    lengths = np.empty(values.shape, dtype=np.int64)
    for station, column in enumerate(values.T):
        run = np.cumsum(np.r_[True, column[1:] != column[:-1]]) - 1
        lengths[:, station] = np.bincount(run)[run]
    return lengths


def _spikes(values: Floats, pollutant: Pollutant) -> NDArray[np.bool_]:
    """Values far above all that the rest of the network saw in that hour."""
    if values.shape[1] < _SPIKE_STATIONS:
        return np.zeros(values.shape, dtype=np.bool_)
    median = _median(values)
    deviation = np.maximum(_median(np.abs(values - median)) * _MAD_TO_DEVIATION, _LEAST_DEVIATION[pollutant])
    high = (values > _SPIKE_FLOOR[pollutant]) & (values > _SPIKE_TIMES_MEDIAN * median)
    spikes: NDArray[np.bool_] = high & (values - median > _SPIKE_DEVIATIONS * deviation)
    return spikes


def _median(values: Floats) -> Floats:
    """The median over stations, (hours, 1); NaN in hours without any value."""
    empty = ~np.isfinite(values).any(axis=1, keepdims=True)
    median: Floats = np.nanmedian(np.where(empty, 0.0, values), axis=1, keepdims=True)
    return np.where(empty, np.nan, median)
