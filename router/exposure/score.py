"""How the air on the way is graded: a score from 0 to 100 after the Korean index."""

from __future__ import annotations

from typing import Final

import numpy as np

from air.geodesy import Floats
from air.index import corners
from air.pollutants import FORECAST_POLLUTANTS, ug_m3_per_unit
from router.search.compiled import compiled

SCORE_OF_INDEX: Final = ((0.0, 100.0), (50.0, 75.0), (100.0, 50.0), (250.0, 25.0), (500.0, 0.0))
"""The score at the bounds of the Korean index's four grades, linear between: each grade is a quarter of the scale."""

_CORNERS: Final = np.array([corners(pollutant) for pollutant in FORECAST_POLLUTANTS])
_UG_M3: Final = np.array([ug_m3_per_unit(pollutant) for pollutant in FORECAST_POLLUTANTS])
_INDICES: Final = np.array([index for index, _ in SCORE_OF_INDEX])
_SCORES: Final = np.array([score for _, score in SCORE_OF_INDEX])
_UNHEALTHY = 101.0
_FOR_TWO, _FOR_THREE = 50.0, 75.0
_THREE = 3


@compiled
def score_of(concentration: Floats) -> float:
    """The index of concentrations (float64[pollutant], µg/m³, NaN where unknown) as a score; NaN where none is known.

    It is `air.index.index_of_hour`: of the index's six pollutants it sees those that are forecast.
    """
    highest = -1.0
    unhealthy = 0
    for pollutant in range(len(concentration)):
        if np.isnan(concentration[pollutant]):
            continue
        told = concentration[pollutant] / _UG_M3[pollutant]
        index = _between(told, _CORNERS[pollutant, 0], _CORNERS[pollutant, 1])
        highest = max(highest, index)
        unhealthy += int(index >= _UNHEALTHY)
    if highest < 0.0:
        return np.nan
    if unhealthy > 1:
        highest = highest + (_FOR_THREE if unhealthy >= _THREE else _FOR_TWO)
    return _between(highest, _INDICES, _SCORES)


@compiled
def _between(x: float, at: Floats, value: Floats) -> float:
    """The value at x on lines between corners, beyond them that of the last: np.interp takes long to compile."""
    if x <= at[0]:
        return float(value[0])
    for corner in range(1, len(at)):
        if x <= at[corner]:
            share = (x - at[corner - 1]) / (at[corner] - at[corner - 1])
            return float(value[corner - 1] + share * (value[corner] - value[corner - 1]))
    return float(value[-1])
