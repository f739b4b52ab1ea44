"""The scale on which the nets see and say concentrations: z = (ln(x + shift) - centre) / spread for each pollutant.

As in the damped persistence, a shifted logarithm keeps every quantile at 0 or above and makes intervals multiplicative
in high air and additive in clean air. Centre and spread only bring the pollutants to a like size; they were set by hand
near the mean and the standard deviation of Seoul's hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from air.pollutants import FORECAST_POLLUTANTS, Pollutant

INPUT_POLLUTANTS: Final = (*FORECAST_POLLUTANTS, Pollutant.CO, Pollutant.SO2)
"""What a station's hours may hold, those that are forecast first."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """One pollutant's scale. `units` net units make one network unit: gases count in ppb, CO in tenths of a ppm."""

    units: float
    shift: float
    centre: float
    spread: float


_SCALES: Final = {
    Pollutant.PM25: _Scale(1.0, 5.0, 3.11, 0.54),
    Pollutant.PM10: _Scale(1.0, 10.0, 3.71, 0.47),
    Pollutant.O3: _Scale(1000.0, 20.0, 3.83, 0.40),
    Pollutant.NO2: _Scale(1000.0, 10.0, 3.40, 0.36),
    Pollutant.CO: _Scale(10.0, 2.0, 1.83, 0.27),
    Pollutant.SO2: _Scale(1000.0, 1.0, 1.52, 0.28),
}
_UNITS: Final = torch.tensor([_SCALES[pollutant].units for pollutant in INPUT_POLLUTANTS])
_SHIFT: Final = torch.tensor([_SCALES[pollutant].shift for pollutant in INPUT_POLLUTANTS])
_CENTRE: Final = torch.tensor([_SCALES[pollutant].centre for pollutant in INPUT_POLLUTANTS])
_SPREAD: Final = torch.tensor([_SCALES[pollutant].spread for pollutant in INPUT_POLLUTANTS])

_LOWEST_Z, _HIGHEST_Z = -6.0, 8.0
_HIGHEST_LOG: Final = 8.5


def to_z(values: Tensor) -> Tensor:
    """Concentrations in network units, (..., 4 or 6) in the order of INPUT_POLLUTANTS, on the scale.

    What is no positive finite number becomes NaN: networks write 0 for a value that they do not have.
    """
    count = values.shape[-1]
    usable = torch.where((values > 0) & (values < math.inf), values, torch.nan)
    logarithm = torch.log(usable * _UNITS[:count] + _SHIFT[:count])
    return ((logarithm - _CENTRE[:count]) / _SPREAD[:count]).clamp(_LOWEST_Z, _HIGHEST_Z)


def to_net_units(z: Tensor) -> Tensor:
    """Values of the forecast pollutants on the scale, (..., 4, any), as µg/m³ and ppb: finite and 0 or more."""
    count = z.shape[-2]
    logarithm = z * _SPREAD[:count, None] + _CENTRE[:count, None]
    return (torch.exp(logarithm.clamp(max=_HIGHEST_LOG)) - _SHIFT[:count, None]).clamp_min(0.0)


def to_network_units(values: Tensor) -> Tensor:
    """µg/m³ and ppb of the forecast pollutants, (..., 4, any), in network units."""
    return values / _UNITS[: values.shape[-2], None]


def usual_to_z(logarithm: Tensor) -> Tensor:
    """ln(x + shift) with x and shift in network units, (..., 4), on the scale: the climatology is fitted so."""
    count = logarithm.shape[-1]
    return (logarithm + torch.log(_UNITS[:count]) - _CENTRE[:count]) / _SPREAD[:count]
