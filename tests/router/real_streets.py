"""The extracts of real cities, each imported once for all tests that only read it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from router.graph.graph import Graph
from router.graph.osm import ImportReport, import_extract


@cache
def real_streets(real_data: Path, city: str) -> tuple[Graph, ImportReport]:
    """The streets of a city, and what the import had to say of them."""
    return import_extract(real_data / "roads" / f"{city}.osm.pbf")
