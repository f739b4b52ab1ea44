"""From a network of stations at one issue hour to what the nets are shown: each sees what the others measured."""

from __future__ import annotations

from typing import Final

import torch

from air.places import Network
from predictor.models.channels import FORECAST, WINDOW_HOURS
from predictor.models.observed import Observed
from predictor.models.recurrent_ensemble import Known, RecurrentEnsemble, history
from predictor.models.surroundings import around, surroundings_at

_URBAN, _ROADSIDE, _OTHER = 0, 1, 2
_KINDS: Final = {Network.UNSPECIFIED: _URBAN, Network.URBAN: _URBAN, Network.ROADSIDE: _ROADSIDE}


def known_of(nets: RecurrentEnsemble, observed: Observed) -> Known:
    """What is known of the stations asked for; whom the nets do not know they forecast by its air alone."""
    places = observed.places
    asked = [observed.stations[place] for place in places]
    own = history(torch.from_numpy(observed.values))
    means = around(own[:, -WINDOW_HOURS:, :FORECAST], surroundings_at(observed.locations))
    weather = observed.weather
    if len(asked) < len(observed.stations):
        own, means, weather = own[places], means[places], weather.at(places)
    return Known(
        history=own,
        issue_hour=torch.full((len(asked),), observed.issue_hour, dtype=torch.int64),
        around=means,
        row=nets.rows_of([station.station_id for station in asked]),
        network=torch.tensor([network_row(station.network) for station in asked], dtype=torch.int64),
        weather=weather,
        holidays=observed.holidays,
    )


def network_row(network: Network) -> int:
    """The row of the nets' table of kinds of stations."""
    return _KINDS.get(network, _OTHER)
