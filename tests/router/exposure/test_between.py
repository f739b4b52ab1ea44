"""The air on all cells of a city, held to what is told of one place."""

from __future__ import annotations

import numpy as np

from air.interpolation import interpolate
from air.pollutants import FORECAST_POLLUTANTS
from router.exposure.background import COLUMNS, DEVIATION
from router.exposure.between import write_between
from router.exposure.field import STATISTICS

CELLS, STATIONS = 1000, 7
POLLUTANTS = len(FORECAST_POLLUTANTS)


def test_each_cell_has_what_is_interpolated_there() -> None:
    rng = np.random.default_rng(7)
    weight = rng.uniform(0.1, 1.0, (STATIONS, CELLS))
    values = rng.uniform(5.0, 90.0, (len(STATISTICS), POLLUTANTS, STATIONS))
    values[:, 0, [2, 5]] = np.nan
    values[:, 1] = np.nan
    deviation = rng.uniform(0.0, 1.0, (CELLS, POLLUTANTS))
    by_cell = np.empty((CELLS, POLLUTANTS, COLUMNS), dtype=np.float32)
    write_between(weight, values, deviation, by_cell)
    expected = np.moveaxis(interpolate(weight.T, np.moveaxis(values, 2, 0)), 1, 2)
    np.testing.assert_allclose(by_cell[..., :DEVIATION], expected, rtol=1e-6)
    np.testing.assert_allclose(by_cell[..., DEVIATION], deviation, rtol=1e-6)
