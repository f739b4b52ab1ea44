"""Small extracts, written as the real ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Relation, Way

from router.graph.graph import Graph
from router.graph.osm import ImportReport, import_extract


@dataclass(frozen=True)
class Drawing:
    """What an extract holds.

    Attributes:
        places: Latitude and longitude of nodes by id.
        ways: Their nodes and tags; the first has the id 1.
        node_tags: Tags of nodes by id.
        areas: Multipolygons: the ids of their outer and inner ways, and tags.
    """

    places: Mapping[int, tuple[float, float]]
    ways: Sequence[tuple[Sequence[int], Mapping[str, str]]]
    node_tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    areas: Sequence[tuple[Sequence[int], Sequence[int], Mapping[str, str]]] = ()

    def write(self, path: Path) -> Path:
        """Writes it as an extract over whatever is at the path."""
        with osmium.SimpleWriter(path, overwrite=True) as writer:
            for node, (latitude, longitude) in sorted(self.places.items()):
                node_tags = dict(self.node_tags.get(node, {}))
                writer.add_node(Node(id=node, version=1, location=(longitude, latitude), tags=node_tags))
            for index, (nodes, tags) in enumerate(self.ways, start=1):
                writer.add_way(Way(id=index, version=1, nodes=list(nodes), tags=dict(tags)))
            for index, (outer, inner, tags) in enumerate(self.areas, start=1):
                members = [*(("w", way, "outer") for way in outer), *(("w", way, "inner") for way in inner)]
                kind = {"type": "multipolygon", **tags}
                writer.add_relation(Relation(id=index, version=1, members=members, tags=kind))
        return path

    def imported(self, folder: Path) -> tuple[Graph, ImportReport]:
        """What the importer makes of it."""
        return import_extract(self.write(folder / "drawing.osm.pbf"))


def on_a_line(*nodes: int) -> dict[int, tuple[float, float]]:
    """Nodes at 36° north, each thousandth of a degree east of 127° by its id."""
    return {node: (36.0, 127.0 + node / 1000) for node in nodes}


def town() -> Drawing:
    """A street with a bend and a name, a one-way, a footway through a park, a ring, and an island out of reach."""
    places = {
        **on_a_line(1, 2, 3, 4),
        5: (36.001, 127.002),
        6: (36.002, 127.002),
        7: (36.002, 127.003),
        8: (36.001, 127.0035),
        9: (36.01, 127.01),
        10: (36.01, 127.011),
        11: (36.0012, 127.0015),
        12: (36.0012, 127.0025),
        13: (36.0019, 127.0025),
        14: (36.0019, 127.0015),
    }
    ways = [
        ([1, 2, 3, 4], {"highway": "residential", "name": "긴 길"}),
        ([2, 5, 6], {"highway": "footway"}),
        ([6, 7, 8, 4], {"highway": "tertiary", "oneway": "yes", "name": "한쪽 길"}),
        ([9, 10], {"highway": "steps"}),
        ([11, 12, 13, 14, 11], {"leisure": "park"}),
    ]
    return Drawing(places, ways)
