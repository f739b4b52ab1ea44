"""A calibration run forward in time over a hindcast: each hour is forecast with what had come true by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.models.axes import HORIZON_HOURS
from predictor.models.calibration import LEADS, Calibration, Matured
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.training.hindcast import Hindcast

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LEADS: Final = np.array(LEADS)


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What would have been told.

    Attributes:
        told: For each issue hour of the hindcast, at LEADS.
        calibration: As it is in the end.
    """

    told: tuple[FieldForecast, ...]
    calibration: Calibration


def run_forward(calibration: Calibration, hindcast: Hindcast) -> Forward:
    """Tells a forecast at each issue hour, and learns from each hour as soon as it has been measured."""
    place_of = {int(hour): place for place, hour in enumerate(hindcast.issue_hours)}
    told: list[FieldForecast] = []
    for hour in range(int(hindcast.issue_hours[0]), int(hindcast.issue_hours[-1]) + 1):
        leads = np.array([lead for lead in LEADS if hour - lead in place_of], dtype=np.int64)
        truth = hindcast.truth[hour - hindcast.first_hour]
        if len(leads) and bool(np.isfinite(truth).any()):
            calibration = calibration.learned(_matured(hour, leads, truth, hindcast, told, place_of))
        if hour in place_of:
            told.append(_apply(calibration, hindcast.said[place_of[hour]]))
    return Forward(tuple(told), calibration)


def _matured(
    hour: int,
    leads: Ints,
    truth: Floats,
    hindcast: Hindcast,
    told: list[FieldForecast],
    place_of: dict[int, int],
) -> Matured:
    """What was said and told of an hour."""
    before = [(place_of[hour - int(lead)], at) for lead, at in zip(leads, np.searchsorted(_LEADS, leads), strict=True)]
    said = [(hindcast.said[place].mean[:, :, at], hindcast.said[place].quantiles[:, :, at]) for place, at in before]
    then = [(told[place].mean[:, at], told[place].quantiles[:, at]) for place, at in before]
    return Matured(
        hour=hour,
        leads=leads,
        said=MemberForecasts(
            np.stack([each for each, _ in said], axis=2), np.stack([each for _, each in said], axis=2)
        ),
        truth=truth,
        told=FieldForecast(np.stack([each for each, _ in then], axis=1), np.stack([each for _, each in then], axis=1)),
    )


def _apply(calibration: Calibration, said: MemberForecasts) -> FieldForecast:
    """What is told at LEADS, where only those are known."""
    members, stations, _, pollutants = said.mean.shape
    whole = MemberForecasts(
        np.zeros((members, stations, HORIZON_HOURS, pollutants), np.float32),
        np.zeros((members, stations, HORIZON_HOURS, pollutants, said.quantiles.shape[-1]), np.float32),
    )
    whole.mean[:, :, _LEADS - 1] = said.mean
    whole.quantiles[:, :, _LEADS - 1] = said.quantiles
    return calibration.apply(whole).at(LEADS)
