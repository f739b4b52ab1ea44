"""A graph in one file: numpy's .npz, uncompressed, with a format version and the hash of its content.

The file holds the arrays of the graph by name, the street names as UTF-8 bytes one after the other with the places
where each begins, and a JSON header. It is read without pickle: a file from elsewhere can be wrong, but runs no code.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mesh.errors import InvalidInput
from router.graph.graph import ARRAYS, VERSION_DIGITS, Graph, content_hash
from router.graph.osm import ImportReport, import_extract

FORMAT_VERSION: Final = 1
"""Raised whenever a file of an older version would be misread."""

_IMPORT_SHARE: Final = 0.9
_FAULTS: Final = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
)
"""What numpy, zipfile and json raise, between them, on a file that is not what it should be."""


class NoSuchGraphFile(InvalidInput):
    """There is no graph file at the path."""

    reason = "NO_SUCH_GRAPH_FILE"


class DamagedGraphFile(InvalidInput):
    """The file is no graph file, is cut short, or does not hold what its hash says."""

    reason = "DAMAGED_GRAPH_FILE"


class UnknownGraphFormat(InvalidInput):
    """The file has a format version that this release does not read."""

    reason = "UNKNOWN_GRAPH_FORMAT"


def save(graph: Graph, path: Path) -> None:
    """Writes the graph; at no moment is there half a file under the path."""
    encoded = [street.encode() for street in graph.streets]
    street_first = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(street) for street in encoded], out=street_first[1:])
    header = {
        "format": FORMAT_VERSION,
        "name": graph.name,
        "simulated": graph.simulated,
        "sha256": content_hash(graph),
    }
    columns: dict[str, NDArray[np.generic]] = {field: getattr(graph, field) for field, _ in ARRAYS}
    columns |= {
        "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        "street_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "street_first": street_first,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, allow_pickle=False, **columns)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: Path) -> Graph:
    """The graph in a file.

    Raises:
        NoSuchGraphFile: There is no such file.
        UnknownGraphFormat: The file was written by a release with another format.
        DamagedGraphFile: The file is cut short, is something else, or its content does not match its hash.
    """
    if not path.is_file():
        raise NoSuchGraphFile(f"There is no graph file {path}; import an OpenStreetMap extract to make one.")
    try:
        # Numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            header = _header(members["header"])
            if header.get("format") != FORMAT_VERSION:
                raise UnknownGraphFormat(
                    f"{path.name} has graph format {header.get('format')}, and this release reads {FORMAT_VERSION}; "
                    "import it again from its OpenStreetMap extract."
                )
            graph = _graph(header, members)
            expected = header["sha256"]
        intact = content_hash(graph) == expected
    except _FAULTS as error:
        raise _damaged(path) from error
    if not intact:
        raise _damaged(path)
    return graph


def import_file(pbf: Path, out: Path, progress: Callable[[str, float], None] | None = None) -> ImportReport:
    """Imports an extract into a graph file. Raises what `import_extract` raises; `out` is left as it was then."""
    tell = progress or (lambda _stage, _share: None)
    graph, report = import_extract(pbf, progress=lambda stage, share: tell(stage, share * _IMPORT_SHARE))
    tell("writing the graph", _IMPORT_SHARE)
    save(graph, out)
    tell("done", 1.0)
    return report


def _damaged(path: Path) -> DamagedGraphFile:
    return DamagedGraphFile(
        f"{path.name} is no graph file, or it is damaged or cut short; import it again from its OpenStreetMap extract."
    )


def _header(member: NDArray[np.uint8]) -> dict[str, object]:
    header = json.loads(member.tobytes())
    if not isinstance(header, dict):
        raise ValueError("The header is no object.")  # noqa: TRY004 - told as damage, like every other fault of content
    return cast(dict[str, object], header)


def _graph(header: dict[str, object], members: np.lib.npyio.NpzFile) -> Graph:
    first, text = members["street_first"], members["street_bytes"].tobytes()
    columns = {field: members[field] for field, _ in ARRAYS}
    for field, dtype in ARRAYS:
        if columns[field].dtype != dtype or columns[field].ndim != 1:
            raise ValueError(f"{field} is no flat array of {dtype}.")
    streets = tuple(text[begin:end].decode() for begin, end in itertools.pairwise(first.tolist()))
    return Graph(
        name=str(header["name"]),
        version=str(header["sha256"])[:VERSION_DIGITS],
        simulated=bool(header["simulated"]),
        streets=streets,
        **columns,
    )
