"""Reads what has a name from an OpenStreetMap extract: nodes, areas, and streets piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import osmium

from air.geodesy import Floats
from router.places.place import Kind
from router.places.relations import read_relations
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
_WKB_HEADER: Final = 9
"""Bytes of a line in well-known binary before its points: byte order, kind, and how many points."""

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
        lines: The points of each way, float64[k, 2] of longitude and latitude in degrees.
    """

    names: dict[Names, int] = field(default_factory=dict)
    name: list[int] = field(default_factory=list)
    importance: list[float] = field(default_factory=list)
    lines: list[Floats] = field(default_factory=list)


def read_names(path: Path) -> tuple[list[Named], StreetPieces]:
    """What has a name in an extract that is whole, as the import of its streets has found."""
    named: list[Named] = []
    pieces = StreetPieces()
    wkb = osmium.geom.WKBFactory()
    processor = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for entity in processor.with_filter(osmium.filter.KeyFilter(*NAME_KEYS, HOUSE_NUMBER)):
        if isinstance(entity, osmium.osm.Node):
            if entity.location.valid():
                _take(named, dict(entity.tags), entity.lon, entity.lat)
        elif isinstance(entity, osmium.osm.Way):
            line = _line(entity, wkb)
            if len(line):
                _take_way(named, pieces, entity, line)
    nodes = processor.node_location_storage
    if nodes is not None:
        for tags, longitude, latitude in read_relations(path, nodes):
            _take(named, tags, longitude, latitude)
    return named, pieces


def _line(way: osmium.osm.Way, wkb: osmium.geom.WKBFactory) -> Floats:
    """The points of a way, float64[k, 2] of longitude and latitude; those that the extract lacks are left out."""
    try:
        # Three times faster than to ask for each point.
        return np.frombuffer(bytes.fromhex(wkb.create_linestring(way))[_WKB_HEADER:]).reshape(-1, 2)
    # To libosmium a way that lacks a point is no line, nor is a single point.
    except (RuntimeError, osmium.InvalidLocationError):
        places = [node.location for node in way.nodes]
        return np.array([(place.lon, place.lat) for place in places if place.valid()], dtype=np.float64).reshape(-1, 2)


def _take_way(named: list[Named], pieces: StreetPieces, way: osmium.osm.Way, line: Floats) -> None:
    get = way.tags.get
    importance = street_importance(get("highway") or "")
    if get("boundary") == "administrative":
        # A piece of a border is no place: what lies within is a relation.
        return
    if importance is None or get("area") == "yes":
        longitude, latitude = ((line.min(axis=0) + line.max(axis=0)) / 2).tolist()
        _take(named, dict(way.tags), longitude, latitude)
        return
    names = _names_of_street(tuple([get(key) for key in _STREET_NAME_KEYS]))
    if names is not None:
        pieces.name.append(pieces.names.setdefault(names, len(pieces.names)))
        pieces.importance.append(importance)
        pieces.lines.append(line)


@lru_cache(maxsize=65_536)
def _names_of_street(values: tuple[str | None, ...]) -> Names | None:
    """The names of streets with these values of _STREET_NAME_KEYS; a street is many ways."""
    tags = {key: value for key, value in zip(_STREET_NAME_KEYS, values, strict=True) if value is not None}
    return names_of(tags, Kind.STREET)


def _take(named: list[Named], tags: dict[str, str], longitude: float, latitude: float) -> None:
    meaning, address = meaning_of(tags), own_address(tags)
    names = None if meaning is None else names_of(tags, meaning.kind)
    if (meaning is None or names is None) and address and HOUSE_NUMBER in tags:
        # A house without a name is called by its street and number.
        meaning, names = _HOUSE, names_of({"name": address}, Kind.BUILDING)
    if meaning is not None and names is not None:
        named.append(Named(names, meaning, address, latitude, longitude))
