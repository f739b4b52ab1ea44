"""How good a model's forecasts are on the test hours of a recording, beside persistence.

The model is asked exactly as it is when it serves: window in, quantiles out. The mean of a forecast is estimated from
its quantiles by Swanson's rule, 0.3 · q10 + 0.4 · q50 + 0.3 · q90.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import HORIZON_HOURS, MEDIAN, SWANSON
from predictor.models.damped_persistence import DampedPersistence
from predictor.training.recordings import TEST, Recording

Floats = NDArray[np.float64]

SCORED_HOURS: Final = (1, 3, 6, 12, 24, 48, 72)
_WINDOW_HOURS: Final = 336
_BATCH: Final = 2048


@dataclass(frozen=True, slots=True)
class Score:
    """Errors in the pollutant's unit over `count` forecasts of one pollutant and horizon."""

    count: int
    mae: float
    rmse: float
    persistence_mae: float
    persistence_rmse: float
    coverage: float
    """The share of values inside the 80 % interval."""
    width: float
    """The interval's mean width."""


Scores = Mapping[tuple[Pollutant, int], Score]


def score(model: DampedPersistence, recording: Recording, *, every_hours: int = 1) -> Scores:
    """Scores by pollutant and horizon over the test hours; issue hours are `every_hours` apart.

    Only forecasts whose pollutant was measured in the issue hour count, as for persistence.
    """
    truth = np.concatenate([recording.values, np.full((HORIZON_HOURS, *recording.values.shape[1:]), np.nan)])
    hours = np.array(SCORED_HOURS) - 1
    forecast, valid, last = [], [], []
    for issue, station, quantiles in _forecasts(model, recording, every_hours):
        forecast.append(quantiles[:, hours])
        at = issue[:, None] + np.array(SCORED_HOURS)
        tested = np.concatenate([recording.part, np.full(HORIZON_HOURS, -1)])[at] == TEST
        valid.append(np.where(tested[..., None], truth[at, station[:, None]], np.nan))
        last.append(recording.values[issue, station])
    return _table(np.concatenate(forecast), np.concatenate(valid), np.concatenate(last))


def markdown(recording: Recording, scores: Scores) -> str:
    """The scores as a table: a row a pollutant and a measure, a column a horizon; gases in ppb."""
    head = " | ".join(f"+{hour} h" for hour in SCORED_HOURS)
    lines = [f"**{recording.name}**", "", f"| | {head} |", "|---" * (len(SCORED_HOURS) + 1) + "|"]
    for pollutant in FORECAST_POLLUTANTS:
        unit = 1.0 if pollutant in {Pollutant.PM25, Pollutant.PM10} else 1000.0
        row = [scores[pollutant, hour] for hour in SCORED_HOURS]
        lines += [
            _line(
                f"{pollutant} persistence", [_pair(s.persistence_mae * unit, s.persistence_rmse * unit) for s in row]
            ),
            _line(f"{pollutant} this model", [_pair(s.mae * unit, s.rmse * unit) for s in row]),
            _line(f"{pollutant} RMSE, change", [f"{100 * (s.rmse / s.persistence_rmse - 1):+.0f} %" for s in row]),
            _line(f"{pollutant} inside the 80 % interval", [f"{100 * s.coverage:.1f} %" for s in row]),
        ]
    return "\n".join(lines) + "\n"


def _pair(mae: float, rmse: float) -> str:
    return f"{mae:.2f}/{rmse:.2f}"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _forecasts(
    model: DampedPersistence, recording: Recording, every_hours: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]:
    """Issue rows, stations and quantiles (batch, 72, pollutants, 3), in batches, of all that may reach a test hour."""
    tested = np.flatnonzero(recording.part == TEST)
    issues = np.unique(np.concatenate([tested - hour for hour in SCORED_HOURS]))
    issues = issues[(issues >= _WINDOW_HOURS - 1) & (issues % every_hours == 0)]
    pairs = np.stack(np.meshgrid(issues, np.arange(recording.values.shape[1]), indexing="ij"), -1).reshape(-1, 2)
    pairs = pairs[np.isfinite(recording.values[pairs[:, 0], pairs[:, 1]]).any(axis=-1)]
    back = np.arange(1 - _WINDOW_HOURS, 1)
    for start in range(0, len(pairs), _BATCH):
        issue, station = pairs[start : start + _BATCH].T
        window = torch.from_numpy(recording.values[issue[:, None] + back, station[:, None]].astype(np.float32))
        quantiles = model.quantiles(window, torch.from_numpy(issue + recording.first_hour))
        yield issue, station, quantiles.numpy().astype(np.float64)


def _table(forecast: Floats, valid: Floats, last: Floats) -> dict[tuple[Pollutant, int], Score]:
    """Scores from forecasts (n, hours, pollutants, 3), truth (n, hours, pollutants) and last values (n, pollutants)."""
    scores = {}
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        for place, hour in enumerate(SCORED_HOURS):
            truth, now = valid[:, place, axis], last[:, axis]
            use = np.isfinite(truth) & np.isfinite(now)
            truth, now, quantiles = truth[use], now[use], forecast[use, place, axis]
            scores[pollutant, hour] = Score(
                count=len(truth),
                mae=float(np.abs(quantiles[:, MEDIAN] - truth).mean()),
                rmse=float(np.sqrt(((quantiles @ SWANSON - truth) ** 2).mean())),
                persistence_mae=float(np.abs(now - truth).mean()),
                persistence_rmse=float(np.sqrt(((now - truth) ** 2).mean())),
                coverage=float(((truth >= quantiles[:, 0]) & (truth <= quantiles[:, -1])).mean()),
                width=float((quantiles[:, -1] - quantiles[:, 0]).mean()),
            )
    return scores
