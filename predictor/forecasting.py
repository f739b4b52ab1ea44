"""From the window to forecasts, many stations at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.forecast import Forecast
from predictor.models.model import HORIZON_HOURS, Model
from predictor.window import StationHours, time_of

Floats = NDArray[np.float64]

HORIZONS: Final = range(1, HORIZON_HOURS + 1)

# What the store keeps of a value: forecasts are rounded before they are told, so that all tell the same.
_PARTICLES: Final = {Pollutant.PM25, Pollutant.PM10}
DECIMALS: Final = tuple(2 if pollutant in _PARTICLES else 4 for pollutant in FORECAST_POLLUTANTS)
_LARGEST: Final = np.array([9999.99 if pollutant in _PARTICLES else 9999.9999 for pollutant in FORECAST_POLLUTANTS])


def forecast_stations(model: Model, stations: Sequence[StationHours]) -> list[Forecast]:
    """One forecast a station, issued at the hour of its newest reading. Takes CPU time: call it off the event loop."""
    if not stations:
        return []
    # Forecasting is a few milliseconds on one core; more threads would only take it from the calls being served.
    torch.set_num_threads(1)
    window = torch.from_numpy(np.stack([station.values for station in stations]))
    issue_hour = torch.tensor([station.newest_hour for station in stations], dtype=torch.int64)
    quantiles = rounded(np.minimum(model.forecast(window, issue_hour).numpy(), _LARGEST[:, None]))
    quantiles.setflags(write=False)
    return [
        Forecast(
            place=station.station,
            issue_time=time_of(station.newest_hour),
            model_version=model.version,
            horizons=HORIZONS,
            quantiles=own,
            confidence=round(station.confidence, 3),
            newest_measured_at=station.newest_measured_at,
        )
        for station, own in zip(stations, quantiles, strict=True)
    ]


def rounded(quantiles: Floats) -> Floats:
    """Quantiles (..., pollutants, 3) to the decimals that are told and kept; float64."""
    exact = np.empty(quantiles.shape)
    for axis, decimals in enumerate(DECIMALS):
        exact[..., axis, :] = np.round(quantiles[..., axis, :].astype(np.float64), decimals)
    return exact
