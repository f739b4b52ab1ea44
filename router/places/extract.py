"""Reads what has a name from an OpenStreetMap extract: nodes, areas, and streets piece by piece."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import osmium

from router.graph.pieces import NOWHERE, UNITS_PER_DEGREE
from router.places.place import Kind
from router.places.tags import (
    HOUSE_NUMBER,
    NAME_KEYS,
    Meaning,
    Names,
    meaning_of,
    names_of,
    own_address,
    street_importance,
)

_STREET_NAME_KEYS: Final = (*NAME_KEYS, "alt_name", "old_name")
_HOUSE: Final = Meaning(Kind.BUILDING, 0.05)


@dataclass(frozen=True, slots=True)
class Named:
    """A node or an area with a name.

    Attributes:
        names: How it is called.
        meaning: What it is.
        own_address: Street and number; empty where they are not known.
        latitude: The middle of it, degrees.
        longitude: Likewise.
    """

    names: Names
    meaning: Meaning
    own_address: str
    latitude: float
    longitude: float


@dataclass(slots=True)
class StreetPieces:
    """Ways of streets that have a name, a column each.

    Attributes:
        names: The names in use; ways with equal names share one.
        name: An index into `names`, for each way.
        importance: For each way, 0 to 1.
        size: How many points each way has.
        x: Longitudes of all points in 1e-7 degrees, way after way.
        y: Latitudes likewise.
    """

    names: dict[Names, int] = field(default_factory=dict)
    name: array[int] = field(default_factory=lambda: array("q"))
    importance: array[float] = field(default_factory=lambda: array("d"))
    size: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("i"))
    y: array[int] = field(default_factory=lambda: array("i"))


def read_names(path: Path) -> tuple[list[Named], StreetPieces]:
    """What has a name in an extract that is whole, as the import of its streets has found."""
    named: list[Named] = []
    pieces = StreetPieces()
    processor = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for entity in processor.with_filter(osmium.filter.KeyFilter(*NAME_KEYS, HOUSE_NUMBER)):
        if isinstance(entity, osmium.osm.Node):
            if entity.location.valid():
                _take(named, dict(entity.tags), entity.location.x, entity.location.y)
        elif isinstance(entity, osmium.osm.Way):
            _take_way(named, pieces, entity)
    return named, pieces


def _take_way(named: list[Named], pieces: StreetPieces, way: osmium.osm.Way) -> None:
    places = [node.location for node in way.nodes]
    x, y = [place.x for place in places], [place.y for place in places]
    if NOWHERE in x:
        x, y = [each for each in x if each != NOWHERE], [each for each in y if each != NOWHERE]
    if not x:
        return
    get = way.tags.get
    importance = street_importance(get("highway") or "")
    if importance is None or get("area") == "yes":
        _take(named, dict(way.tags), (min(x) + max(x)) // 2, (min(y) + max(y)) // 2)
        return
    names = _names_of_street(tuple([get(key) for key in _STREET_NAME_KEYS]))
    if names is not None:
        pieces.name.append(pieces.names.setdefault(names, len(pieces.names)))
        pieces.importance.append(importance)
        pieces.size.append(len(x))
        pieces.x.extend(x)
        pieces.y.extend(y)


@lru_cache(maxsize=65_536)
def _names_of_street(values: tuple[str | None, ...]) -> Names | None:
    """The names of streets with these values of _STREET_NAME_KEYS; a street is many ways."""
    tags = {key: value for key, value in zip(_STREET_NAME_KEYS, values, strict=True) if value is not None}
    return names_of(tags, Kind.STREET)


def _take(named: list[Named], tags: dict[str, str], x: int, y: int) -> None:
    meaning, address = meaning_of(tags), own_address(tags)
    names = None if meaning is None else names_of(tags, meaning.kind)
    if (meaning is None or names is None) and address and HOUSE_NUMBER in tags:
        # A house without a name is called by its street and number.
        meaning, names = _HOUSE, names_of({"name": address}, Kind.BUILDING)
    if meaning is not None and names is not None:
        named.append(Named(names, meaning, address, y / UNITS_PER_DEGREE, x / UNITS_PER_DEGREE))
