"""The air between stations, on all cells of a city at once: numpy would hold up every request meanwhile.

Where it multiplies, copies and chooses among millions of numbers it keeps the interpreter's lock for tens of
milliseconds, and takes three times as long.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.exposure.background import DEVIATION
from router.exposure.field import LOWER, MEAN, MEDIAN, STATISTICS, UPPER
from router.search.compiled import compiled

_AT_ONCE: Final = 256
"""Cells whose sums stay near the processor."""


@compiled
def write_between(weight: Floats, values: Floats, deviation: Floats, by_cell: NDArray[np.float32]) -> None:
    """Writes what `air.interpolation.interpolate` tells, and the deviation behind it.

    Args:
        weight: float64[station, cell], above 0; only how they compare has a meaning.
        values: float64[statistic, pollutant, station], all statistics NaN where a station knows nothing.
        deviation: float64[cell, pollutant].
        by_cell: float32[cell, pollutant, column], to write to (`Background`); NaN where no station knows anything.
    """
    total, known = np.empty((len(STATISTICS), _AT_ONCE)), np.empty(_AT_ONCE)
    for first in range(0, len(by_cell), _AT_ONCE):
        cells = min(_AT_ONCE, len(by_cell) - first)
        for pollutant in range(values.shape[1]):
            total[:], known[:] = 0.0, 0.0
            for station in range(len(weight)):
                told = values[:, pollutant, station]
                if np.isnan(told[MEAN]):
                    continue
                lower, median, upper, mean = told[LOWER], told[MEDIAN], told[UPPER], told[MEAN]
                for cell in range(cells):
                    share = weight[station, first + cell]
                    total[LOWER, cell] += share * lower
                    total[MEDIAN, cell] += share * median
                    total[UPPER, cell] += share * upper
                    total[MEAN, cell] += share * mean
                    known[cell] += share
            for cell in range(cells):
                column = by_cell[first + cell, pollutant]
                for statistic in range(len(STATISTICS)):
                    column[statistic] = total[statistic, cell] / known[cell] if known[cell] > 0.0 else np.nan
                column[DEVIATION] = deviation[first + cell, pollutant]
