"""The whole mesh, run once for all end-to-end tests that only ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backing.simulated_mesh import SimulatedMesh, simulated_mesh, starting_mesh

_CITY_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What a first start left when it was cut short as soon as it had its city.

    Attributes:
        code: Its exit code.
        is_gone: Whether nothing of it listened any more.
        extract: The city that it drew.
        graph: The streets that it made of it.
        made_at: When that was done, nanoseconds: the changes of both files.
    """

    code: int
    is_gone: bool
    extract: Path
    graph: Path
    made_at: tuple[int, int]


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    folder = tmp_path_factory.mktemp("mesh")
    with starting_mesh(folder) as mesh:
        end = time.monotonic() + _CITY_SECONDS
        while not (graphs := list(folder.glob("*.graph"))):
            assert mesh.process.poll() is None, "it ended before it had its city"
            assert time.monotonic() < end, "no city was made"
            time.sleep(0.1)
        code = mesh.stop()
        (extract,) = folder.glob("*.osm.pbf")
        made_at = (extract.stat().st_mtime_ns, graphs[0].stat().st_mtime_ns)
        return FirstStart(code, mesh.is_gone, extract, graphs[0], made_at)


@pytest.fixture(scope="session")
def mesh(first_start: FirstStart) -> Iterator[SimulatedMesh]:
    """The second start, which all ask; Ctrl-C stops it at the end."""
    with simulated_mesh(first_start.graph.parent) as running:
        yield running
        assert running.stop() == 0
        assert running.is_gone
