"""Arrays in one file that is mapped into memory: any number of processes on a machine share its pages.

A prefix of 64 bytes (magic, format version, lengths, hash), a JSON header, then the arrays, each on a boundary of 64
bytes, in little-endian order. The header says where each lies, what it is made of, and what else there is to say. The
SHA-256 is of all bytes but its own, and is checked before anything else is believed. A file from elsewhere can be
wrong, but runs no code. Who has new content puts a new file in its place, and never writes into one: it may be mapped.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mesh.errors import InvalidInput

FORMAT_VERSION: Final = 2
"""Raised whenever a file of an older version would be misread."""

_MAGIC: Final = b"CLEANAIR"
_PREFIX: Final = struct.Struct("<8sIIQ32s")
_HASHED: Final = _PREFIX.size - 32
_ALIGNED_TO: Final = 64
_KINDS: Final = "biuf"
_MODE: Final = 0o644
"""Who imports a graph need not be who serves it."""
# Version 1 was an archive of numpy's, whose first member was this.
_VERSION_1: Final = slice(30, 42), b"latitude.npy"

Array = NDArray[Any]
"""An array; who reads a file knows what each is made of."""


class NoSuchGraphFile(InvalidInput):
    """There is no graph file at the path."""

    reason = "NO_SUCH_GRAPH_FILE"


class DamagedGraphFile(InvalidInput):
    """The file is no graph file, is cut short, or does not hold what its hash says."""

    reason = "DAMAGED_GRAPH_FILE"


class UnknownGraphFormat(InvalidInput):
    """The file has a format version that this release does not read."""

    reason = "UNKNOWN_GRAPH_FORMAT"


class Content(NamedTuple):
    """What a file holds.

    Attributes:
        said: Numbers, texts and truths by name.
        arrays: Read-only arrays by name.
        sha256: Of the file that it was read from, in hexadecimal; "" where it comes from none.
    """

    said: Mapping[str, object]
    arrays: Mapping[str, Array]
    sha256: str = ""


def write(content: Content, path: Path) -> None:
    """Writes the file; at no moment is there half of one under the path."""
    laid_out, at = {}, 0
    for name, array in content.arrays.items():
        laid_out[name] = {"dtype": array.dtype.newbyteorder("<").str, "shape": array.shape, "offset": at}
        at += _padded(array.nbytes)
    header = json.dumps({"said": dict(content.said), "arrays": laid_out}, sort_keys=True).encode()
    header = header.ljust(_padded(len(header)))
    prefix = struct.pack("<8sIIQ", _MAGIC, FORMAT_VERSION, len(header), _ALIGNED_TO + len(header) + at)
    padding = b"\0" * (_ALIGNED_TO - _PREFIX.size)
    digest = hashlib.sha256(prefix + padding + header)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(prefix + bytes(32) + padding + header)
            for array in content.arrays.values():
                laid = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
                for part in (laid.reshape(-1).view(np.uint8).data, bytes(_padded(laid.nbytes) - laid.nbytes)):
                    file.write(part)
                    digest.update(part)
            file.seek(_HASHED)
            file.write(digest.digest())
            file.flush()
            os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    # Whatever went wrong, the interrupt of a person too, no half a file is left; it is raised on.
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> Content:
    """What a file holds; its arrays are the file itself, mapped.

    Raises:
        NoSuchGraphFile: There is no such file.
        UnknownGraphFormat: The file was written by a release with another format.
        DamagedGraphFile: The file is cut short, is something else, or its content does not match its hash.
    """
    if not path.is_file():
        raise NoSuchGraphFile(f"There is no graph file {path}; import an OpenStreetMap extract to make one.")
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _ALIGNED_TO:
            raise damaged(path)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, header_length, length, expected = _PREFIX.unpack_from(mapped)
    if magic != _MAGIC:
        first, name = _VERSION_1
        raise _unknown(path, 1) if mapped[first] == name else damaged(path)
    if version != FORMAT_VERSION:
        raise _unknown(path, version)
    if length != len(mapped) or _hash(mapped) != expected:
        raise damaged(path)
    begin = _ALIGNED_TO + header_length
    # Whoever wrote the right hash may still have written another thing.
    try:
        header = json.loads(mapped[_ALIGNED_TO:begin])
        arrays = {name: _array(mapped, begin, place) for name, place in header["arrays"].items()}
        return Content(cast("dict[str, object]", header["said"]), arrays, expected.hex())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> DamagedGraphFile:
    """The error of a file that does not hold what it should."""
    return DamagedGraphFile(
        f"{path.name} is no graph file, or it is damaged or cut short; import it again from its OpenStreetMap extract."
    )


def _unknown(path: Path, version: int) -> UnknownGraphFormat:
    return UnknownGraphFormat(
        f"{path.name} has graph format {version}, and this release reads {FORMAT_VERSION};"
        " import it again from its OpenStreetMap extract."
    )


def _hash(mapped: mmap.mmap) -> bytes:
    with memoryview(mapped) as view, view[:_HASHED] as before, view[_PREFIX.size :] as behind:
        digest = hashlib.sha256(before)
        digest.update(behind)
    return digest.digest()


def _array(mapped: mmap.mmap, begin: int, place: dict[str, object]) -> Array:
    dtype, shape, offset = np.dtype(str(place["dtype"])), place["shape"], place["offset"]
    if dtype.kind not in _KINDS or not isinstance(shape, list) or not isinstance(offset, int) or offset < 0:
        raise ValueError("That is no array of numbers.")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(mapped, dtype, count, begin + offset).reshape(shape)


def _padded(length: int) -> int:
    return -(-length // _ALIGNED_TO) * _ALIGNED_TO
