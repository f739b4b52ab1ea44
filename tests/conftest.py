"""What every test may use."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from mesh.logs import hand_to_standard_library
from tests.backing.kernels import compile_router

if TYPE_CHECKING:
    from router.graph.graph import Graph
    from router.graph.osm import ImportReport

ROOT = Path(__file__).resolve().parent.parent

# Kernels are compiled once for all tests and the processes that they start, not once in each one's data folder.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache"))

# Likewise bytecode, whatever the shell says: tests start hundreds of processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes is for the machine to say, which others use, too.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


def _real_data() -> Path:
    return Path(os.environ.get("CLEANAIR_REAL_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def compiled_router() -> None:
    """For tests that plan routes: what that needs has been compiled before the first of them."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compiles what tests need for routes, and spares later collections of garbage a look at all that was imported."""
    if any("compiled_router" in item.fixturenames for item in session.items if isinstance(item, pytest.Function)):
        compile_router()
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out the tests on real data where there is none."""
    if _real_data().is_dir():
        return
    absent = pytest.mark.skip(reason="no real data: set CLEANAIR_REAL_DATA to its folder")
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data that tests marked `real_data` read."""
    return _real_data()


@pytest.fixture(scope="session")
def simulated_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extract of the simulated city, drawn here once for all tests that only read it."""
    from simulation.city import ensure_city

    return ensure_city(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def simulated_streets(simulated_city: Path) -> tuple[Graph, ImportReport]:
    """The streets of the simulated city, and what the import had to say of them; only to be read."""
    from router.graph.osm import import_extract

    return import_extract(simulated_city)


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """Lets tests see with caplog what an operator would see."""
    hand_to_standard_library()
