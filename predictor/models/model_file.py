"""A model as a file: read with care, because the file may be broken, foreign or hostile."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from mesh.errors import FailedPrecondition
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.ensemble import Ensemble
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
_VERSION, _FAMILY, _PARAMETERS = "version", "family", "parameters"


class ModelUnusable(FailedPrecondition):
    """The model file cannot be used."""

    reason = "MODEL_UNUSABLE"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path.name} cannot be used: {why}", metadata={"file": path.name})


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model, and the SHA-256 (hexadecimal) of the file that it was read from."""

    model: Model
    sha256: str

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
    return LoadedModel(model.eval(), sha256)


def save(model: _Family, path: Path, *, compact: bool = False) -> str:
    """Writes a model and its digest; returns the SHA-256. Where it may be `compact` the largest tensors are rounded."""
    parameters = dict(model.state_dict())
    if compact:
        parameters = {name: _rounded(value) for name, value in parameters.items()}
    buffer = io.BytesIO()
    torch.save({_FAMILY: model.name, _VERSION: model.version, _PARAMETERS: parameters}, buffer)
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    path.write_bytes(buffer.getvalue())
    digest_path(path).write_text(f"{sha256}  {path.name}\n", encoding="ascii")
    return sha256


def _rounded(value: object) -> object:
    """A large tensor in half precision; everything else as it is."""
    if isinstance(value, torch.Tensor) and value.numel() >= _LARGE_TENSOR:
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
