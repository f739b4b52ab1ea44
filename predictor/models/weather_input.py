"""Weather as the nets see it: what was observed up to the issue hour, and what was then forecast for the hours to come.

Both may be missing, wholly or by the hour: the nets were trained on such rows, too, and there forecast without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS

OBSERVED: Final = 6
"""Temperature °C, relative humidity %, wind towards the east and the north m/s, wind speed m/s, rain mm."""

FORESEEN: Final = OBSERVED + 1
"""The same, and cloud cover in tenths. Of KMA's sky codes 1 (clear), 3 and 4 stand for 2.5, 7 and 9.5 tenths."""

_RAIN: Final = 5
"""None is its usual value."""

_WILDEST: Final = 10.0
"""No weather of Korea is so far from the usual; what is, is an error, and must not carry the nets away."""

_CENTRE: Final = torch.tensor([12.0, 60.0, 0.0, 0.0, 2.3, 0.0, 5.0])
_SPREAD: Final = torch.tensor([10.0, 20.0, 2.0, 2.0, 1.4, 0.5, 4.0])


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """The weather at each station. An hour whose temperature is NaN counts as unknown; another NaN as the usual value.

    Attributes:
        observed: Up to and including the issue hour, oldest first, (stations, 168, OBSERVED), float32.
        foreseen: Of the hours after it, as known at the issue hour, (stations, 72, FORESEEN), float32.
    """

    observed: Tensor
    foreseen: Tensor

    def at(self, places: NDArray[np.int64]) -> Weather:
        """The weather at these of the stations."""
        return Weather(self.observed[places], self.foreseen[places])


def no_weather(stations: int) -> Weather:
    """The weather where nothing is known of it."""
    return Weather(
        torch.full((stations, WINDOW_HOURS, OBSERVED), torch.nan),
        torch.full((stations, HORIZON_HOURS, FORESEEN), torch.nan),
    )


def scaled(weather: Tensor) -> tuple[Tensor, Tensor]:
    """Weather brought to like sizes, with 0 for what is unknown, and whether each hour is known.

    Args:
        weather: (stations, hours, OBSERVED or FORESEEN).

    Returns:
        (stations, hours, the same), finite; and (stations, hours, 1), 0 or 1.
    """
    values = weather.mT.clone(memory_format=torch.contiguous_format)
    known = values[:, :1].isfinite().to(torch.float32)
    rain = values[:, _RAIN]
    torch.log1p(rain.nan_to_num(0.0, 0.0, 0.0).clamp_min(0.0), out=rain)
    values.sub_(_CENTRE[: values.shape[1], None]).div_(_SPREAD[: values.shape[1], None])
    return values.nan_to_num_(0.0, 0.0, 0.0).clamp_(-_WILDEST, _WILDEST).mT, known.mT
