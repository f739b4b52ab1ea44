"""Areas that OpenStreetMap draws as relations of several ways: large parks and woods, mostly."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import osmium
import structlog

from router.graph.green import GREEN_TAGS, is_park
from router.graph.pieces import Outline

_log: Final = structlog.stdlib.get_logger("import")


def green_relations(path: Path) -> tuple[list[Outline], list[Outline]]:
    """The parks, and the other greens, that are relations; those that lack a member are left out.

    Putting areas together needs ways in the order of their numbers: without it there are none, which the log tells.

    Raises RuntimeError when the extract is damaged.
    """
    parks: list[Outline] = []
    greens: list[Outline] = []
    green = osmium.filter.TagFilter(*GREEN_TAGS)
    relations = osmium.FileProcessor(path, osmium.osm.RELATION).with_filter(green)
    if not any(True for _ in relations):
        return parks, greens
    try:
        for area in osmium.FileProcessor(path).with_areas(green).with_filter(green):
            if isinstance(area, osmium.osm.Area) and not area.from_way():
                (parks if is_park(dict(iter(area.tags))) else greens).extend(_outlines(area))
    except RuntimeError as error:
        if "out of order" not in str(error):
            raise
        _log.warning("no areas of several ways", file=path.name, reason=str(error))
    return parks, greens


def _outlines(area: osmium.osm.Area) -> list[Outline]:
    return [(_ring(outer), *(_ring(inner) for inner in area.inner_rings(outer))) for outer in area.outer_rings()]


def _ring(nodes: osmium.osm.NodeRefList) -> np.typing.NDArray[np.float64]:
    return np.array([(node.lon, node.lat) for node in nodes], dtype=np.float64)
