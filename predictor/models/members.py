"""What models say: each member of a model for itself, and what is told in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MemberForecasts:
    """What each member of a model expects at stations, in network units: finite, 0 or more, quantiles ascending.

    Attributes:
        mean: (members, stations, hours ahead, pollutants).
        quantiles: The same and `axes.QUANTILES`.
    """

    mean: Floats
    quantiles: Floats

    def at(self, leads: Sequence[int]) -> MemberForecasts:
        """Only these hours ahead, 1 to 72."""
        places = np.asarray(leads) - 1
        return MemberForecasts(self.mean[:, :, places], self.quantiles[:, :, places])


@dataclass(frozen=True, slots=True, eq=False)
class FieldForecast:
    """What is told of stations, in network units: finite, 0 or more, quantiles ascending.

    Attributes:
        mean: (stations, hours ahead, pollutants).
        quantiles: The same and `axes.QUANTILES`.
    """

    mean: Floats
    quantiles: Floats

    def at(self, leads: Sequence[int]) -> FieldForecast:
        """Only these hours ahead, 1 to 72."""
        places = np.asarray(leads) - 1
        return FieldForecast(self.mean[:, places], self.quantiles[:, places])
