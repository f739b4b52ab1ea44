"""From an extract to a graph file that a router can serve, and the places beside it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    started = time.perf_counter()
    with _nothing_collected():
        report = _import(pbf, out, progress or (lambda _stage, _share: None))
    return replace(report, seconds=time.perf_counter() - started)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    # Millions of small objects are made and none refers back to itself: looking for such takes long and finds none.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _import(pbf: Path, out: Path, tell: Callable[[str, float], None]) -> ImportReport:
    graph, report = import_extract(pbf, progress=lambda stage, share: tell(stage, share * _READ))
    tell("preparing the graph", _READ)
    prepared = prepare(graph)
    tell("gathering places", _PLACES)
    save_places(gather(pbf), places_path(out))
    tell("writing the graph", _PREPARED)
    save(prepared, out)
    tell("done", 1.0)
    return report
