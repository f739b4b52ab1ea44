"""Whatever the streets, contraction changes no distance between the places that it keeps."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from air.geodesy import distance_m
from router.graph.graph import Access, Graph, check
from router.graph.networkx_graph import to_networkx
from router.graph.osm import NoRoads
from router.graph.tags import way_rule
from tests.router.graph.drawing import Drawing

Place = tuple[float, float]

KINDS: tuple[dict[str, str], ...] = (
    {"highway": "residential"},
    {"highway": "residential", "name": "가"},
    {"highway": "residential", "oneway": "yes"},
    {"highway": "residential", "oneway": "-1"},
    {"highway": "footway"},
    {"highway": "cycleway", "foot": "no", "oneway": "yes"},
    {"highway": "motorway"},
)

places = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=9, unique=True).map(
    lambda spots: {index + 1: (36 + y / 997, 127 + x / 991) for index, (x, y) in enumerate(spots)}
)
# Node 10 is never there.
ways = st.lists(
    st.tuples(st.lists(st.integers(1, 10), min_size=1, max_size=7), st.sampled_from(KINDS)), min_size=1, max_size=7
)
drawings = st.builds(Drawing, places, ways)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contraction")


@settings(max_examples=150, deadline=None)
@given(drawing=drawings)
def test_any_drawing_becomes_a_sound_graph_of_the_same_streets(folder: Path, drawing: Drawing) -> None:
    drawn = {access: _as_drawn(drawing, access) for access in Access}
    try:
        graph, report = drawing.imported(folder)
    except NoRoads:
        assert not any(streets.edges for streets in drawn.values())
        return
    check(graph)
    assert report.arcs == graph.arc_count
    for access, streets in drawn.items():
        open_to = (graph.access & access) > 0
        assert graph.length_m[open_to].sum() == pytest.approx(streets.size(weight="weight"))
        _has_the_same_distances(graph, access, streets)
    _keeps_every_end_and_crossing(graph, drawing)


def _as_drawn(drawing: Drawing, access: Access) -> nx.MultiDiGraph[Place]:
    """Every piece of every way, uncontracted."""
    streets: nx.MultiDiGraph[Place] = nx.MultiDiGraph()
    for nodes, tags in drawing.ways:
        rule = way_rule(tags)
        if rule is None:
            continue
        for start, end in pairwise(nodes):
            if start == end or start not in drawing.places or end not in drawing.places:
                continue
            one, other = _rounded(drawing.places[start]), _rounded(drawing.places[end])
            metres = float(distance_m(*(np.array([value]) for value in (*one, *other)))[0])
            if access in rule.forward:
                streets.add_edge(one, other, weight=metres)
            if access in rule.backward:
                streets.add_edge(other, one, weight=metres)
    return streets


def _rounded(place: Place) -> Place:
    """As OpenStreetMap keeps it, in units of 1e-7 degrees."""
    return (round(place[0] * 1e7) / 1e7, round(place[1] * 1e7) / 1e7)


def _has_the_same_distances(graph: Graph, access: Access, streets: nx.MultiDiGraph[Place]) -> None:
    kept = [(latitude, longitude) for latitude, longitude in zip(graph.latitude, graph.longitude, strict=True)]
    contracted = to_networkx(graph, graph.length_m, access)
    for node, place in enumerate(kept):
        found = nx.single_source_dijkstra_path_length(contracted, node)
        expected = nx.single_source_dijkstra_path_length(streets, place) if place in streets else {place: 0.0}
        for other, other_place in enumerate(kept):
            assert found.get(other, math.inf) == pytest.approx(expected.get(other_place, math.inf))


def _keeps_every_end_and_crossing(graph: Graph, drawing: Drawing) -> None:
    kept = set(zip(graph.latitude.tolist(), graph.longitude.tolist(), strict=True))
    met: dict[Place, int] = {}
    for nodes, tags in drawing.ways:
        if way_rule(tags) is None:
            continue
        for start, end in pairwise(nodes):
            if start != end and start in drawing.places and end in drawing.places:
                for node in (start, end):
                    place = _rounded(drawing.places[node])
                    met[place] = met.get(place, 0) + 1
    assert {place for place, count in met.items() if count != 2} <= kept
    assert kept <= set(met)
