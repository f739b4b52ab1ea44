"""Where the nets begin: with a ridge regression of each hour ahead, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import FORECAST
from predictor.models.features import NEXT, PAST
from predictor.models.recurrent import LEVELS, MIDDLE, RecurrentNet
from predictor.training.batches import Batch, Batches

_PENALTY: Final = 0.01
_PENALTY_OF_CONSTANT: Final = 1e-6
_AT_ONCE: Final = 2048
_NARROWER: Final = 0.85
"""The recurrent part will make the errors smaller than the linear part's."""

_INPUTS: Final = PAST + NEXT + 1


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What least squares need, by hour ahead; X inputs and a constant, P pollutants.

    Attributes:
        count: Rows with all pollutants, (72,).
        normal: (72, X, X).
        right: (72, X, P).
        squares: Of what came, (72, P).
    """

    count: Tensor
    normal: Tensor
    right: Tensor
    squares: Tensor

    @classmethod
    def none(cls) -> Self:
        """Before any row."""
        wide = torch.float64
        return cls(
            torch.zeros(HORIZON_HOURS, dtype=wide),
            torch.zeros(HORIZON_HOURS, _INPUTS, _INPUTS, dtype=wide),
            torch.zeros(HORIZON_HOURS, _INPUTS, FORECAST, dtype=wide),
            torch.zeros(HORIZON_HOURS, FORECAST, dtype=wide),
        )

    def add(self, batch: Batch) -> None:
        """Counts these rows, too."""
        constant = torch.ones(len(batch.truth), 1)
        for hour in range(HORIZON_HOURS):
            truth = batch.truth[:, hour]
            use = truth.isfinite().all(dim=1)
            inputs = torch.cat([batch.inputs.past, batch.inputs.next[:, hour], constant], dim=1)[use]
            told = truth[use]
            self.count[hour] += len(told)
            self.normal[hour] += inputs.T @ inputs
            self.right[hour] += inputs.T @ told
            self.squares[hour] += told.square().sum(dim=0)


@torch.no_grad()
def start_linearly(net: RecurrentNet, batches: Batches, rows: int, chance: torch.Generator) -> None:
    """Sets the net's linear part, its error, and quantiles as far apart as this error's, from so many rows."""
    sums = _Sums.none()
    for number, start in enumerate(range(0, rows, _AT_ONCE)):
        # Half of the rows as they were recorded: most hours of a network are whole.
        sums.add(batches.draw(min(_AT_ONCE, rows - start), chance, augment=number % 2 == 0))
    weights, scale = _solved(sums)
    net.linear_past.weight.copy_(weights[:, :PAST].transpose(1, 2).flatten(0, 1))
    net.linear_past.bias.copy_(weights[:, -1].flatten())
    net.linear_next.copy_(weights[:, PAST:-1])
    net.linear_scale.copy_(scale)
    net.log_steps.copy_(_normal_log_steps())


def _solved(sums: _Sums) -> tuple[Tensor, Tensor]:
    """The weights, (72, X, P), and the root mean square of the errors that they leave, (72, P)."""
    penalty = torch.ones(_INPUTS, dtype=torch.float64)
    penalty[-1] = _PENALTY_OF_CONSTANT
    ridge = _PENALTY * sums.count[:, None, None] * torch.diag(penalty)
    weights = torch.cholesky_solve(sums.right, torch.linalg.cholesky(sums.normal + ridge))
    explained = (weights * (2 * sums.right - sums.normal @ weights)).sum(dim=1)
    return weights, torch.sqrt((sums.squares - explained) / sums.count[:, None])


def _normal_log_steps() -> Tensor:
    """Steps between quantiles of a normal distribution, outwards from the median, as `RecurrentNet` keeps them."""
    place = torch.special.ndtri(torch.tensor(LEVELS, dtype=torch.float64)).to(torch.float32)
    steps = torch.ones(len(LEVELS))
    steps[:MIDDLE] = place.diff()[:MIDDLE]
    steps[MIDDLE + 1 :] = place.diff()[MIDDLE:]
    return torch.log(steps * _NARROWER)
