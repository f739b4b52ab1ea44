"""How a training went, as a picture, for those who have matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from predictor.models.recurrent import Cell
from predictor.training.train_ensemble import TrainedNet

_INCHES: Final = (11, 4.5)
_DOTS_PER_INCH: Final = 110


def plot(nets: Mapping[Cell, TrainedNet], file: Path) -> None:
    """Writes a PNG: loss and skill by step, a line a net and recording; a dot is where the weights were kept."""
    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    losses, skills = figure.subplots(1, 2)
    for cell, net in nets.items():
        steps = [check.step for check in net.checks]
        trained = [(check.step, check.trained) for check in net.checks if check.trained is not None]
        losses.plot(*zip(*trained, strict=True), linestyle=":", label=f"{cell}, trained on")
        losses.plot(steps, [check.loss for check in net.checks], label=f"{cell}, tuning hours")
        losses.plot(net.best.step, net.best.loss, marker="o", color="black", linestyle="none")
        for name in net.best.skills:
            skills.plot(steps, [100 * check.skills[name] for check in net.checks], label=f"{cell}, {name}")
    losses.set_ylabel("pinball loss")
    skills.set_ylabel("RMSE below persistence, %")
    for axes in (losses, skills):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(file, format="png")
