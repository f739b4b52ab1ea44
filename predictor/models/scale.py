"""The scale on which the nets see and say concentrations: z = (ln(x + shift) - centre) / spread for each pollutant.

As in the damped persistence, a shifted logarithm keeps every quantile at 0 or above and makes intervals multiplicative
in high air and additive in clean air. Centre and spread only bring the pollutants to a like size; they were set by hand
near the mean and the standard deviation of Seoul's hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from air.pollutants import FORECAST_POLLUTANTS, Pollutant

Floats = NDArray[np.float32]

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
UNITS: Final = np.array([_SCALES[pollutant].units for pollutant in INPUT_POLLUTANTS], dtype=np.float32)
SHIFT: Final = np.array([_SCALES[pollutant].shift for pollutant in INPUT_POLLUTANTS], dtype=np.float32)
CENTRE: Final = np.array([_SCALES[pollutant].centre for pollutant in INPUT_POLLUTANTS], dtype=np.float32)
SPREAD: Final = np.array([_SCALES[pollutant].spread for pollutant in INPUT_POLLUTANTS], dtype=np.float32)

HIGHEST_LOG: Final = 8.5
"""No logarithm of a concentration in net units counts for more."""

_LOWEST_Z, _HIGHEST_Z = -6.0, 8.0


def to_z(values: Tensor) -> Tensor:
    """Concentrations in network units, (..., 4 or 6) in the order of INPUT_POLLUTANTS, on the scale.

    What is no positive finite number becomes NaN: networks write 0 for a value that they do not have.
    """
    # As rows of all hours: an axis of four or six alone is too short to be worked through at speed.
    rows = values.reshape(-1, math.prod(values.shape[-2:])).numpy()
    count, times = values.shape[-1], rows.shape[-1] // values.shape[-1]
    units, shift, centre, spread = (np.tile(each[:count], times) for each in (UNITS, SHIFT, CENTRE, SPREAD))
    measured = ((rows > 0) & (rows < math.inf)).astype(np.float32)
    with np.errstate(all="ignore"):
        z = rows * units
        z += shift
        np.log(z, out=z)
        z -= centre
        z /= spread
        np.clip(z, _LOWEST_Z, _HIGHEST_Z, out=z)
        # 1, or NaN where nothing was measured: much faster than a choice at each value.
        z *= measured / measured
    return torch.from_numpy(z).reshape(values.shape)


def to_net_units(z: Tensor) -> Tensor:
    """Values of the forecast pollutants on the scale, (..., 4, any), as µg/m³ and ppb: finite and 0 or more."""
    spread, centre, shift = (_for_each(constant, z) for constant in (SPREAD, CENTRE, SHIFT))
    logarithm = (z.flatten(-2) * spread + centre).clamp(max=HIGHEST_LOG)
    return (torch.exp(logarithm) - shift).clamp_min(0.0).reshape(z.shape)


def to_network_units(values: Tensor) -> Tensor:
    """µg/m³ and ppb of the forecast pollutants, (..., 4, any), in network units."""
    return (values.flatten(-2) / _for_each(UNITS, values)).reshape(values.shape)


def usual_to_z(logarithm: Tensor) -> Tensor:
    """ln(x + shift) with x and shift in network units, (..., 4), on the scale: the climatology is fitted so."""
    count = logarithm.shape[-1]
    offset = torch.from_numpy(np.log(UNITS[:count]) - CENTRE[:count])
    return (logarithm + offset) / torch.from_numpy(SPREAD[:count])


def _for_each(constant: Floats, values: Tensor) -> Tensor:
    """The pollutants' constant for each of the values of an hour, (..., pollutants, any), laid out flat as they are."""
    return torch.from_numpy(constant[: values.shape[-2]].repeat(values.shape[-1]))
