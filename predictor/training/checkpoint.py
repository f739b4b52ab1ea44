"""Where a training stands, as a file: a training that was broken off goes on from it as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from mesh.errors import FailedPrecondition


class CheckpointUnusable(FailedPrecondition):
    """A training cannot go on from this file."""

    reason = "CHECKPOINT_UNUSABLE"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be gone on from: {why}.", metadata={"file": path.name})


def save_checkpoint(path: Path, state: Mapping[str, object]) -> None:
    """Writes tensors and plain values; whoever is broken off while writing leaves the file as it was."""
    new = path.with_name(path.name + ".new")
    torch.save(dict(state), new)
    new.replace(path)


def load_checkpoint(path: Path) -> dict[str, object]:
    """What was written. Raises CheckpointUnusable."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken file makes the reader raise, it is the file's fault
        raise CheckpointUnusable(path, "it is not there, or broken") from error
    if not isinstance(state, dict):
        raise CheckpointUnusable(path, "it holds no training")
    return state
