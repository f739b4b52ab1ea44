"""A few streets as an OpenStreetMap extract, for tests that need a graph but no city."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import osmium

_STEP_DEGREES: Final = 0.001


def write_street_grid(path: Path, latitude: float, longitude: float, size: int = 8) -> None:
    """Writes `size` by `size` crossings about 100 m apart, from the given south-western corner on."""
    with osmium.SimpleWriter(str(path)) as writer:
        for row in range(size):
            for column in range(size):
                place = (longitude + column * _STEP_DEGREES, latitude + row * _STEP_DEGREES)
                writer.add_node(osmium.osm.mutable.Node(id=1 + row * size + column, location=place))
        for line in range(size):
            kind = "primary" if line == size // 2 else "residential"
            across = [1 + line * size + other for other in range(size)]
            along = [1 + other * size + line for other in range(size)]
            for number, nodes in ((1 + 2 * line, across), (2 + 2 * line, along)):
                tags = {"highway": kind, "name": f"Street {number}"}
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))
