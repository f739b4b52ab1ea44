"""What was observed later made as wrong as a forecast of the weather is.

No forecasts of KMA's were recorded beside the air. So that the nets learn how far the weather to come can be trusted,
the weather that came is worsened, the more the further ahead. The errors are an assumption about KMA's forecasts, not
fitted to any:

| | standard deviation, now to 72 h | from hour to hour it keeps | besides |
|---|---|---|---|
| temperature | 1 to 2.5 °C | 0.95 | a bias of 0.7 °C |
| humidity | 6 to 13 % | 0.9 | a bias of 4 % |
| wind, each component | 0.8 to 2 m/s | 0.85 | all speeds off by a factor of e^N(0, 0.15) |
| rain | amounts off by a factor of e^N(0, 0.7) | 0.8 | up to 3 h early or late; missed in 25 to 50 % of wet hours; in 2 to 5 % of dry ones |
| cloud | 2 to 3.5 tenths | 0.9 | told in KMA's three classes |
"""  # noqa: E501  a table

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS

_TEMPERATURE, _HUMIDITY, _EAST, _NORTH, _SPEED, _RAIN, _CLOUD = range(7)

_OLDEST_ISSUE_HOURS: Final = 3.0
_FURTHEST: Final = 1.05
_LATEST_RAIN_HOURS: Final = 3
_WET_MM: Final = 0.005
_CLEAR_TENTHS, _CLOUDY_TENTHS = 5.5, 8.5
_CLASSES: Final = (2.5, 7.0, 9.5)
"""What KMA's sky codes 1, 3 and 4 stand for, as in `weather_input`."""


def as_forecast(observed: Tensor, chance: torch.Generator) -> Tensor:
    """The weather of 72 hours as a forecast 1 to 4 hours old might have told it.

    Args:
        observed: What came, (rows, 72, FORESEEN); what is NaN stays NaN.
        chance: Where the errors come from.
    """
    rows = len(observed)
    errors = _Errors(rows, chance)
    age = 1 + _OLDEST_ISSUE_HOURS * errors.uniform(1)
    lead = ((torch.arange(1, HORIZON_HOURS + 1) + age) / HORIZON_HOURS).clamp(max=_FURTHEST)
    told = observed.clone()
    told[..., _TEMPERATURE] += (1 + 1.5 * lead) * errors.lasting(0.95) + 0.7 * errors.normal(1)
    humidity = observed[..., _HUMIDITY] + (6 + 7 * lead) * errors.lasting(0.9) + 4 * errors.normal(1)
    told[..., _HUMIDITY] = humidity.clamp(8, 100)
    factor = torch.exp(0.15 * errors.normal(1))
    for component in (_EAST, _NORTH):
        told[..., component] = observed[..., component] * factor + (0.8 + 1.2 * lead) * errors.lasting(0.85)
    told[..., _SPEED] = torch.hypot(told[..., _EAST], told[..., _NORTH])
    told[..., _RAIN] = _rain(observed[..., _RAIN], lead, errors)
    cloud = observed[..., _CLOUD] + (2 + 1.5 * lead) * errors.lasting(0.9)
    clear, cloudy, overcast = _CLASSES
    in_classes = torch.where(cloud <= _CLEAR_TENTHS, clear, torch.where(cloud <= _CLOUDY_TENTHS, cloudy, overcast))
    told[..., _CLOUD] = torch.where(cloud.isnan(), torch.nan, in_classes)
    return told


def _rain(observed: Tensor, lead: Tensor, errors: _Errors) -> Tensor:
    """Rain at the wrong hour, missed, or out of a dry sky."""
    late = errors.hours(-_LATEST_RAIN_HOURS, _LATEST_RAIN_HOURS)
    shifted = observed.gather(1, (torch.arange(HORIZON_HOURS) + late).clamp(0, HORIZON_HOURS - 1))
    rain = torch.where(shifted.isnan(), observed, shifted)
    rank = torch.special.ndtr(errors.lasting(0.8))
    told = rain.clamp_min(0) * torch.exp(0.7 * errors.normal(HORIZON_HOURS))
    false_alarm = torch.exp(0.9 * errors.normal(HORIZON_HOURS) - 0.7)
    wet = torch.where(rank < 0.25 + 0.25 * lead, 0.0, told)
    dry = torch.where(rank > 1 - (0.02 + 0.03 * lead), false_alarm, 0.0)
    return torch.where(observed.isnan(), torch.nan, torch.where(rain > _WET_MM, wet, dry))


class _Errors:
    """Random numbers for so many rows."""

    def __init__(self, rows: int, chance: torch.Generator) -> None:
        self._rows, self._chance = rows, chance

    def uniform(self, columns: int) -> Tensor:
        """From 0 to 1, (rows, columns)."""
        return torch.rand(self._rows, columns, generator=self._chance)

    def normal(self, columns: int) -> Tensor:
        """Of mean 0 and variance 1, (rows, columns)."""
        return torch.randn(self._rows, columns, generator=self._chance)

    def hours(self, first: int, last: int) -> Tensor:
        """Whole hours from the first to the last, (rows, 1)."""
        return torch.randint(first, last + 1, (self._rows, 1), generator=self._chance)

    def lasting(self, kept: float) -> Tensor:
        """Of mean 0 and variance 1, (rows, 72), each hour keeping so much of the one before it (AR(1))."""
        hour = torch.arange(HORIZON_HOURS)
        age = hour[:, None] - hour
        response = torch.where(age >= 0, torch.pow(kept, age.clamp_min(0).to(torch.float32)), 0.0)
        response[:, 1:] *= math.sqrt(1 - kept**2)
        return self.normal(HORIZON_HOURS) @ response.T
