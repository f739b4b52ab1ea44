"""The air above the roofs in one hour, on cells of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.interpolation import SHIFT
from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant, ug_m3_per_unit
from router.exposure.field import MEAN, STATISTICS
from router.read_only import read_only

WEIGHED: Final = (Pollutant.NO2, Pollutant.PM25)
"""The pollutants whose dose the healthiest way makes least, each in shares of its WHO guideline."""

DEVIATION: Final = len(STATISTICS)
"""The column behind the statistics: what interpolation adds at the place, as a deviation of ln(x + SHIFT_UG_M3)."""

COLUMNS: Final = DEVIATION + 1

SHIFT_UG_M3: Final[Floats] = read_only(
    np.array([SHIFT[pollutant] * ug_m3_per_unit(pollutant) for pollutant in FORECAST_POLLUTANTS])
)
"""float64[pollutant]: errors are alike on the scale of ln(x + shift)."""

_CONTRAST, _RELIEF = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The air above the roofs in one hour, as the mean of that hour; the arrays are read-only.

    Attributes:
        by_cell: float32[cell, pollutant, column], µg/m³; the columns are STATISTICS, and DEVIATION behind them. NaN
            where nothing is known.
        street: float64[pollutant, column], how streets differ from it in this hour (router.exposure.street).
        load: float64[cell, 3]: on an arc in the cell the load is the first, plus the second times the arc's influence,
            plus the third times its calm.
        known: The pollutants of which something is known.
        roadside_only: Those of them that are known from roadside stations alone.
    """

    by_cell: NDArray[np.float32]
    street: Floats
    load: Floats
    known: tuple[Pollutant, ...]
    roadside_only: tuple[Pollutant, ...]

    @classmethod
    def of(cls, by_cell: NDArray[np.float32], street: Floats, behind_houses: list[bool]) -> Background:
        """The background, with the load that follows from it.

        Of a weighed pollutant that is not known the load is as if it stood at its guideline everywhere: then the
        streets alone make the difference.
        """
        known = [bool(np.isfinite(by_cell[:, row, MEAN]).all()) for row in range(len(FORECAST_POLLUTANTS))]
        load = np.zeros((len(by_cell), 3))
        for pollutant in WEIGHED:
            row = FORECAST_POLLUTANTS.index(pollutant)
            told = by_cell[:, row, MEAN].astype(np.float64)
            share = told / WHO_GUIDELINE_UG_M3[pollutant] if known[row] else np.ones(len(by_cell))
            for column, factor in enumerate((1.0, street[row, _CONTRAST], -street[row, _RELIEF])):
                load[:, column] += factor * share
        of = {pollutant: (known[row], behind_houses[row]) for row, pollutant in enumerate(FORECAST_POLLUTANTS)}
        return cls(
            read_only(by_cell),
            read_only(street),
            read_only(load),
            tuple(pollutant for pollutant, (told, _) in of.items() if told),
            tuple(pollutant for pollutant, (told, behind) in of.items() if told and not behind),
        )
