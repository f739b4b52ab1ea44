"""From an extract to a graph file that a router can serve, and the places beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from router.graph.osm import ImportReport, import_extract
from router.places.gazetteer import gather
from router.places.store import places_path
from router.places.store import save as save_places
from router.prepared import prepare, save

_READ: Final = 0.4
_PLACES: Final = 0.8
_PREPARED: Final = 0.95


def import_file(pbf: Path, out: Path, progress: Callable[[str, float], None] | None = None) -> ImportReport:
    """Imports an extract into a graph file, and its places into a file beside that.

    Raises what `import_extract` raises; what was there is left as it was then.
    """
    started, tell = time.perf_counter(), progress or (lambda _stage, _share: None)
    graph, report = import_extract(pbf, progress=lambda stage, share: tell(stage, share * _READ))
    tell("preparing the graph", _READ)
    prepared = prepare(graph)
    tell("gathering places", _PLACES)
    save_places(gather(pbf), places_path(out))
    tell("writing the graph", _PREPARED)
    save(prepared, out)
    tell("done", 1.0)
    return replace(report, seconds=time.perf_counter() - started)
