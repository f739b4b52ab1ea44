"""From recordings to a model file: the damped persistence, the climatology that the nets see, the nets, the prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from mesh.errors import FailedPrecondition
from predictor.models.ensemble import Ensemble
from predictor.models.recurrent import Cell
from predictor.models.recurrent_ensemble import STATIONS, RecurrentEnsemble
from predictor.training.batches import Batches, CheckRows
from predictor.training.checking import Check
from predictor.training.checkpoint import CheckpointUnusable, load_checkpoint, save_checkpoint
from predictor.training.fit_damped_persistence import fit
from predictor.training.net_training import NetTraining, Progress
from predictor.training.recipe import Recipe
from predictor.training.splits import Split
from predictor.training.training_set import TrainingSet

_OF = "of"


class TrainingExists(FailedPrecondition):
    """There is a training in the folder."""

    reason = "TRAINING_EXISTS"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is of an earlier training: go on with it by --resume, or choose another folder.",
            metadata={"file": path.name},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What to train.

    Attributes:
        split: What for.
        recipe: How.
        seed: Of all that is random.
        folder: Where the checkpoints are kept.
        resume: Whether to go on from those that are there.
    """

    split: Split
    recipe: Recipe
    seed: int
    folder: Path
    resume: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNet:
    """How the training of a net went; `best` is the check of the weights that were kept."""

    checks: tuple[Check, ...]
    best: Check


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model, its prior neutral as yet, and how its nets came to be."""

    model: Ensemble
    nets: dict[Cell, TrainedNet]


def checkpoint_path(folder: Path, cell: Cell) -> Path:
    """Where a net's training is kept."""
    return folder / f"{cell}.checkpoint"


def train_ensemble(sets: Sequence[TrainingSet], asked: Asked, told: Callable[[Progress], None]) -> Trained:
    """Trains an ensemble; `told` is called after each step.

    Raises TrainingExists where there is a training and it was not asked to be gone on with, and CheckpointUnusable
    where it is of other data, another split, seed or recipe.
    """
    # More threads would add numbers up in another order each time.
    torch.set_num_threads(1)
    of = _told_apart(sets, asked)
    states = {cell: _state(checkpoint_path(asked.folder, cell), of, resume=asked.resume) for cell in Cell}
    model = Ensemble()
    model.damped = fit([one.recording() for one in sets if one.fitted.any()])
    model.nets.pattern.copy_(model.damped.pattern)
    names = dict.fromkeys(station.station_id for one in sets for station in one.stations)
    model.nets.know_stations(list(names)[: STATIONS - 1])
    batches = Batches(sets, model.nets)
    checks = batches.checks(asked.recipe.check_rows)
    nets = {}
    for cell in Cell:
        training = NetTraining(cell, batches, asked.recipe, seed=asked.seed)
        _go_on(training, states[cell], checkpoint_path(asked.folder, cell))
        _finish(training, checks, model.nets, asked.folder, of, told)
        model.nets.nets[cell].load_state_dict(training.best)
        nets[cell] = TrainedNet(tuple(training.checks), training.best_check)
    return Trained(model.eval(), nets)


def _state(path: Path, of: str, *, resume: bool) -> dict[str, object] | None:
    """Where a net's training stands, if it was begun."""
    if not path.exists():
        return None
    if not resume:
        raise TrainingExists(path)
    state = load_checkpoint(path)
    if state.get(_OF) != of:
        raise CheckpointUnusable(path, "it is of other data, or another split, seed or recipe")
    return state


def _go_on(training: NetTraining, state: dict[str, object] | None, path: Path) -> None:
    if state is None:
        return
    try:
        training.resume(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointUnusable(path, "it holds no training of this release") from error


def _finish(
    training: NetTraining,
    checks: Sequence[CheckRows],
    nets: RecurrentEnsemble,
    folder: Path,
    of: str,
    told: Callable[[Progress], None],
) -> None:
    path = checkpoint_path(folder, training.cell)
    training.run(checks, nets.weight, told=told, save=lambda state: save_checkpoint(path, {**state, _OF: of}))


def _told_apart(sets: Sequence[TrainingSet], asked: Asked) -> str:
    """What must be the same for a training to go on."""
    data = [
        (one.kind.value, one.values.shape, one.first_hour, float(np.nansum(one.values, dtype=np.float64)))
        for one in sets
    ]
    return repr((asked.split.value, asked.seed, asdict(asked.recipe), torch.__version__, data))
