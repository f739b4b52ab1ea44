"""What a search minimises: a whole-numbered weight for each arc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from router.read_only import read_only
from router.search.kernel import CLOSED, LARGEST_WEIGHT, Floats, Ints

# The float quotient of two numbers may lie above the true one by a rounding; the potential must not.
_BELOW_ROUNDING = 1 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A weight for each arc; the array is not to be written to.

    Attributes:
        weight: int32[m], 0 to LARGEST_WEIGHT, or CLOSED; read-only.
        least_per_meter: No open arc costs less than this for each metre of its length.
    """

    weight: Ints
    least_per_meter: float

    @classmethod
    def of(cls, cost: Floats, length_m: Floats, is_open: NDArray[np.bool_]) -> Self:
        """The metric of costs (float64[m], any unit) rounded to whole numbers, at least 1, at most LARGEST_WEIGHT.

        Choose the unit so that the cost of a short arc is many units: the rounding is half a unit an arc.
        """
        bounded = np.clip(np.rint(cost), 1, LARGEST_WEIGHT).astype(np.int32)
        return cls.weighing(np.where(is_open, bounded, CLOSED), length_m)

    @classmethod
    def weighing(cls, weight: Ints, length_m: Floats) -> Self:
        """The metric of weights, int32[m], of arcs so long, float64[m], metres."""
        is_open = weight >= 0
        per_meter = weight[is_open] / length_m[is_open]
        least = float(per_meter.min()) * _BELOW_ROUNDING if len(per_meter) else 0.0
        return cls(read_only(weight), least)
