"""Snapping on streets small enough to do by hand, and the line of a path on the map."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from air.geodesy import distance_m
from air.places import Point
from router.graph.graph import Access, Graph
from router.modes import TravelMode, is_open
from router.plane import on_plane, stretch
from router.search.edge_grid import ISLAND, MAIN, EdgeGrid
from router.search.engine import Engine, Path
from router.search.metric import Metric
from router.search.shapes import Shapes, one_arc_an_edge
from router.search.snapping import PointOffGraph, Snapper
from tests.router.street_plan import Edge, arc_of, at, plan


def snapper(graph: Graph, mode: TravelMode = TravelMode.WALK) -> Snapper:
    return Snapper(graph, EdgeGrid(graph), is_open(graph, mode))


def apart_m(a: Point, b: Point) -> float:
    return float(distance_m(np.array(a.latitude), np.array(a.longitude), np.array(b.latitude), np.array(b.longitude)))


def test_a_point_beside_a_street_goes_to_the_foot_of_the_perpendicular() -> None:
    graph = plan([(0, 0), (200, 0)], [Edge(0, 1)])
    place = snapper(graph).snap(at(50, 30), "origin")
    assert graph.tail[place.arc] == 0
    assert place.fraction == pytest.approx(0.25, abs=1e-6)
    assert place.distance_m == pytest.approx(30, abs=0.01)
    assert apart_m(place.point, at(50, 0)) < 0.01


def test_a_point_beyond_the_end_of_a_street_goes_to_its_end() -> None:
    graph = plan([(0, 0), (200, 0)], [Edge(0, 1)])
    place = snapper(graph).snap(at(-30, 40), "origin")
    assert place.fraction == 0.0
    assert place.distance_m == pytest.approx(50, abs=0.01)


def test_the_fraction_follows_a_bent_street() -> None:
    graph = plan([(0, 0), (100, 300)], [Edge(0, 1, via=((100, 0),))])
    place = snapper(graph).snap(at(120, 100), "origin")
    assert place.fraction == pytest.approx(0.5, abs=1e-5)
    assert apart_m(place.point, at(100, 100)) < 0.01


def test_a_point_far_from_every_street_is_refused_with_the_distance_and_the_field() -> None:
    graph = plan([(0, 0), (200, 0)], [Edge(0, 1)])
    with pytest.raises(PointOffGraph, match=r"(699|700|701) m away") as refused:
        snapper(graph).snap(at(100, 700), "destination")
    assert refused.value.field == "destination"
    assert refused.value.metadata["limit_meters"] == "500"


@pytest.mark.parametrize("point", [Point(90.0, 0.0), Point(-90.0, 180.0), Point(0.0, -180.0), Point(0.0, 0.0)])
def test_the_ends_of_the_earth_are_off_the_graph(point: Point) -> None:
    graph = plan([(0, 0), (200, 0)], [Edge(0, 1)])
    with pytest.raises(PointOffGraph, match="km away"):
        snapper(graph).snap(point, "origin")


def test_a_way_that_the_mode_may_not_use_is_passed_over() -> None:
    graph = plan([(0, 0), (100, 0), (0, 50), (100, 50)], [Edge(0, 1, forth=Access.FOOT, back=Access.FOOT), Edge(2, 3)])
    walked = snapper(graph).snap(at(50, 5), "origin")
    ridden = snapper(graph, TravelMode.BIKE).snap(at(50, 5), "origin")
    assert set(graph.tail[[walked.arc]]) | set(graph.head[[walked.arc]]) == {0, 1}
    assert set(graph.tail[[ridden.arc]]) | set(graph.head[[ridden.arc]]) == {2, 3}


def chain(length: int, north_m: float) -> list[tuple[float, float]]:
    return [(100.0 * i, north_m) for i in range(length)]


def test_a_drawn_but_unjoined_footway_is_passed_over_for_the_street_beside_it() -> None:
    street, island = chain(30, 0), [(100.0, 40.0), (200.0, 40.0)]
    graph = plan([*street, *island], [*(Edge(i, i + 1) for i in range(29)), Edge(30, 31)])
    place = snapper(graph).snap(at(150, 39), "origin")
    assert place.distance_m == pytest.approx(39, abs=0.01)
    assert snapper(graph).is_connected(place)


def test_an_island_with_no_street_near_is_better_than_nothing() -> None:
    graph = plan([*chain(30, 0), (100, 900), (200, 900)], [*(Edge(i, i + 1) for i in range(29)), Edge(30, 31)])
    place = snapper(graph).snap(at(150, 890), "origin")
    assert place.distance_m == pytest.approx(10, abs=0.01)
    assert not snapper(graph).is_connected(place)


def test_a_second_town_is_no_island() -> None:
    towns = [*chain(10, 0), *chain(8, 300)]
    graph = plan(towns, [Edge(i, i + 1) for i in range(17) if i != 9])
    assert snapper(graph).snap(at(150, 290), "origin").distance_m == pytest.approx(10, abs=0.01)


def test_a_one_way_dead_end_is_an_island_to_who_must_come_back() -> None:
    nodes = [*chain(10, 0), (450, 100)]
    graph = plan(nodes, [*(Edge(i, i + 1) for i in range(9)), Edge(4, 10, back=Access.FOOT)])
    ridden = snapper(graph, TravelMode.BIKE).snap(at(450, 90), "origin")
    walked = snapper(graph).snap(at(450, 90), "origin")
    assert 10 not in {graph.tail[ridden.arc], graph.head[ridden.arc]}
    assert 10 in {graph.tail[walked.arc], graph.head[walked.arc]}


def test_the_line_of_a_path_runs_from_place_to_place_along_the_bends() -> None:
    graph = plan([(0, 0), (100, 100), (300, 100)], [Edge(0, 1, via=((100, 0),)), Edge(1, 2)])
    shapes = Shapes(graph)
    metric = Metric.of(graph.length_m * 100, graph.length_m, np.ones(graph.arc_count, bool))
    find = snapper(graph)
    path = Engine(graph).find(metric, find.snap(at(50, -5), "origin"), find.snap(at(200, 105), "destination"))
    assert path is not None
    line = shapes.line(path)
    expected = [at(50, 0), at(100, 0), at(100, 100), at(200, 100)]
    assert len(line) == len(expected)
    for drawn, wanted in zip(line.tolist(), expected, strict=True):
        assert apart_m(Point(*drawn), wanted) < 0.01


def test_the_line_of_part_of_one_arc_has_two_points() -> None:
    graph = plan([(0, 0), (100, 0)], [Edge(0, 1)])
    line = Shapes(graph).line(Path(1, np.array([arc_of(graph, 1, 0)], dtype=np.int32), 0.2, 0.2))
    assert len(line) == 2
    assert apart_m(Point(*line[0].tolist()), at(80, 0)) < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_place_is_as_near_as_shapely_finds_it(seed: int) -> None:
    """Streets of up to two kilometres, a third of them closed; points near and far."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0, 6000, (70, 1, 2))
    drawn = (middles + rng.uniform(-300, 300, (70, 4, 2)) * rng.uniform(0.05, 1.0, (70, 1, 1))).tolist()
    nodes = [(east, north) for street in drawn for east, north in (street[0], street[-1])]
    bends = [tuple((east, north) for east, north in street[1 : 1 + rng.integers(3)]) for street in drawn]
    graph = plan(nodes, [Edge(2 * number, 2 * number + 1, via=via) for number, via in enumerate(bends)])
    shapes, grid = Shapes(graph), EdgeGrid(graph)
    kinds = rng.integers(0, 3, graph.arc_count).astype(np.uint8)
    edges = np.flatnonzero(one_arc_an_edge(graph)).astype(np.int32)
    lines = {int(arc): shapely.LineString(on_plane(shapes.of(int(arc)))) for arc in edges}
    found_some = 0
    for east, north in rng.uniform(-700, 6700, (150, 2)).tolist():
        point = at(east, north)
        x, y = on_plane(np.array([[point.latitude, point.longitude]]))[0]
        scale = float(stretch(np.array(point.latitude)))
        away = {arc: line.distance(shapely.Point(x, y)) / scale for arc, line in lines.items()}
        wanted = next(
            (
                min(near)
                for kind in (MAIN, ISLAND)
                if (near := [m for arc, m in away.items() if kinds[arc] == kind and m < 500])
            ),
            None,
        )
        found = grid.nearest(point.latitude, point.longitude, 500.0, kinds)
        if wanted is None:
            assert found is None
        else:
            assert found is not None
            assert found[4] == pytest.approx(wanted, rel=1e-3, abs=0.02)
            found_some += 1
    assert found_some > 50
