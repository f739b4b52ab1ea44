"""The model files of a server: the one that it is configured with, those that come with the product, and a folder."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from predictor.models.ensemble import Ensemble
from predictor.models.golden_set import examine
from predictor.models.model_file import BASELINE, SHIPPED, LoadedModel, ModelUnusable, load

_MOST_FILES: Final = 50
_GOLDEN: Final = "golden_"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A model file that is sound.

    Attributes:
        file: Its name.
        loaded: The model.
        metrics: What it scored on the golden set, and what its file says, by name.
        weak: Why it must not be taken in; empty when it may.
    """

    file: str
    loaded: LoadedModel
    metrics: Mapping[str, float]
    weak: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at all files found.

    Attributes:
        configured: The file that the settings name; None when it is refused.
        passed: Those that may serve, each once, the configured one first.
        refused: Why the others may not.
    """

    configured: Candidate | None
    passed: tuple[Candidate, ...]
    refused: tuple[ModelUnusable, ...]


class ModelFiles:
    """Where models are found.

    Args:
        configured: The file that the settings name; None for the model that comes with the product.
        folder: Where more of them lie, `*.pt`; None for no more.
    """

    def __init__(self, configured: Path | None, folder: Path | None) -> None:
        self.configured: Final = configured or SHIPPED
        self._folder = folder

    def paths(self) -> list[Path]:
        """All files, the configured one first. A folder that cannot be read has none."""
        found = [self.configured, SHIPPED, BASELINE]
        if self._folder is not None and self._folder.is_dir():
            found += sorted(self._folder.glob("*.pt"))[:_MOST_FILES]
        return list(dict.fromkeys(found))

    def named(self, name: str) -> Path | None:
        """The file of this name, with or without `.pt`; None when there is none."""
        return next((path for path in self.paths() if name in {path.name, path.stem}), None)

    def look(self) -> Found:
        """Reads and examines all files. Takes CPU time: call it off the event loop."""
        configured: Candidate | None = None
        passed: dict[str, Candidate] = {}
        refused: list[ModelUnusable] = []
        for path in self.paths():
            try:
                candidate = passing(path)
            except ModelUnusable as error:
                refused.append(error)
                continue
            passed.setdefault(candidate.loaded.sha256, candidate)
            if path == self.configured:
                configured = candidate
        return Found(configured, tuple(passed.values()), (*refused, *self._too_many()))

    def _too_many(self) -> Iterator[ModelUnusable]:
        if self._folder is not None and self._folder.is_dir():
            for path in sorted(self._folder.glob("*.pt"))[_MOST_FILES:]:
                yield ModelUnusable(path, f"only the first {_MOST_FILES} files of the folder are read: remove some")


def passing(path: Path) -> Candidate:
    """Reads and examines a file. Raises ModelUnusable for one that must not be taken in."""
    candidate = sound(path)
    if candidate.weak:
        raise ModelUnusable(path, "; ".join(candidate.weak))
    return candidate


def sound(path: Path) -> Candidate:
    """Reads and examines a file, however weak. Raises ModelUnusable for one that must never serve."""
    return _shipped(path) if path in {SHIPPED, BASELINE} else _examined(path)


@functools.cache
def _shipped(path: Path) -> Candidate:
    """The product's own files stay as they are while it runs."""
    return _examined(path)


def _examined(path: Path) -> Candidate:
    loaded = load(path)
    if isinstance(loaded.model, Ensemble):
        # Before it is examined: what serves is what has passed.
        loaded.model.quicken()
    examination = examine(loaded.model, loaded.golden, baseline().model)
    if examination.unsound:
        raise ModelUnusable(path, "; ".join(examination.unsound))
    figures = {f"{_GOLDEN}{name}": figure for name, figure in examination.figures.items()}
    return Candidate(path.name, loaded, {**loaded.metrics, **figures}, examination.weak)


@functools.cache
def baseline() -> LoadedModel:
    """What comes with the product for all to be held against. Raises ModelUnusable."""
    return load(BASELINE)
