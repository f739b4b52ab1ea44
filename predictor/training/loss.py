"""What training makes small: the pinball loss of nine quantiles, on the scale, in units of the linear part's error."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import HORIZON_HOURS
from predictor.models.recurrent import LEVELS

_LEVELS: Final = torch.tensor(LEVELS)

_FIRST_HOURS: Final = ((12, 2.0), (6, 3.0))
"""How much the first hours ahead count: who is out now asks about them."""

_PM25: Final = 1.5


def pinball(quantiles: Tensor, truth: Tensor, scale: Tensor, weights: Tensor) -> Tensor:
    """The mean pinball loss over rows, hours ahead, pollutants and quantiles; a scalar.

    Args:
        quantiles: At LEVELS, on the scale, (B, 72, 4, 9).
        truth: On the scale, (B, 72, 4), NaN where nothing counts.
        scale: The unit, (72, 4).
        weights: What each hour ahead and pollutant counts, (72, 4).
    """
    known = truth.isfinite()
    error = (torch.where(known, truth, 0.0)[..., None] - quantiles) / scale[..., None]
    loss = torch.maximum(_LEVELS * error, (_LEVELS - 1) * error).mean(dim=-1)
    counted = known * weights
    return (loss * counted).sum() / counted.sum().clamp_min(1.0)


def training_weights() -> Tensor:
    """What each hour ahead and pollutant counts in training, (72, 4)."""
    hours = torch.ones(HORIZON_HOURS)
    for end, weight in _FIRST_HOURS:
        hours[:end] = weight
    of_pollutant = torch.tensor([_PM25 if each is Pollutant.PM25 else 1.0 for each in FORECAST_POLLUTANTS])
    return (hours / hours.mean())[:, None] * of_pollutant
