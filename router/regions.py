"""The regions served: read from graph files, and read again when the files have changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from mesh.clock import Clock
from mesh.errors import CleanAirError, FailedPrecondition
from router.exposure.metrics import HOURS_KEPT
from router.graph.graph import BrokenGraph
from router.planner import Planner
from router.prepared import check, load
from router.region import Region

SUFFIX: Final = ".graph"
"""Of the graph files in a folder."""

_log: Final = structlog.stdlib.get_logger("graphs")


class NoGraph(FailedPrecondition):
    """There is no street graph that could be served."""

    reason = "NO_GRAPH"


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A region in service.

    Attributes:
        file: The graph file that it was read from.
        sha256: The file's hash.
        region: The region.
        loaded_at: Since when.
    """

    file: Path
    sha256: str
    region: Region
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A graph file that was not taken.

    Attributes:
        file: Its name.
        error: Why.
    """

    file: str
    error: CleanAirError


class Regions:
    """The regions of one graph file, or of all in a folder, in the order of their names."""

    def __init__(self, path: Path, planner: Planner, *, clock: Clock, hours_kept: int = HOURS_KEPT) -> None:
        """Of a file, or of a folder; nothing is read yet.

        Args:
            path: The file or folder.
            planner: Who serves them.
            clock: Tells the time.
            hours_kept: For how many hours beside the current one a region keeps metrics.
        """
        self._path = path
        self._planner = planner
        self._clock = clock
        self._hours_kept = hours_kept
        self._served: tuple[Served, ...] = ()

    @property
    def served(self) -> tuple[Served, ...]:
        """Those served now."""
        return self._served

    def read(self) -> tuple[Refused, ...]:
        """Reads the files, and has what came of them served from then on, all at once. Seconds of work; one at a time.

        A file whose content is served is left alone; a new or changed one is checked and tried out first. For one that
        fails, the region that was read from it before goes on being served. Those of files that are gone go, too.

        Raises NoGraph when nothing would be left to serve, or the error of the one file that there is; what was served
        goes on being served.
        """
        before = {one.file: one for one in self._served}
        after: list[Served] = []
        refused: list[Refused] = []
        for file in self._files():
            kept = before.get(file)
            try:
                after.append(self._opened(file, kept))
            except CleanAirError as error:
                _log.warning("graph refused", file=file.name, reason=error.reason, message=error.message)
                refused.append(Refused(file.name, error))
                if kept is not None:
                    after.append(kept)
        if not after and len(refused) == 1:
            raise refused[0].error
        if not after:
            raise NoGraph(
                f"There is no street graph to serve in {self._path}: import one, or import those there again."
            )
        self._planner.serve([one.region for one in after], self._clock())
        self._served = tuple(after)
        return tuple(refused)

    def _files(self) -> list[Path]:
        return sorted(self._path.glob(f"*{SUFFIX}")) if self._path.is_dir() else [self._path]

    def _opened(self, file: Path, kept: Served | None) -> Served:
        try:
            prepared = load(file)
            if kept is not None and kept.sha256 == prepared.sha256:
                return kept
            check(prepared)
            region = Region(prepared, hours_kept=self._hours_kept)
            self._planner.try_out(region, self._clock())
        except CleanAirError:
            raise
        # Whatever a file makes the code do that reads it, others go on being served.
        except Exception as error:
            _log.exception("graph refused", file=file.name)
            raise BrokenGraph("a region can be made of it") from error
        return Served(file, prepared.sha256, region, self._clock())
