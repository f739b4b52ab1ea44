"""From trained nets to what is shipped: the prior of the calibration, the file, its digest, its scores and its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from predictor.models.model_file import SHIPPED, digest_path, save
from predictor.training.card import File, card
from predictor.training.card_scores import markdown, metrics_of, scores_of
from predictor.training.prior import prior_of
from predictor.training.splits import Split
from predictor.training.train_ensemble import Asked, Trained
from predictor.training.training_set import TrainingSet

SCORES: Final = "scores.md"


def finished(
    trained: Trained, sets: Sequence[TrainingSet], asked: Asked, *, scores: Path | None = None
) -> tuple[Path, ...]:
    """Writes the model file, its digest and its card to the folder, and scores where hours were kept for them.

    Args:
        trained: The nets.
        sets: What they were trained on.
        asked: How.
        scores: The SCORES of the same training on the evaluation split, for the card of a final one.

    Returns:
        The paths of what was written.
    """
    trained.model.prior = prior_of(trained.model, sets)
    file, table = asked.folder / SHIPPED.name, asked.folder / SCORES
    told = scores.read_text(encoding="utf-8") if scores is not None else None
    metrics: dict[str, float] = {}
    if asked.split is Split.EVALUATION:
        found = scores_of(trained.model, sets)
        told, metrics = markdown(found), metrics_of(found)
        table.write_text(told, encoding="utf-8")
    sha256 = save(trained.model, file, compact=True, metrics=metrics)
    words = file.with_suffix(".md")
    words.write_text(card(trained, sets, asked, File(file.name, sha256), told), encoding="utf-8")
    return file, digest_path(file), words, *([table] if asked.split is Split.EVALUATION else [])
