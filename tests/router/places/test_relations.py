from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Relation, Way

from air.places import Point
from router.places.gazetteer import gather
from router.places.place import Kind

NODES = {1: (36.0, 127.0), 2: (36.0, 127.02), 3: (36.02, 127.02), 4: (36.02, 127.0), 5: (36.015, 127.005)}
BORDER = {"boundary": "administrative", "name": "가구–나구"}
CAMPUS = {"type": "multipolygon", "amenity": "university", "name": "가나대학교"}


def write(path: Path, relations: Sequence[tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]]) -> Path:
    with osmium.SimpleWriter(path) as writer:
        for node, (latitude, longitude) in NODES.items():
            writer.add_node(Node(id=node, location=(longitude, latitude), tags={}))
        writer.add_way(Way(id=1, nodes=[1, 2, 3], tags=BORDER))
        writer.add_way(Way(id=2, nodes=[3, 4, 1], tags={}))
        for number, (members, tags) in enumerate(relations, start=1):
            writer.add_relation(Relation(id=number, members=list(members), tags=dict(tags)))
    return path


def test_an_area_of_several_ways_is_a_place(tmp_path: Path) -> None:
    district = {"type": "boundary", "boundary": "administrative", "name": "가구", "name:en": "Ga-gu"}
    outline = [("w", 1, "outer"), ("w", 2, "outer")]
    path = write(
        tmp_path / "areas.osm.pbf",
        [
            ([*outline, ("n", 5, "label")], district),
            (outline, CAMPUS),
            # Of these the extract lacks a way, or it lacks the label; a bus line is no place.
            ([("w", 1, "outer"), ("w", 9, "outer")], {**CAMPUS, "name": "없는대학교"}),
            ([*outline, ("n", 9, "label")], {**CAMPUS, "name": "다라대학교"}),
            ([("w", 1, "")], {"type": "route", "route": "bus", "name": "1번"}),
        ],
    )
    places = {place.name: place for place in gather(path).places}
    assert set(places) == {"가구", "가나대학교", "다라대학교"}
    assert (places["가구"].kind, places["가구"].point) == (Kind.AREA, Point(36.015, 127.005))
    assert (places["가나대학교"].kind, places["가나대학교"].point) == (Kind.SCHOOL, Point(36.01, 127.01))
    assert places["다라대학교"].point == Point(36.01, 127.01)
