"""The mean of an LSTM and a GRU: they err apart, so that their mean is better than either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import QUANTILES
from predictor.models.calendar import WAVES
from predictor.models.channels import FORECAST, HISTORY_HOURS, WINDOW_HOURS
from predictor.models.day_marks import Days
from predictor.models.features import Features, Measured, features, times_of
from predictor.models.observed import NO_HOLIDAYS
from predictor.models.recurrent import LEVELS, Cell, RecurrentNet
from predictor.models.scale import INPUT_POLLUTANTS, to_net_units, to_network_units, to_z
from predictor.models.weather_input import Weather

Floats = NDArray[np.float32]

STATIONS: Final = 676
"""The length of the nets' table of stations, row 0 for all that are not in it."""

_QUANTILE_PLACES: Final = [LEVELS.index(level) for level in QUANTILES]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """What is expected, in network units: finite, 0 or more.

    Attributes:
        quantiles: At LEVELS, ascending, (stations, 72, 4, 9).
        mean: (stations, 72, 4).
    """

    quantiles: Tensor
    mean: Tensor

    @property
    def main_quantiles(self) -> Tensor:
        """Those at model.QUANTILES, (stations, 72, 4, 3)."""
        return self.quantiles[..., _QUANTILE_PLACES]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of stations at their issue hours.

    Attributes:
        history: The last 336 hours on the scale, (stations, 336, 6), as `history` gives them.
        issue_hour: As in `Model.forecast`.
        around: The surroundings of the last 168 hours, (stations, 168, AROUND), as `surroundings.around` gives it.
        row: The places in the nets' table of stations, (stations,), int64: see `RecurrentEnsemble.rows_of`.
        network: 0 urban, 1 roadside, 2 other, (stations,), int64.
        weather: Any of it may be NaN.
        holidays: See `day_marks`.
    """

    history: Tensor
    issue_hour: Tensor
    around: Tensor
    row: Tensor
    network: Tensor
    weather: Weather
    holidays: Days = field(default_factory=lambda: NO_HOLIDAYS)


class RecurrentEnsemble(nn.Module):
    """An LSTM and a GRU, averaged on the scale; the climatology that they look at; and the names of their stations.

    Attributes:
        pattern: The climatology's coefficients on the waves, in network units as in the damped persistence, (4, WAVES).
        weight: The share of each quantile in the mean, (9,): the probability that lies nearest to it.
    """

    pattern: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleDict({cell: RecurrentNet(cell, STATIONS) for cell in Cell})
        self.register_buffer("pattern", torch.zeros(FORECAST, WAVES))
        self.register_buffer("weight", _weights(), persistent=False)
        self._rows: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The family's name."""
        return "recurrent-ensemble"

    @property
    def version(self) -> str:
        """The family's name and the version of its parameters' meaning."""
        return f"{self.name}-1"

    @property
    def pollutants(self) -> tuple[Pollutant, ...]:
        """All that is forecast."""
        return FORECAST_POLLUTANTS

    @property
    def station_names(self) -> tuple[str, ...]:
        """The stations that the nets know, in the order of their rows from 1 on."""
        return tuple(self._rows)

    def rows_of(self, station_ids: Sequence[str]) -> Tensor:
        """The rows of stations in the nets' table, int64; 0 for those that they do not know."""
        return torch.tensor([self._rows.get(station_id, 0) for station_id in station_ids], dtype=torch.int64)

    def know_stations(self, names: Sequence[object]) -> None:
        """Names the rows of the nets' table from 1 on. Raises TypeError for what are no names, or too many."""
        strings = [name for name in names if isinstance(name, str)]
        if not 0 < len(strings) == len(names) == len(set(strings)) < STATIONS:
            raise TypeError(f"the table of stations needs different names, {STATIONS - 1} at most")
        self._rows = {name: row for row, name in enumerate(strings, start=1)}

    def get_extra_state(self) -> list[str]:
        """The names, to be saved with the parameters."""
        return list(self._rows)

    def set_extra_state(self, state: object) -> None:
        """Takes the names from a file. Raises TypeError for anything else."""
        if not isinstance(state, list):
            raise TypeError("the names of stations must be a list")
        self.know_stations(state)

    def defects(self) -> list[str]:
        """What makes these parameters unusable; empty when they are sound."""
        tensors = [*self.named_parameters(), *self.named_buffers()]
        found = [f"{name} is not finite" for name, tensor in tensors if not bool(tensor.isfinite().all())]
        scales = [(name, tensor) for name, tensor in tensors if name.endswith("_scale")]
        found += [f"{name} must be above 0" for name, tensor in scales if bool((tensor <= 0).any())]
        return found

    @torch.inference_mode()
    def distributions(self, known: Known) -> list[Distribution]:
        """What each net expects where so much is known."""
        return self.distributions_of(self.features(known))

    def distributions_of(self, inputs: Features) -> list[Distribution]:
        """What each net expects where it reads this."""
        return [self._told(net(inputs)) for net in self.nets.values()]

    def told(self, inputs: Features) -> list[tuple[Floats, Floats]]:
        """The mean, (stations, 72, 4), and the main quantiles, (stations, 72, 4, 3), that each net expects."""
        return [(each.mean.numpy(), each.main_quantiles.numpy()) for each in self.distributions_of(inputs)]

    def _told(self, z: Tensor) -> Distribution:
        quantiles = to_net_units(z)
        mean = (quantiles @ self.weight).unsqueeze(-1)
        return Distribution(to_network_units(quantiles), to_network_units(mean).squeeze(-1))

    def features(self, known: Known) -> Features:
        """What the nets read of it."""
        own = known.history
        measured = Measured(
            window=torch.cat([own[:, -WINDOW_HOURS:].mT, known.around.mT], dim=1).mT,
            week_before=own[:, :-WINDOW_HOURS, :FORECAST],
        )
        times = times_of(known.issue_hour, self.pattern, known.holidays)
        return features(measured, known.weather, times, known.row, known.network)


def history(window: Tensor) -> Tensor:
    """A window of any length and of 4 or 6 pollutants, on the scale, (stations, 336, 6), NaN where there is none."""
    z = to_z(window[:, -HISTORY_HOURS:])
    stations, hours, count = z.shape
    # Series by series in memory, as gaps are filled and neighbours are averaged.
    own = torch.full((stations, len(INPUT_POLLUTANTS), HISTORY_HOURS), torch.nan)
    own[:, :count, HISTORY_HOURS - hours :] = z.transpose(1, 2)
    return own.transpose(1, 2)


def _weights() -> Tensor:
    edges = [0.0, *((low + high) / 2 for low, high in pairwise(LEVELS)), 1.0]
    return torch.tensor(edges).diff()
