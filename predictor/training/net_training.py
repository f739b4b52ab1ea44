"""The training of one net, step by step; it can be broken off after each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from predictor.models.recurrent import Cell, RecurrentNet
from predictor.models.recurrent_ensemble import STATIONS
from predictor.training.batches import Batches, CheckRows
from predictor.training.checking import Check, check
from predictor.training.linear_start import start_linearly
from predictor.training.loss import pinball, training_weights
from predictor.training.recipe import Recipe

_LINEAR: Final = ("linear_past.weight", "linear_past.bias", "linear_next")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is: the loss of the last step, and the last check."""

    cell: Cell
    step: int
    steps: int
    loss: float | None
    check: Check


class NetTraining:
    """One net on its way.

    All that is random comes from the seed: the same seed, data and release of torch give the same weights, bit by bit,
    on one thread.
    """

    def __init__(self, cell: Cell, batches: Batches, recipe: Recipe, *, seed: int) -> None:
        self.cell: Final = cell
        self._batches, self._recipe = batches, recipe
        # The net's first weights and its dropout come from torch's own generator.
        torch.manual_seed(seed)
        self._chance = torch.Generator().manual_seed(seed)
        self._net = RecurrentNet(cell, STATIONS, recipe.dropout)
        self._average = copy.deepcopy(self._net).eval()
        self._best = copy.deepcopy(self._average.state_dict())
        linear = [value for name, value in self._net.named_parameters() if name in _LINEAR]
        others = [value for name, value in self._net.named_parameters() if name not in _LINEAR]
        self._optimiser = torch.optim.AdamW(
            [{"params": others, "weight_decay": recipe.decay}, {"params": linear, "weight_decay": 0.0}], lr=recipe.rate
        )
        self._schedule = OneCycleLR(
            self._optimiser,
            [recipe.rate, recipe.rate * recipe.linear_share],
            total_steps=recipe.steps,
            pct_start=recipe.rising_share,
        )
        self._weights = training_weights()
        self._step = 0
        self._losses: list[float] = []
        self.checks: list[Check] = []

    @property
    def best(self) -> dict[str, Tensor]:
        """The averaged weights that did best on the tuning hours."""
        return self._best

    @property
    def best_check(self) -> Check:
        """How they did. There must have been a check."""
        return min(self.checks, key=lambda one: one.loss)

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the last checks brought nothing better."""
        return self._step >= self._recipe.steps or self._stale

    @property
    def _stale(self) -> bool:
        return len(self.checks) > 0 and self._checks_since_best >= self._recipe.patience

    @property
    def _checks_since_best(self) -> int:
        return len(self.checks) - 1 - self.checks.index(self.best_check)

    def run(
        self,
        rows: Sequence[CheckRows],
        share: Tensor,
        *,
        told: Callable[[Progress], None],
        save: Callable[[dict[str, object]], None],
    ) -> None:
        """Trains to the end; `save` gets the state now and then, and at the end.

        Args:
            rows: To check on.
            share: What each quantile counts in the mean, (9,).
            told: Called after each step.
            save: Keeps what `resume` takes.
        """
        if not self.checks:
            start_linearly(self._net, self._batches, self._recipe.start_rows, self._chance)
            self._average.load_state_dict(self._net.state_dict())
            self._check(rows, share)
            told(self._progress())
        while not self.finished:
            self._train_step()
            if self._step % self._recipe.check_every == 0 or self._step == self._recipe.steps:
                self._check(rows, share)
            if self._step % self._recipe.save_every == 0 and not self.finished:
                save(self.state())
            told(self._progress())
        save(self.state())

    def state(self) -> dict[str, object]:
        """Where the training stands, in tensors and plain values."""
        return {
            "step": self._step,
            "net": self._net.state_dict(),
            "average": self._average.state_dict(),
            "best": self._best,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "chance": self._chance.get_state(),
            "dropout": torch.get_rng_state(),
            "losses": list(self._losses),
            "checks": [asdict(one) for one in self.checks],
        }

    def resume(self, state: dict[str, object]) -> None:
        """Goes on from a state of the same cell and recipe. Raises KeyError, TypeError, ValueError or RuntimeError."""
        step, losses, checks = state["step"], state["losses"], state["checks"]
        if not isinstance(step, int) or not isinstance(losses, list) or not isinstance(checks, list):
            raise TypeError("it holds no training")
        self._net.load_state_dict(_dictionary(state["net"]))
        self._average.load_state_dict(_dictionary(state["average"]))
        self._best = _dictionary(state["best"])
        self._optimiser.load_state_dict(_dictionary(state["optimiser"]))
        self._schedule.load_state_dict(_dictionary(state["schedule"]))
        self._chance.set_state(_tensor(state["chance"]))
        torch.set_rng_state(_tensor(state["dropout"]))
        self._step, self._losses = step, losses
        self.checks = [Check(**one) for one in checks]

    def _progress(self) -> Progress:
        last = self._losses[-1] if self._losses else self.checks[-1].trained
        return Progress(self.cell, self._step, self._recipe.steps, last, self.checks[-1])

    def _train_step(self) -> None:
        batch = self._batches.draw(self._recipe.rows, self._chance)
        self._net.train()
        loss = pinball(self._net(batch.inputs), batch.truth, self._net.linear_scale, self._weights)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        nn.utils.clip_grad_norm_(self._net.parameters(), self._recipe.largest_gradient)
        self._optimiser.step()
        self._schedule.step()
        self._step += 1
        self._losses.append(float(loss.detach()))
        self._move_average()

    @torch.no_grad()
    def _move_average(self) -> None:
        # The first averages forget fast: they would hold on to the start.
        kept = min(self._recipe.averaging, (1 + self._step) / (10 + self._step))
        for average, value in zip(self._average.parameters(), self._net.parameters(), strict=True):
            average.lerp_(value, 1 - kept)

    def _check(self, rows: Sequence[CheckRows], share: Tensor) -> None:
        trained = sum(self._losses) / len(self._losses) if self._losses else None
        self._losses.clear()
        self.checks.append(check(self._average, rows, share, step=self._step, trained=trained))
        if self.best_check is self.checks[-1]:
            self._best = copy.deepcopy(self._average.state_dict())


def _dictionary(value: object) -> dict[str, Tensor]:
    if not isinstance(value, dict):
        raise TypeError("it holds no training")
    return value


def _tensor(value: object) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError("it holds no training")
    return value
