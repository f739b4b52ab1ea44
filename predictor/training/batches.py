"""Batches drawn from all recordings, each in its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from predictor.models.features import Features
from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.training.augmentation import augmented
from predictor.training.recordings import TRAIN, TUNE
from predictor.training.rows import Rows, Source, joined
from predictor.training.splits import Kind
from predictor.training.training_set import TrainingSet

_SEED_OF_CHECKS: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows as a net reads them, and what came, (B, 72, 4), on the scale, NaN where nothing counts."""

    inputs: Features
    truth: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class CheckRows:
    """The tuning rows of one recording, always the same, and what was measured at their issue hours, (B, 4)."""

    kind: Kind
    batch: Batch
    newest: Tensor


class Batches:
    """Draws rows to train on; those to check on are drawn once."""

    def __init__(self, sets: Sequence[TrainingSet], nets: RecurrentEnsemble) -> None:
        self._sets = sets
        self._sources = [Source(one, nets) for one in sets]
        self._shares = torch.tensor([one.share for one in sets])

    @torch.no_grad()
    def draw(self, count: int, chance: torch.Generator, *, augment: bool = True) -> Batch:
        """Rows to train on, of all recordings, with more gaps than were recorded if so wished."""
        chosen = torch.multinomial(self._shares, count, replacement=True, generator=chance)
        counts = torch.bincount(chosen, minlength=len(self._sources)).tolist()
        drawn = zip(self._sources, counts, strict=True)
        rows = joined([source.draw(number, TRAIN, chance) for source, number in drawn if number])
        return _batch(augmented(rows, chance) if augment else rows)

    @torch.no_grad()
    def checks(self, count: int) -> tuple[CheckRows, ...]:
        """So many rows to check on of each recording that has any."""
        chance = torch.Generator().manual_seed(_SEED_OF_CHECKS)
        of_sets = zip(self._sets, self._sources, strict=True)
        tuned = [(one.kind, source) for one, source in of_sets if bool((one.part == TUNE).any())]
        drawn: list[tuple[Kind, Rows]] = [(kind, source.draw(count, TUNE, chance)) for kind, source in tuned]
        return tuple(CheckRows(kind, _batch(rows), rows.newest) for kind, rows in drawn)


def _batch(rows: Rows) -> Batch:
    return Batch(rows.features(), rows.truth)
