"""The forecast of a whole network of stations at once: each sees what the others measured around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from air.places import Network, Station
from predictor.models.channels import WINDOW_HOURS
from predictor.models.day_marks import Days
from predictor.models.recurrent_ensemble import NO_HOLIDAYS, Distribution, Known, RecurrentEnsemble, history
from predictor.models.surroundings import around, surroundings_of
from predictor.models.weather_input import Weather, no_weather

_URBAN, _ROADSIDE, _OTHER = 0, 1, 2
_KINDS: Final = {Network.UNSPECIFIED: _URBAN, Network.URBAN: _URBAN, Network.ROADSIDE: _ROADSIDE}


def forecast_field(
    model: RecurrentEnsemble,
    window: Tensor,
    stations: Sequence[Station],
    issue_hour: int,
    *,
    weather: Weather | None = None,
    holidays: Days = NO_HOLIDAYS,
) -> Distribution:
    """What is expected at every station of a network; whom the nets do not know they forecast by its air alone.

    Args:
        model: The ensemble.
        window: All stations' hours up to the same issue hour, in network units, (stations, hours, 4 or 6), oldest
            first, NaN in gaps: who is late has gaps at the end.
        stations: Where they stand and what they are there for, in the window's order.
        issue_hour: In hours since 1970-01-01T00Z.
        weather: At the stations; None where nothing is known of it.
        holidays: See `day_marks`.
    """
    latitude = np.array([station.location.latitude for station in stations])
    longitude = np.array([station.location.longitude for station in stations])
    own = history(window)
    known = Known(
        history=own,
        issue_hour=torch.full((len(stations),), issue_hour, dtype=torch.int64),
        around=around(own[:, -WINDOW_HOURS:], surroundings_of(latitude, longitude)),
        row=model.rows_of([station.station_id for station in stations]),
        network=torch.tensor([_KINDS.get(station.network, _OTHER) for station in stations], dtype=torch.int64),
        weather=no_weather(len(stations)) if weather is None else weather,
        holidays=holidays,
    )
    return model.distribution(known)
