"""Fits the damped persistence on recorded hours, in closed form: least squares and quantiles, no random numbers.

Run as `python -m predictor.training.fit_damped_persistence FOLDER`, where FOLDER holds the recordings; it writes the
model file and prints the scores of the model card.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import HORIZON_HOURS, QUANTILES
from predictor.models.calendar import waves
from predictor.models.damped_persistence import LEADS, DampedPersistence
from predictor.models.model_file import SHIPPED, save
from predictor.training.recordings import TRAIN, Recording, load_2017, load_2025, load_downtown
from predictor.training.scores import markdown, score

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Set by hand; the scores change by a few per cent at most over half to double of each. They are round numbers near the
# best for 2021 of the downtown mean and for the stations of 2017 and 2025.
SHIFT: Final = {Pollutant.PM25: 5.0, Pollutant.PM10: 10.0, Pollutant.O3: 0.02, Pollutant.NO2: 0.01}
MEMORY_HOURS: Final = 336
TRUST_HOURS: Final = 48

_WARM_UP_HOURS: Final = 168
_SMALLEST_ERROR: Final = 1e-3


@dataclass(frozen=True, slots=True)
class _Anomalies:
    """One pollutant of one recording, against the climatology, on the z scale; (hours, stations) each."""

    anomaly: Floats
    level: Floats
    log_roughness: Floats
    trained: NDArray[np.bool_]
    weight: float


def fit(recordings: Sequence[Recording]) -> DampedPersistence:
    """The model fitted on the training part of the recordings."""
    model = DampedPersistence()
    model.memory_hours.fill_(MEMORY_HOURS)
    model.trust_hours.fill_(TRUST_HOURS)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        model.shift[axis] = SHIFT[pollutant]
        z = [np.log(recording.values[:, :, axis] + SHIFT[pollutant]) for recording in recordings]
        pattern = _fit_pattern(recordings, z)
        model.pattern[axis] = torch.from_numpy(pattern)
        anomaly = [values - (_waves(r) @ pattern)[:, None] for r, values in zip(recordings, z, strict=True)]
        step = _usual_step(recordings, anomaly)
        model.step[axis] = step
        sets = [_against_level(r, values, step) for r, values in zip(recordings, anomaly, strict=True)]
        model.level_spread[axis] = _level_spread(sets)
        for row in range(LEADS + 1):
            damping, share, quantiles = _fit_lead(sets, row)
            model.damping[axis, row] = damping
            model.roughness_share[axis, row] = share
            model.spread[axis, row] = torch.from_numpy(quantiles)
    return model


def _waves(recording: Recording) -> Floats:
    hour = torch.arange(len(recording.values)) + recording.first_hour
    return waves(hour).numpy().astype(np.float64)


def _fit_pattern(recordings: Sequence[Recording], z: Sequence[Floats]) -> Floats:
    """Weighted least squares of all stations' training hours on the waves."""
    normal: Floats = np.zeros(())
    right: Floats = np.zeros(())
    for recording, values in zip(recordings, z, strict=True):
        known = np.isfinite(values) & (recording.part == TRAIN)[:, None]
        basis = _waves(recording)
        normal = normal + recording.weight * (basis * known.sum(axis=1)[:, None]).T @ basis
        right = right + recording.weight * basis.T @ np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.linalg.solve(normal, right), dtype=np.float64)


def _usual_step(recordings: Sequence[Recording], anomaly: Sequence[Floats]) -> float:
    """Root mean square of the change from hour to hour; every recording counts alike."""
    squares = [
        np.nanmean(np.diff(values, axis=0)[recording.part[1:] == TRAIN] ** 2)
        for recording, values in zip(recordings, anomaly, strict=True)
    ]
    return float(np.sqrt(np.mean(squares)))


def _against_level(recording: Recording, anomaly: Floats, step: float) -> _Anomalies:
    """Level and roughness as the model works them out from the window that ends at each hour."""
    total, amount = _faded_sum(np.nan_to_num(anomaly)), _faded_sum(np.isfinite(anomaly).astype(np.float64))
    change = np.full_like(anomaly, np.nan)
    change[1:] = np.diff(anomaly, axis=0) ** 2
    changed, changes = _faded_sum(np.nan_to_num(change)), _faded_sum(np.isfinite(change).astype(np.float64))
    mean_change = (changed + TRUST_HOURS * step**2) / (changes + TRUST_HOURS)
    trained = np.equal(recording.part, TRAIN)
    trained[:_WARM_UP_HOURS] = False
    return _Anomalies(
        anomaly, total / (amount + TRUST_HOURS), 0.5 * np.log(mean_change / step**2), trained, recording.weight
    )


def _faded_sum(values: Floats) -> Floats:
    """The sum over the last MEMORY_HOURS hours, each hour counting exp(-age / MEMORY_HOURS)."""
    fade = np.exp(-1 / MEMORY_HOURS)
    sums = np.empty_like(values)
    running = np.zeros(values.shape[1:])
    for hour, value in enumerate(values):
        gone = values[hour - MEMORY_HOURS] * fade**MEMORY_HOURS if hour >= MEMORY_HOURS else 0.0
        running = fade * running + value - gone
        sums[hour] = running
    return sums


def _level_spread(sets: Sequence[_Anomalies]) -> float:
    """Standard deviation of the mean departures of stations over fortnights."""
    means = []
    for one in sets:
        blocks = len(one.anomaly) // MEMORY_HOURS
        fortnights = one.anomaly[: blocks * MEMORY_HOURS].reshape(blocks, MEMORY_HOURS, -1)
        trained = one.trained[: blocks * MEMORY_HOURS].reshape(blocks, MEMORY_HOURS, 1)
        known = np.isfinite(fortnights) & trained
        count = known.sum(axis=1)
        enough: Bools = np.greater_equal(count, MEMORY_HOURS // 4)
        means.append(np.var(np.where(known, fortnights, 0.0).sum(axis=1)[enough] / count[enough]))
    return float(np.sqrt(np.mean(means)))


def _fit_lead(sets: Sequence[_Anomalies], row: int) -> tuple[float, float, Floats]:
    """Damping, roughness share and error quantiles of one row of leads; the last row knows no newest value."""
    silent = row == LEADS
    lead = HORIZON_HOURS if silent else row + 1
    now, then, rough, weight = (np.concatenate(parts) for parts in zip(*(_pairs(s, lead) for s in sets), strict=True))
    damping = 0.0 if silent else float((weight * now * then).sum() / (weight * now * now).sum())
    error = then - damping * now
    share = 0.0 if silent else _roughness_share(error, rough, weight)
    return damping, share, _weighted_quantiles(error / np.exp(share * rough), weight)


def _pairs(one: _Anomalies, lead: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Departures from the level at an hour and `lead` hours on, the roughness known at the hour, and weights."""
    now = (one.anomaly - one.level)[:-lead]
    then = one.anomaly[lead:] - one.level[:-lead]
    use = np.isfinite(now) & np.isfinite(then) & one.trained[lead:, None]
    use[:_WARM_UP_HOURS] = False
    return now[use], then[use], one.log_roughness[:-lead][use], np.full(int(use.sum()), one.weight)


def _roughness_share(error: Floats, log_roughness: Floats, weight: Floats) -> float:
    """How the size of errors grows with roughness: the slope of ln |error| on ln roughness."""
    size = np.log(np.abs(error) + _SMALLEST_ERROR)
    centred = log_roughness - np.average(log_roughness, weights=weight)
    return float(np.clip((weight * centred * size).sum() / (weight * centred**2).sum(), 0.0, 1.0))


def _weighted_quantiles(values: Floats, weight: Floats) -> Floats:
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return np.interp(QUANTILES, below / below[-1], values[order])


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits, saves, and prints the scores."""
    parser = argparse.ArgumentParser(description="Fit the damped persistence on recorded hours of air.")
    parser.add_argument("folder", type=Path, help="the folder of the recordings (parquet)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the model file to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recordings = [load_downtown(options.folder), load_2017(options.folder), load_2025(options.folder)]
    model = fit(recordings)
    sha256 = save(model, options.out)
    sys.stdout.write(f"{options.out}  {sha256}\n\n")
    for recording in recordings:
        sys.stdout.write(markdown(recording, score(model, recording)) + "\n")


if __name__ == "__main__":
    main()
