"""Places that OpenStreetMap draws as relations of several ways: districts, campuses, large parks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import osmium

from router.graph.pieces import UNITS_PER_DEGREE
from router.places.tags import NAME_KEYS, meaning_of

_TYPES: Final = frozenset({"multipolygon", "boundary"})
_OUTER: Final = frozenset({"outer", ""})
_LABELS: Final = frozenset({"label", "admin_centre"})


@dataclass(frozen=True, slots=True)
class _Relation:
    tags: dict[str, str]
    labels: tuple[int, ...]
    outline: tuple[int, ...]


def read_relations(path: Path, nodes: osmium.index.LocationTable) -> Iterator[tuple[dict[str, str], float, float]]:
    """The tags of each relation that is a place with a name, and the longitude and latitude of it, in degrees.

    That is its label's where it has one, else its middle. One of which the extract lacks a part has no middle and is
    left out. `nodes` holds where the nodes of the extract are.
    """
    relations = list(_named(path))
    ways: dict[int, list[int]] = {way: [] for relation in relations for way in relation.outline}
    if ways:
        wanted = osmium.filter.IdFilter(ways)
        for way in osmium.FileProcessor(path, osmium.osm.WAY).with_filter(wanted):
            if isinstance(way, osmium.osm.Way):
                ways[way.id] = [node.ref for node in way.nodes]
    for relation in relations:
        where = _located(relation.labels[:1], nodes)
        if not where and all(ways[way] for way in relation.outline):
            where = _located(tuple(node for way in relation.outline for node in ways[way]), nodes)
        if where:
            x, y = zip(*where, strict=True)
            yield relation.tags, _middle(x), _middle(y)


def _named(path: Path) -> Iterator[_Relation]:
    for relation in osmium.FileProcessor(path, osmium.osm.RELATION).with_filter(osmium.filter.KeyFilter(*NAME_KEYS)):
        tags = dict(relation.tags)
        if not isinstance(relation, osmium.osm.Relation) or tags.get("type", "") not in _TYPES or not meaning_of(tags):
            continue
        members = [(member.type, member.role, member.ref) for member in relation.members]
        yield _Relation(
            tags=tags,
            labels=tuple(ref for kind, role, ref in members if kind == "n" and role in _LABELS),
            outline=tuple(ref for kind, role, ref in members if kind == "w" and role in _OUTER),
        )


def _located(refs: tuple[int, ...], nodes: osmium.index.LocationTable) -> list[tuple[int, int]]:
    """Longitudes and latitudes of nodes in 1e-7 degrees; nothing where one is missing."""
    try:
        places = [nodes.get(ref) for ref in refs]
    except KeyError:
        return []
    return [(place.x, place.y) for place in places] if all(place.valid() for place in places) else []


def _middle(units: tuple[int, ...]) -> float:
    return (min(units) + max(units)) / 2 / UNITS_PER_DEGREE
