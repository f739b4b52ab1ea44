"""From trained nets to what is shipped: the prior of the calibration, the file, its digest, its scores and its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mesh.errors import FailedPrecondition
from predictor.models.calibration import Calibration
from predictor.models.model_file import SHIPPED, digest_path, load, save
from predictor.training.card import File, card
from predictor.training.card_scores import markdown, metrics_of, scores_of
from predictor.training.prior import prior_of
from predictor.training.splits import Split
from predictor.training.train_ensemble import Asked, Trained
from predictor.training.training_set import TrainingSet

SCORES: Final = "scores.md"


class EvaluationUnusable(FailedPrecondition):
    """The folder holds no evaluation of such a training."""

    reason = "EVALUATION_UNUSABLE"

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder} holds no evaluation of such a model: {why}.", metadata={"folder": folder.name})


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What is expected of a model's members, what they score, as tables, and as figures by name."""

    prior: Calibration
    scores: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)


def finished(
    trained: Trained, sets: Sequence[TrainingSet], asked: Asked, *, evaluation: Path | None = None
) -> tuple[Path, ...]:
    """Writes the model file, its digest and its card to the folder, and scores where hours were kept for them.

    Args:
        trained: The nets.
        sets: What they were trained on.
        asked: How.
        evaluation: The folder of the same training on the evaluation split. A final model takes from it the prior, as
            days between those of the fit would flatter the nets, and the scores for its card.

    Returns:
        The paths of what was written.
    """
    judged = _judged(trained, sets, asked, evaluation)
    trained.model.prior = judged.prior
    file = asked.folder / SHIPPED.name
    sha256 = save(trained.model, file, compact=True, metrics=judged.metrics)
    words = file.with_suffix(".md")
    words.write_text(card(trained, sets, asked, File(file.name, sha256), judged.scores), encoding="utf-8")
    if asked.split is Split.EVALUATION and judged.scores is not None:
        table = asked.folder / SCORES
        table.write_text(judged.scores, encoding="utf-8")
        return file, digest_path(file), words, table
    return file, digest_path(file), words


def _judged(trained: Trained, sets: Sequence[TrainingSet], asked: Asked, evaluation: Path | None) -> _Judged:
    if asked.split is Split.FINAL:
        return _Judged(prior_of(trained.model, sets)) if evaluation is None else _as_evaluated(trained, evaluation)
    trained.model.prior = prior_of(trained.model, sets)
    found = scores_of(trained.model, sets)
    return _Judged(trained.model.prior, markdown(found), metrics_of(found))


def _as_evaluated(trained: Trained, folder: Path) -> _Judged:
    like = load(folder / SHIPPED.name)
    if like.model.members != trained.model.members:
        raise EvaluationUnusable(folder, "its model has other members")
    try:
        scores = (folder / SCORES).read_text(encoding="utf-8")
    except OSError as error:
        raise EvaluationUnusable(folder, f"{SCORES} cannot be read") from error
    return _Judged(
        like.model.prior, scores, {f"{name}, evaluation split": value for name, value in like.metrics.items()}
    )
