"""How good a net is on the tuning hours while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import FORECAST
from predictor.models.recurrent import RecurrentNet
from predictor.models.scale import to_net_units
from predictor.training.batches import CheckRows
from predictor.training.loss import pinball
from predictor.training.scores import SCORED_HOURS

_SCORED: Final = torch.tensor(SCORED_HOURS) - 1


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the averaged weights.

    Attributes:
        step: After so many steps.
        trained: The mean loss of the batches since the check before; None before the first step.
        losses: The pinball loss at the scored hours, by recording.
        skills: 1 - RMSE / RMSE of persistence, the mean over scored hours and pollutants, by recording.
    """

    step: int
    trained: float | None
    losses: dict[str, float]
    skills: dict[str, float]

    @property
    def loss(self) -> float:
        """The mean over recordings: what is to become small."""
        return sum(self.losses.values()) / max(len(self.losses), 1)

    @property
    def skill(self) -> float:
        """The mean over recordings."""
        return sum(self.skills.values()) / max(len(self.skills), 1)


@torch.no_grad()
def check(
    net: RecurrentNet, rows: Sequence[CheckRows], share: Tensor, *, step: int, trained: float | None = None
) -> Check:
    """Checks a net, set to say what it says in service; `share` is what each quantile counts in the mean, (9,)."""
    weights = torch.zeros(HORIZON_HOURS, FORECAST)
    weights[_SCORED] = 1.0
    losses, skills = {}, {}
    for own in rows:
        quantiles: Tensor = net(own.batch.inputs)
        loss = pinball(quantiles, own.batch.truth, net.linear_scale, weights)
        losses[own.kind.value] = float(loss)
        mean = to_net_units(quantiles[:, _SCORED]) @ share
        skills[own.kind.value] = _skill(mean, _units(own.batch.truth[:, _SCORED]), _units(own.newest)[:, None])
    return Check(step, trained, losses, skills)


def _units(z: Tensor) -> Tensor:
    return to_net_units(z[..., None]).squeeze(-1)


def _skill(mean: Tensor, truth: Tensor, newest: Tensor) -> float:
    """Over rows with both, (B, hours, 4), mean over hours and pollutants."""
    use = truth.isfinite() & newest.isfinite()
    squares = [torch.where(use, told - truth, 0.0).square().sum(dim=0) for told in (mean, newest)]
    ratio = torch.sqrt(squares[0] / squares[1].clamp_min(1e-9))
    return float(1 - ratio.mean())
