"""Which modules may know gRPC, SQL, HTTP and protobuf. All others know none of it, even by way of a third module.

One third module is let through: the service's store, whose methods speak the domain's words alone.

That imports go down, and that no service imports another, is import-linter's to say (pyproject.toml).
"""

from __future__ import annotations

import copy
from fnmatch import fnmatch
from typing import Final

import grimp
import pytest

PACKAGES: Final = ("air", "cli", "gateway", "ingestion", "mesh", "predictor", "router", "simulation")
SERVICES: Final = ("ingestion", "predictor", "router")

# Who may import a package of others. What speaks to the left neighbour is named *_stream.
KNOWS: Final = {
    ("grpc", "grpc_health", "grpc_reflection", "grpc_status", "protovalidate"): (
        "mesh.*",
        "cli.*",
        "*.server",
        "*.service",
        "*_service",
        "*.tasks.*",
        "*_stream",
    ),
    ("google", "cleanair", "buf", "inference"): (
        "mesh.*",
        "cli.*",
        "gateway.contracts",
        "*.server",
        "*.service",
        "*_service",
        "*.tasks.*",
        "*.wire",
        "*_wire",
        "*_stream",
    ),
    ("sqlalchemy", "alembic", "asyncpg", "aiosqlite"): (
        "mesh.database",
        "mesh.alembic_env",
        "mesh.columns",
        "*.store",
        "*.store.*",
        "*.tables",
        "*.migrations.*",
    ),
    ("httpx",): ("*.sources.*", "*.providers.*", "simulation.*", "cli.*"),
    ("redis",): ("mesh.*",),
    ("celery",): ("ingestion.tasks.*", "cli.serve"),
    # An extra is installed for its service alone: the router's image has no torch.
    ("torch", "holidays"): ("predictor.*",),
    ("numba", "networkx", "shapely", "geopy"): ("router.*", "cli.route"),
    ("polyline",): ("router.*", "simulation.*"),
    ("ioos_qc",): ("ingestion.quality.*",),
    ("osmium",): ("router.*", "simulation.*"),
    ("envoy", "yaml"): ("gateway.*",),
    # Recorded hours are for fits and scores, away from the servers.
    ("pyarrow", "matplotlib"): ("cli.*", "predictor.training.*", "predictor.evaluation.*"),
}
# The modules of a service that are its edge; every other one, present and to come, is its domain.
EDGES: Final = (
    *("server", "feeds", "collecting", "service", "*_service", "wire", "*_wire", "store*", "tables", "settings"),
    *("sources*", "providers*", "tasks*", "migrations*", "*_stream"),
)
OF_THE_EDGES: Final = (
    *("grpc", "grpc_health", "grpc_reflection", "grpc_status", "protovalidate"),
    *("google", "cleanair", "buf", "inference"),
    *("sqlalchemy", "alembic", "asyncpg", "aiosqlite"),
    *("httpx", "redis"),
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("packages", KNOWS, ids=lambda packages: packages[0])
def test_a_package_of_others_is_known_where_it_belongs(graph: grimp.ImportGraph, packages: tuple[str, ...]) -> None:
    importers = {
        importer
        for package in packages
        if package in graph.modules
        for importer in graph.find_modules_that_directly_import(package)
    }
    assert not {module for module in importers if not any(fnmatch(module, place) for place in KNOWS[packages])}


@pytest.mark.parametrize("service", SERVICES)
def test_the_domain_knows_no_grpc_sql_http_and_protobuf(graph: grimp.ImportGraph, service: str) -> None:
    storeless = copy.deepcopy(graph)
    for module in (*storeless.find_descendants(f"{service}.store"), f"{service}.store"):
        storeless.remove_module(module)
    ways = [
        " -> ".join(chain)
        for module in storeless.find_descendants(service)
        if not any(fnmatch(module.removeprefix(f"{service}."), edge) for edge in EDGES)
        for package in OF_THE_EDGES
        if package in storeless.modules
        for chain in [storeless.find_shortest_chain(importer=module, imported=package)]
        if chain is not None
    ]
    assert not ways
