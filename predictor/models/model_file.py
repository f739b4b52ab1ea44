"""A model as a file: read with care, because the file may be broken, foreign or hostile."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from mesh.errors import FailedPrecondition
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.ensemble import Ensemble
from predictor.models.golden_set import answers
from predictor.models.model import Model

SHIPPED: Final = Path(__file__).resolve().parent / "weights" / "ensemble-1.pt"
"""The model that comes with the product."""

BASELINE: Final = SHIPPED.with_name("damped-persistence-1.pt")
"""What every model is held against, and what forecasts when none is better."""

_LARGEST_BYTES: Final = 64 * 2**20
_Family = DampedPersistence | Ensemble
_FAMILIES: Final[dict[str, type[_Family]]] = {
    "damped-persistence": DampedPersistence,
    "ensemble": Ensemble,
}
_SHORT: Final = 8
_LARGE_TENSOR: Final = 10_000
_VERSION, _FAMILY, _PARAMETERS, _GOLDEN, _METRICS = "version", "family", "parameters", "golden", "metrics"
_MOST_METRICS: Final = 200
_LONGEST_NAME: Final = 100


class ModelUnusable(FailedPrecondition):
    """The model file cannot be used."""

    reason = "MODEL_UNUSABLE"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path.name} cannot be used: {why}", metadata={"file": path.name})


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model as it was read from a file.

    Attributes:
        model: It.
        sha256: Of its file, in hexadecimal.
        golden: What it answered of the golden set when it was saved; None where the file does not hold that.
        metrics: What whoever made it found that it scores, by name.
    """

    model: Model
    sha256: str
    golden: NDArray[np.float32] | None = field(default=None, repr=False)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """What its forecasts carry: what its parameters mean, and which they are."""
        return f"{self.model.version}+{self.sha256[:_SHORT]}"


def digest_path(path: Path) -> Path:
    """The file beside a model that holds its SHA-256, as sha256sum writes it."""
    return path.with_name(path.name + ".sha256")


def load(path: Path) -> LoadedModel:
    """Reads a model file and checks digest, family, version, shapes and values. Raises ModelUnusable."""
    content = _read(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if _digest(path) != sha256:
        raise ModelUnusable(path, f"its SHA-256 is not the one in {digest_path(path).name}")
    stored = _unpack(path, content)
    family = _FAMILIES.get(str(stored.get(_FAMILY)))
    if family is None:
        raise ModelUnusable(path, f"no model family of ours is called {stored.get(_FAMILY)!r}")
    model = family()
    if stored.get(_VERSION) != model.version:
        raise ModelUnusable(path, f"it is of version {stored.get(_VERSION)!r}, and {model.version!r} is needed")
    parameters = stored.get(_PARAMETERS)
    if not isinstance(parameters, dict):
        raise ModelUnusable(path, "it holds no parameters")
    try:
        model.load_state_dict(parameters)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelUnusable(path, "its parameters are not those of the family, by name or shape") from error
    defects = model.defects()
    if defects:
        raise ModelUnusable(path, "; ".join(defects))
    return LoadedModel(model.eval(), sha256, _golden(path, stored), _metrics(path, stored))


def save(model: _Family, path: Path, *, compact: bool = False, metrics: Mapping[str, float] | None = None) -> str:
    """Writes a model, what it answers of the golden set, and its digest; returns the SHA-256.

    Args:
        model: It.
        path: Where to.
        compact: Whether the largest tensors may be rounded.
        metrics: What it scores, by name, for the registry.
    """
    parameters = dict(model.state_dict())
    if compact:
        parameters = {name: _rounded(value) for name, value in parameters.items()}
    stored = {
        _FAMILY: model.name,
        _VERSION: model.version,
        _PARAMETERS: parameters,
        _GOLDEN: _answers_as_read(model, parameters),
        _METRICS: dict(metrics or {}),
    }
    buffer = io.BytesIO()
    torch.save(stored, buffer)
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    path.write_bytes(buffer.getvalue())
    digest_path(path).write_text(f"{sha256}  {path.name}\n", encoding="ascii")
    return sha256


def _answers_as_read(model: _Family, parameters: Mapping[str, object]) -> torch.Tensor:
    """What the model will answer once it has been read again: rounded parameters answer otherwise."""
    again = type(model)()
    try:
        again.load_state_dict(parameters)
        return torch.from_numpy(answers(again.eval()))
    except (RuntimeError, TypeError, ValueError):
        # What cannot answer is none to serve, and will be refused by name when it is read.
        return torch.empty(0)


def _golden(path: Path, stored: Mapping[str, object]) -> NDArray[np.float32] | None:
    kept = stored.get(_GOLDEN)
    if kept is None:
        return None
    if not isinstance(kept, torch.Tensor) or kept.dtype is not torch.float32:
        raise ModelUnusable(path, "what it holds of its answers to the golden set are no numbers")
    return kept.numpy()


def _metrics(path: Path, stored: Mapping[str, object]) -> dict[str, float]:
    told = stored.get(_METRICS, {})
    if not isinstance(told, dict) or len(told) > _MOST_METRICS:
        raise ModelUnusable(path, f"its metrics are no table of {_MOST_METRICS} figures at most")
    metrics = {
        name: float(value)
        for name, value in told.items()
        if isinstance(name, str) and len(name) <= _LONGEST_NAME and isinstance(value, float | int)
    }
    if len(metrics) < len(told) or not all(math.isfinite(value) for value in metrics.values()):
        raise ModelUnusable(path, "its metrics are not all names with finite figures")
    return metrics


def _rounded(value: object) -> object:
    """A large tensor in half precision; everything else as it is."""
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() >= _LARGE_TENSOR:
        return value.to(torch.float16)
    return value


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelUnusable(path, f"it is larger than {_LARGEST_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ModelUnusable(path, "it is not there, or may not be read") from error


def _digest(path: Path) -> str:
    try:
        words = digest_path(path).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnusable(path, f"{digest_path(path).name}, which must hold its SHA-256, cannot be read") from error
    return words[0].lower() if words else ""


def _unpack(path: Path, content: bytes) -> dict[str, object]:
    """The stored dictionary. Only tensors and plain values are let in: no code of the file's is run."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # A small archive may unfold into one that fills the memory.
            unfolded = sum(entry.file_size for entry in archive.infolist())
        small = unfolded <= _LARGEST_BYTES
        stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True) if small else None
    except Exception as error:  # whatever a broken or hostile file makes the reader raise, it is the file's fault
        raise ModelUnusable(path, "it is no file of tensors and plain values") from error
    if not isinstance(stored, dict):
        raise ModelUnusable(path, "it holds no parameters")
    return stored
