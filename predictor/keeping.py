"""What the models in service have learnt and said, as it is kept; and how they go on from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from predictor.models.calibration import Calibration
from predictor.pending import PendingIssue
from predictor.run import Run

_log: Final = structlog.stdlib.get_logger("keeping")

Runs = Mapping[str, Run]
"""By the SHA-256 of the model."""


@dataclass(frozen=True, slots=True)
class KeptCalibration:
    """What a model has learnt, until which hour."""

    sha256: str
    learned_until: int
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptIssue:
    """What a model said at an issue hour."""

    sha256: str
    issue_hour: int
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptLearning:
    """What is kept of some models; or of a change of theirs, what is to be put in the place of what was kept."""

    calibrations: Sequence[KeptCalibration] = ()
    issues: Sequence[KeptIssue] = ()


def changes(before: Runs, after: Runs, issue_hour: int | None) -> KeptLearning:
    """What is to be kept of a step that forecast at this hour, if at any."""
    calibrations, issues = [], []
    for sha256, run in after.items():
        if run.calibration is not before[sha256].calibration and run.learned_until is not None:
            calibrations.append(KeptCalibration(sha256, run.learned_until, run.calibration.to_bytes()))
        issue = None if issue_hour is None else run.pending.issues.get(issue_hour)
        if issue is not None and run.pending is not before[sha256].pending:
            issues.append(KeptIssue(sha256, issue.issue_hour, issue.to_bytes()))
    return KeptLearning(calibrations, issues)


def restored(runs: Iterable[Run], kept: KeptLearning) -> Runs:
    """Runs with what is kept of them in the place of what they held; what cannot be read is left out, and logged."""
    by_sha256 = {run.loaded.sha256: run for run in runs}
    for learnt in kept.calibrations:
        run = by_sha256[learnt.sha256]
        try:
            calibration = Calibration.from_bytes(learnt.content, len(run.loaded.model.members))
        except ValueError as error:
            _log.warning("a calibration that cannot be read is left out", model=run.loaded.version, cause=str(error))
            continue
        by_sha256[learnt.sha256] = replace(run, calibration=calibration, learned_until=learnt.learned_until)
    for sha256, run in by_sha256.items():
        issues = [issue for one in kept.issues if one.sha256 == sha256 and (issue := _issue(run, one)) is not None]
        if issues:
            by_sha256[sha256] = replace(run, pending=run.pending.with_issues(issues))
    return by_sha256


def _issue(run: Run, kept: KeptIssue) -> PendingIssue | None:
    try:
        return PendingIssue.from_bytes(kept.issue_hour, kept.content, len(run.loaded.model.members))
    except ValueError as error:
        _log.warning("forecasts that cannot be read are left out", model=run.loaded.version, cause=str(error))
        return None
