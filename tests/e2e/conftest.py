"""The whole mesh, run once for all end-to-end tests that only ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backing.simulated_mesh import SimulatedMesh, simulated_mesh


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedMesh]:
    with simulated_mesh(tmp_path_factory.mktemp("mesh")) as running:
        yield running
