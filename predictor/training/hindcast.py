"""What a model would have said of recorded hours, each issue hour forecast with what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from predictor.models.axes import HORIZON_HOURS, SWANSON
from predictor.models.calibration import LEADS
from predictor.models.channels import FORECAST, HISTORY_HOURS
from predictor.models.ensemble import Ensemble
from predictor.models.members import MemberForecasts
from predictor.training.rows import Source
from predictor.training.training_set import TrainingSet

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_ROWS_AT_ONCE: Final = 1024
_SEED_OF_WEATHER: Final = 77
_PLACES: Final = np.array(LEADS) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Hindcast:
    """Forecasts of one recording, at LEADS, in network units.

    Attributes:
        issue_hours: Since 1970-01-01T00Z, ascending, (issues,).
        said: For each issue hour what the members said of the stations, (members, stations, leads, pollutants).
        first_hour: Of what was measured.
        truth: What was measured, (hours, stations, pollutants), NaN in gaps.
    """

    issue_hours: Ints
    said: tuple[MemberForecasts, ...]
    first_hour: int
    truth: Floats


@torch.inference_mode()
def hindcast(
    model: Ensemble, recorded: TrainingSet, parts: Sequence[int], *, every_hours: int = 1, weather: bool = True
) -> Hindcast:
    """Forecasts for the stations that the damped persistence is fitted to, from all hours with one of the parts ahead.

    Args:
        model: Whose members are asked.
        recorded: The hours.
        parts: TRAIN, TUNE, TEST: of which forecasts are wanted.
        every_hours: From one issue hour to the next.
        weather: Whether what was recorded of the weather is shown, that to come degraded to a forecast.
    """
    found = [recorded.issues(part, HORIZON_HOURS) for part in parts]
    issues = np.unique(np.concatenate(found))
    issues = issues[(issues + recorded.first_hour) % every_hours == 0]
    places = np.flatnonzero(recorded.fitted)
    seen = recorded if weather else recorded.without_weather()
    source = Source(seen, model.nets)
    chance = torch.Generator().manual_seed(_SEED_OF_WEATHER)
    at_once = max(1, _ROWS_AT_ONCE // len(places))
    said: list[MemberForecasts] = []
    for start in range(0, len(issues), at_once):
        said += _said(model, seen, source, issues[start : start + at_once], places, chance)
    truth = recorded.values[:, places, :FORECAST]
    return Hindcast(issues + recorded.first_hour, tuple(said), recorded.first_hour, truth)


def _said(
    model: Ensemble, recorded: TrainingSet, source: Source, issues: Ints, places: Ints, chance: torch.Generator
) -> list[MemberForecasts]:
    """What the members say at each of some issue hours."""
    issue, place = (torch.from_numpy(each.ravel()) for each in np.meshgrid(issues, places, indexing="ij"))
    rows = source.rows(issue, place, int(recorded.part[issues[0]]), chance)
    nets = model.nets.distributions_of(rows.features())
    damped = model.damped.quantiles(
        torch.from_numpy(_windows(recorded.values, issue.numpy(), place.numpy())), issue + recorded.first_hour
    )
    means = np.stack([*(each.mean.numpy() for each in nets), (damped @ torch.tensor(SWANSON)).numpy()])
    quantiles = np.stack([*(each.main_quantiles.numpy() for each in nets), damped.numpy()])
    return [
        MemberForecasts(means[:, one][:, :, _PLACES], quantiles[:, one][:, :, _PLACES])
        for one in np.split(np.arange(len(issue)), len(issues))
    ]


def _windows(values: Floats, issue: Ints, place: Ints) -> Floats:
    """The two weeks up to each issue hour, (rows, 336, pollutants), NaN before the first hour."""
    back = issue[:, None] + np.arange(1 - HISTORY_HOURS, 1)
    windows = values[np.maximum(back, 0), place[:, None], :FORECAST]
    return np.where((back >= 0)[..., None], windows, np.float32(np.nan))
