"""What the forecasts of stations have to do without."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.limitation import Limitation
from predictor.models.model import Model
from predictor.models.observed import Observed

SILENT_HOURS: Final = 3
"""A station that has measured nothing for so long is silent."""

_DAY_HOURS: Final = 24
_LEAST_MEASURED: Final = 0.75
_LEAST_FORESEEN: Final = 0.5
_TEMPERATURE: Final = 0


def limitations_of(observed: Observed, model: Model) -> list[frozenset[Limitation]]:
    """Of each station asked for, in their order, what the model had to do without."""
    measured = np.isfinite(observed.values[observed.places, -_DAY_HOURS:, : len(FORECAST_POLLUTANTS)])
    # Hours from before the window was opened were not measured either.
    share = measured.sum(axis=(1, 2)) / (_DAY_HOURS * measured.shape[2])
    foreseen = np.isfinite(observed.weather.foreseen.numpy()[observed.places, :, _TEMPERATURE]).mean(axis=1)
    unknown = [not model.knows(observed.stations[place].station_id) for place in observed.places.tolist()]
    silent = measured[:, -SILENT_HOURS:].sum(axis=(1, 2)) == 0
    found: dict[Limitation, NDArray[np.bool_]] = {
        Limitation.STATION_SILENT: np.asarray(silent),
        Limitation.MEASUREMENTS_MISSING: np.asarray(share <= _LEAST_MEASURED),
        Limitation.WEATHER_MISSING: (foreseen < _LEAST_FORESEEN) & model.sees_weather,
        Limitation.STATION_UNKNOWN: np.array(unknown, dtype=np.bool_),
    }
    return [
        frozenset(limitation for limitation, places in found.items() if places[row])
        for row in range(len(observed.places))
    ]
