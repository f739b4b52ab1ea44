"""From trained nets to what is shipped: the prior of the calibration, the file, its digest and its card."""

from __future__ import annotations

from pathlib import Path

from predictor.models.model_file import SHIPPED, digest_path, save
from predictor.training.train_ensemble import Asked, Trained


def finished(trained: Trained, asked: Asked) -> tuple[Path, ...]:
    """Writes the model file, its digest and its card to the folder; their paths."""
    file = asked.folder / SHIPPED.name
    save(trained.model, file, compact=True)
    return file, digest_path(file)
