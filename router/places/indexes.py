"""The indexes of all graphs that are served, opened anew when their file is another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from mesh.errors import FailedPrecondition, InvalidInput
from router.places.index import PlaceIndex
from router.places.store import PlacesFile

_log: Final = structlog.stdlib.get_logger("places")


class NoPlaces(FailedPrecondition):
    """No graph that is served has places beside it."""

    reason = "NO_PLACES"


@dataclass(frozen=True, slots=True)
class _Opened:
    identity: tuple[int, int, int]
    index: PlaceIndex | None


class Indexes:
    """The index of each file that is there; any number of threads may ask.

    A file that cannot be read is logged once and left out: what the others know is still an answer.
    """

    def __init__(self, paths: Callable[[], Sequence[Path]]) -> None:
        """Where files may be is asked for at each search, so that a graph that is loaded brings its places along."""
        self._paths = paths
        self._opened: dict[Path, _Opened] = {}
        self._one_at_a_time = threading.Lock()

    def now(self) -> list[PlaceIndex]:
        """The indexes there are now. Raises NoPlaces when there is none."""
        with self._one_at_a_time:
            # An index that is left out may still be searched by another thread: it closes when the last lets go of it.
            self._opened = {path: self._open(path) for path in self._paths() if path.is_file()}
            indexes = [opened.index for opened in self._opened.values() if opened.index is not None]
        if not indexes:
            raise NoPlaces(
                "There is no index of places beside the street graph: make one with `cleanair graph import"
                " FILE.osm.pbf`, or set CLEANAIR_GEOCODER to a geocoder."
            )
        return indexes

    def _open(self, path: Path) -> _Opened:
        stat = path.stat()
        identity = stat.st_ino, stat.st_mtime_ns, stat.st_size
        known = self._opened.get(path)
        if known is not None and known.identity == identity:
            return known
        try:
            return _Opened(identity, PlaceIndex(PlacesFile.open(path)))
        except InvalidInput as error:
            _log.warning("places not read", path=str(path), reason=error.reason, message=error.message)
            return _Opened(identity, None)
