"""A recurrent net that looks at a station's week and says the next three days at once.

Two parts add up. A linear one, a ridge regression of each hour ahead on the window, is the better part of the short
horizons (the autoregressive highway of LSTNet: Lai et al. 2018, arXiv:1703.07015). A recurrent one, an LSTM or a GRU
read by a small decoder that sees each horizon's weather and kind of day, adds what is not linear, in units of the
linear part's error, and says how sure both are.

All hours ahead are said directly, none from another (Wen et al. 2017, arXiv:1711.11053).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import FORECAST
from predictor.models.features import NEXT, PAST, SEQUENCE, STATE, Features

LEVELS: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
"""The quantiles that a net says; its mean is worked out from them."""

MIDDLE: Final = LEVELS.index(0.5)

NETWORKS: Final = 3
"""Kinds of station: urban, roadside, other."""

_HIDDEN, _INPUT, _DECODER = 64, 48, 64
_STATION, _NETWORK = 4, 2
LOWEST_LOG_STEP, HIGHEST_LOG_STEP = -5.0, 2.5


class Cell(StrEnum):
    """What remembers."""

    LSTM = "lstm"
    GRU = "gru"


class RecurrentNet(nn.Module):
    """One net. `stations` is the length of its table of stations; row 0 stands for all that are not in it.

    Attributes:
        linear_scale: The linear part's error (root mean square) on the scale, (72, 4): the unit of all that is added.
    """

    linear_scale: Tensor
    sums: Tensor

    def __init__(self, cell: Cell, stations: int, dropout: float = 0.2) -> None:
        super().__init__()
        outputs = FORECAST * len(LEVELS)
        self.input = nn.Linear(SEQUENCE, _INPUT)
        recurrent = nn.LSTM if cell is Cell.LSTM else nn.GRU
        self.memory = recurrent(_INPUT, _HIDDEN, batch_first=True)
        self.station = nn.Embedding(stations, _STATION)
        self.network = nn.Embedding(NETWORKS, _NETWORK)
        self.context = nn.Linear(_HIDDEN + _STATION + _NETWORK + STATE, _DECODER)
        self.coming = nn.Linear(NEXT, _DECODER, bias=False)
        self.horizon = nn.Parameter(torch.randn(HORIZON_HOURS, _DECODER) * 0.1)
        self.decoder = nn.Linear(_DECODER, _DECODER)
        self.output = nn.Linear(_DECODER, outputs)
        self.dropout = nn.Dropout(dropout)
        self.linear_past = nn.Linear(PAST, HORIZON_HOURS * FORECAST)
        self.linear_next = nn.Parameter(torch.zeros(HORIZON_HOURS, NEXT, FORECAST))
        self.log_steps = nn.Parameter(torch.zeros(HORIZON_HOURS, FORECAST, len(LEVELS)))
        self.register_buffer("linear_scale", torch.ones(HORIZON_HOURS, FORECAST))
        self.register_buffer("sums", _sums(), persistent=False)
        # A fresh net says what its linear part says.
        nn.init.normal_(self.station.weight, std=0.1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, inputs: Features) -> Tensor:
        """Quantiles at LEVELS on the scale, ascending, (B, 72, 4, 9)."""
        decoded: Tensor = self.output(self._decoded(inputs))
        scale = self.linear_scale.repeat_interleave(len(LEVELS), dim=-1)
        log_steps = (self.log_steps.flatten(1) + decoded).clamp(LOWEST_LOG_STEP, HIGHEST_LOG_STEP)
        steps = torch.exp(log_steps) * scale
        # What would be the step to the middle is of no use; the middle itself takes its place.
        steps[..., MIDDLE :: len(LEVELS)] = (
            self._linear(inputs) + self.linear_scale * decoded[..., MIDDLE :: len(LEVELS)]
        )
        return (steps @ self.sums).reshape(-1, HORIZON_HOURS, FORECAST, len(LEVELS))

    def _linear(self, inputs: Features) -> Tensor:
        past: Tensor = self.linear_past(inputs.past).unflatten(1, (HORIZON_HOURS, FORECAST))
        return past + torch.einsum("bhf,hfp->bhp", inputs.next, self.linear_next)

    def _decoded(self, inputs: Features) -> Tensor:
        remembered: Tensor = self.memory(self.dropout(_tanh(self.input(inputs.sequence))))[0]
        about = [self.dropout(remembered[:, -1]), self.station(inputs.station), self.network(inputs.network)]
        context: Tensor = self.context(torch.cat([*about, inputs.state], dim=1))
        hidden = self.coming(inputs.next) + (context.unsqueeze(1) + self.horizon)
        decoded: Tensor = functional.silu(self.decoder(self.dropout(functional.silu(hidden))))
        return decoded


def _tanh(values: Tensor) -> Tensor:
    # Three times as fast as torch.tanh.
    return torch.sigmoid(values * 2) * 2 - 1


def _sums() -> Tensor:
    """From the middle and the steps between neighbouring quantiles to quantiles: sums outwards, (36, 36)."""
    sums = torch.zeros(len(LEVELS), len(LEVELS))
    sums[MIDDLE] = 1
    for level in range(MIDDLE):
        sums[level, : level + 1] = -1
    for level in range(MIDDLE + 1, len(LEVELS)):
        sums[level, level:] = 1
    return torch.kron(torch.eye(FORECAST), sums)
