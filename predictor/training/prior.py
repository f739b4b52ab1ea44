"""What a model's file expects of its members, from the tuning hours of the recordings: none is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from predictor.models.calibration import Calibration
from predictor.models.ensemble import Ensemble
from predictor.models.recurrent import Cell
from predictor.training.fit_calibration import fit_prior
from predictor.training.hindcast import Hindcast, hindcast
from predictor.training.recordings import TUNE
from predictor.training.training_set import TrainingSet


def prior_of(model: Ensemble, sets: Sequence[TrainingSet]) -> Calibration:
    """The prior of a model's members, from the recordings that the damped persistence was fitted to."""
    tuned = [one for one in sets if one.fitted.any() and (one.part == TUNE).any()]
    nets = {cell.value for cell in Cell}
    return fit_prior([_of_tuning_hours(model, one) for one in tuned], [member in nets for member in model.members])


def _of_tuning_hours(model: Ensemble, recorded: TrainingSet) -> Hindcast:
    whole = hindcast(model, recorded, [TUNE])
    tuned = (recorded.part == TUNE)[:, None, None]
    return replace(whole, truth=np.where(tuned, whole.truth, np.float32(np.nan)))
