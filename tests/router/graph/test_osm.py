from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from air.geodesy import distance_m
from mesh.errors import InvalidInput
from router.graph.graph import ANYONE, Access, Graph, RoadClass, check
from router.graph.osm import EmptyExtract, NoRoads, NoSuchExtract, UnreadableExtract, import_extract
from tests.router.graph.drawing import Drawing, on_a_line, town

STREET = {"highway": "residential"}


def test_a_street_with_bends_is_one_edge_with_a_shape(tmp_path: Path) -> None:
    graph, report = Drawing(on_a_line(1, 2, 3, 4), [([1, 2, 3, 4], STREET)]).imported(tmp_path)
    assert _shapes(graph) == {(1, 4): [2, 3], (4, 1): [3, 2]}
    assert graph.reverse.tolist() == [1, 0]
    assert (report.nodes, report.arcs, report.ways, report.components) == (2, 2, 1, 1)
    assert report.kilometers == pytest.approx(_metres(1, 4) / 1000)


def test_streets_join_across_ways_of_one_kind_only(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {**STREET, "name": "가"}),
        ([2, 3], {**STREET, "name": "가"}),
        ([3, 4], {**STREET, "name": "나"}),
        ([4, 5], {**STREET, "name": "나", "foot": "no"}),
        ([5, 6], {"highway": "service", "name": "나", "foot": "no"}),
    ]
    graph, _ = Drawing(on_a_line(*range(1, 7)), ways).imported(tmp_path)
    assert set(_shapes(graph)) == {(1, 3), (3, 1), (3, 4), (4, 3), (4, 5), (5, 4), (5, 6), (6, 5)}
    assert [graph.streets[street] for street in graph.street[:3]] == ["가", "가", "나"]


def test_ways_drawn_against_each_other_join_when_their_access_agrees(tmp_path: Path) -> None:
    oneway = {**STREET, "oneway": "yes"}
    against = {**STREET, "oneway": "-1"}
    joined, _ = Drawing(on_a_line(1, 2, 3), [([1, 2], oneway), ([3, 2], against)]).imported(tmp_path)
    assert set(_shapes(joined)) == {(1, 3), (3, 1)}
    apart, _ = Drawing(on_a_line(1, 2, 3), [([1, 2], oneway), ([3, 2], oneway)]).imported(tmp_path)
    assert set(_shapes(apart)) == {(1, 2), (2, 1), (2, 3), (3, 2)}


def test_a_one_way_is_walked_both_ways_and_ridden_one_way(tmp_path: Path) -> None:
    graph, _ = Drawing(on_a_line(1, 2), [([1, 2], {**STREET, "oneway": "yes"})]).imported(tmp_path)
    assert graph.access.tolist() == [ANYONE, Access.FOOT | Access.WHEELCHAIR]


def test_an_arc_that_nobody_may_use_does_not_exist(tmp_path: Path) -> None:
    ways = [([1, 2], {"highway": "cycleway", "foot": "no", "oneway": "yes"})]
    graph, _ = Drawing(on_a_line(1, 2), ways).imported(tmp_path)
    assert set(_shapes(graph)) == {(1, 2)}
    assert graph.reverse.tolist() == [-1]


def test_a_crossing_is_a_node_and_a_bridge_over_it_is_not(tmp_path: Path) -> None:
    places = on_a_line(1, 2, 3) | {4: (35.999, 127.002), 5: (36.001, 127.002), 6: (36.0, 127.002)}
    crossing, _ = Drawing(places, [([1, 2, 3], STREET), ([4, 2, 5], STREET)]).imported(tmp_path)
    assert (crossing.node_count, crossing.arc_count) == (5, 8)
    bridge, report = Drawing(places, [([1, 2, 3], STREET), ([4, 6, 5], STREET)]).imported(tmp_path)
    assert (bridge.node_count, bridge.arc_count) == (4, 4)
    assert report.components == 2


def test_a_ring_without_a_junction_keeps_one_node(tmp_path: Path) -> None:
    places = on_a_line(1, 2) | {3: (36.001, 127.0015)}
    graph, report = Drawing(places, [([1, 2, 3, 1], STREET)]).imported(tmp_path)
    check(graph)
    assert (graph.node_count, graph.arc_count) == (1, 2)
    assert graph.tail.tolist() == graph.head.tolist() == [0, 0]
    around = _along(places, 1, 2, 3, 1)
    assert graph.length_m.tolist() == pytest.approx([around, around])
    assert report.kilometers == pytest.approx(around / 1000)


def test_a_cul_de_sac_with_a_loop_keeps_the_loop(tmp_path: Path) -> None:
    places = on_a_line(1, 2, 3) | {4: (36.001, 127.0025)}
    graph, _ = Drawing(places, [([1, 2, 3, 4, 2], STREET)]).imported(tmp_path)
    check(graph)
    assert sorted(_shapes(graph)) == [(1, 2), (2, 1), (2, 2)]
    assert graph.arc_count == 4


def test_parallel_streets_are_both_kept(tmp_path: Path) -> None:
    places = on_a_line(1, 2, 3, 4) | {5: (36.001, 127.0025)}
    ways = [([1, 2, 3, 4], STREET), ([2, 5, 3], STREET)]
    graph, _ = Drawing(places, ways).imported(tmp_path)
    check(graph)
    between = [
        arc
        for arc in range(graph.arc_count)
        if {_node(graph, graph.tail[arc]), _node(graph, graph.head[arc])} == {2, 3}
    ]
    assert len(between) == 4
    assert len({graph.length_m[arc] for arc in between}) == 2


def test_a_way_that_lost_a_node_is_cut_there_and_reported(tmp_path: Path) -> None:
    graph, report = Drawing(on_a_line(1, 2, 4, 5), [([1, 2, 3, 4, 5], STREET), ([5, 6], STREET)]).imported(tmp_path)
    assert set(_shapes(graph)) == {(1, 2), (2, 1), (4, 5), (5, 4)}
    assert (report.missing_nodes, report.cut_ways, report.dropped_ways, report.ways) == (2, 2, 1, 1)


def test_a_node_given_twice_is_one_and_a_place_given_twice_is_not_of_length_zero(tmp_path: Path) -> None:
    places = on_a_line(1, 2) | {3: (36.0, 127.002)}
    graph, _ = Drawing(places, [([1, 1, 2, 2], STREET), ([2, 3], {"highway": "steps"})]).imported(tmp_path)
    check(graph)
    assert graph.length_m.min() == pytest.approx(0.001)


def test_a_private_gate_shuts_the_street_and_an_open_one_does_not(tmp_path: Path) -> None:
    places, ways = on_a_line(1, 2, 3), [([1, 2, 3], STREET)]
    shut, report = Drawing(places, ways, {2: {"barrier": "gate", "access": "private"}}).imported(tmp_path)
    check(shut)
    assert report.components == 2
    assert shut.length_m.sum() == pytest.approx(2 * _metres(1, 3))
    opened, report = Drawing(places, ways, {2: {"barrier": "gate"}}).imported(tmp_path)
    assert report.components == 1
    assert opened.arc_count == 2


def test_a_bollard_stops_cars_alone_and_on_the_shorter_side(tmp_path: Path) -> None:
    places, ways = on_a_line(1, 2, 4, 8), [([1, 2, 4, 8], STREET)]
    graph, report = Drawing(places, ways, {4: {"barrier": "bollard"}}).imported(tmp_path)
    assert report.components == 1
    access = {pair: Access(graph.access[arc]) for pair, arc in _arcs(graph).items()}
    on_foot_and_by_bike = Access.FOOT | Access.BIKE | Access.WHEELCHAIR
    assert access == {
        **dict.fromkeys([(1, 2), (2, 1), (4, 8), (8, 4)], ANYONE),
        **dict.fromkeys([(2, 4), (4, 2)], on_foot_and_by_bike),
    }


def test_a_stile_where_a_path_leaves_a_road_leaves_the_road_open(tmp_path: Path) -> None:
    places = on_a_line(1, 2, 3) | {4: (36.001, 127.002)}
    ways = [([1, 2, 3], STREET), ([2, 4], {"highway": "path"})]
    graph, _ = Drawing(places, ways, {2: {"barrier": "stile"}}).imported(tmp_path)
    by_class = {RoadClass(kind): Access(access) for kind, access in zip(graph.road_class, graph.access, strict=True)}
    assert by_class == {RoadClass.LOCAL: ANYONE, RoadClass.FOOTWAY: Access.FOOT}


def test_a_barrier_at_a_dead_end_stops_nobody(tmp_path: Path) -> None:
    graph, _ = Drawing(on_a_line(1, 2), [([1, 2], STREET)], {2: {"barrier": "bollard"}}).imported(tmp_path)
    assert graph.access.tolist() == [ANYONE, ANYONE]


def test_a_barrier_on_a_motorway_leaves_nothing_of_the_piece_that_it_shuts(tmp_path: Path) -> None:
    ways = [([1, 2, 4], {"highway": "motorway"})]
    graph, _ = Drawing(on_a_line(1, 2, 4), ways, {2: {"barrier": "block"}}).imported(tmp_path)
    assert set(_shapes(graph)) == {(2, 4)}


def test_speed_limit_and_grade_are_averaged_over_an_edge(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {**STREET, "maxspeed": "30", "incline": "4%"}),
        ([4, 2], {**STREET, "maxspeed": "60", "incline": "-6%"}),
    ]
    graph, _ = Drawing(on_a_line(1, 2, 4), ways).imported(tmp_path)
    arcs = _arcs(graph)
    assert graph.speed_limit_kmh[arcs[1, 4]] == 45, "1/30 + 2/60 hours for three"
    assert (graph.grade_percent[arcs[1, 4]], graph.grade_percent[arcs[4, 1]]) == (5, -5)


def test_a_street_beside_a_wood_is_green_as_far_as_the_wood_goes(tmp_path: Path) -> None:
    wood = {11: (36.0002, 127.001), 12: (36.0002, 127.003), 13: (36.002, 127.003), 14: (36.002, 127.001)}
    ways = [([1, 5], STREET), ([21, 22], STREET), ([11, 12, 13, 14, 11], {"natural": "wood"})]
    far = {21: (36.1, 127.0), 22: (36.1, 127.01)}
    graph, _ = Drawing(on_a_line(1, 5) | wood | far, ways).imported(tmp_path)
    assert graph.green[_arcs(graph)[1, 5]] / 255 == pytest.approx(0.5, abs=0.15)
    assert graph.green[graph.latitude[graph.tail] > 36.05].tolist() == [0, 0]
    assert RoadClass.PARK_PATH not in graph.road_class


def test_a_footway_in_a_park_is_a_park_path_and_a_street_there_is_not(tmp_path: Path) -> None:
    park = {11: (35.999, 127.0005), 12: (35.999, 127.0095), 13: (36.001, 127.0095), 14: (36.001, 127.0005)}
    ways = [
        ([1, 3], {"highway": "footway"}),
        ([3, 5], STREET),
        ([8, 20], {"highway": "footway"}),
        ([11, 12, 13, 14, 11], {"leisure": "park"}),
    ]
    graph, _ = Drawing(on_a_line(1, 3, 5, 8, 20) | park, ways).imported(tmp_path)
    kinds = {pair: RoadClass(graph.road_class[arc]) for pair, arc in _arcs(graph).items()}
    assert kinds[1, 3] is RoadClass.PARK_PATH
    assert kinds[3, 5] is RoadClass.LOCAL
    assert kinds[8, 20] is RoadClass.FOOTWAY, "less than half of it lies in the park"


def test_a_park_of_several_ways_is_a_park_but_for_its_holes(tmp_path: Path) -> None:
    park = {111: (35.99, 127.0005), 112: (35.99, 127.0395), 113: (36.01, 127.0395), 114: (36.01, 127.0005)}
    hole = {121: (35.999, 127.0105), 122: (35.999, 127.0295), 123: (36.001, 127.0295), 124: (36.001, 127.0105)}
    ways = [
        ([1, 10], {"highway": "footway"}),
        ([12, 28], {"highway": "footway"}),
        ([111, 112, 113], {}),
        ([113, 114, 111], {}),
        ([121, 122, 123, 124, 121], {}),
    ]
    drawing = Drawing(on_a_line(1, 10, 12, 28) | park | hole, ways, areas=[([3, 4], [5], {"leisure": "park"})])
    graph, _ = drawing.imported(tmp_path)
    kinds = {pair: (RoadClass(graph.road_class[arc]), graph.green[arc]) for pair, arc in _arcs(graph).items()}
    assert kinds[1, 10] == (RoadClass.PARK_PATH, 255)
    assert kinds[12, 28] == (RoadClass.FOOTWAY, 0)


def test_a_crooked_outline_of_a_park_does_not_stop_the_import(tmp_path: Path) -> None:
    bow_tie = {11: (35.999, 127.0), 12: (36.001, 127.01), 13: (35.999, 127.01), 14: (36.001, 127.0)}
    ways = [([1, 3], {"highway": "footway"}), ([11, 12, 13, 14, 11], {"leisure": "park"})]
    graph, _ = Drawing(on_a_line(1, 3) | bow_tie, ways).imported(tmp_path)
    assert set(graph.road_class.tolist()) == {RoadClass.FOOTWAY}


def test_a_number_stands_in_for_a_missing_name(tmp_path: Path) -> None:
    ways = [([1, 2], {**STREET, "ref": "46"}), ([2, 3], {**STREET, "ref": "6", "name": "모래내로"}), ([3, 4], STREET)]
    graph, _ = Drawing(on_a_line(1, 2, 3, 4), ways).imported(tmp_path)
    assert set(graph.streets) == {"", "46", "모래내로"}


def test_only_a_way_that_says_so_makes_a_graph_simulated(tmp_path: Path) -> None:
    assert not town().imported(tmp_path)[0].simulated
    simulated = Drawing(on_a_line(1, 2), [([1, 2], {**STREET, "cleanair:simulated": "yes"})])
    graph, report = simulated.imported(tmp_path)
    assert graph.simulated
    assert report.simulated


def test_equal_extracts_give_equal_versions_and_one_more_tag_another(tmp_path: Path) -> None:
    first, second = town().imported(tmp_path)[0], town().imported(tmp_path)[0]
    assert first.version == second.version
    drawing = town()
    changed = Drawing(drawing.places, [*drawing.ways[:-1], ([9, 10], {"highway": "footway"})])
    assert changed.imported(tmp_path)[0].version != first.version


def test_the_island_is_another_component(tmp_path: Path) -> None:
    graph, report = town().imported(tmp_path)
    check(graph)
    assert report.components == 2
    assert report.largest_component_share == pytest.approx(1 - 2 / graph.node_count)
    assert (graph.component == 1).sum() == 2


def test_progress_is_told_from_beginning_to_end(tmp_path: Path) -> None:
    path = town().write(tmp_path / "town.osm.pbf")
    told: list[float] = []
    graph, _ = import_extract(path, progress=lambda _stage, share: told.append(share))
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert graph.name == "town"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyExtract),
        (b"no extract at all, but long enough to look for a header in", UnreadableExtract),
        (None, NoSuchExtract),
    ],
)
def test_what_is_no_extract_is_told_in_one_sentence(
    tmp_path: Path, content: bytes | None, error: type[InvalidInput]
) -> None:
    path = tmp_path / "wrong.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    _is_told(path, error)


def test_a_cut_short_extract_is_told_in_one_sentence(tmp_path: Path) -> None:
    whole = town().write(tmp_path / "whole.osm.pbf").read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: len(whole) - 40])
    _is_told(cut, UnreadableExtract)


@pytest.mark.parametrize(
    "ways",
    [
        [],
        [([1, 2], {"waterway": "river"})],
        [([1, 2], {"highway": "busway"})],
        [([8, 9], STREET)],
        [([1], STREET)],
    ],
)
def test_an_extract_without_streets_is_told_in_one_sentence(
    tmp_path: Path, ways: list[tuple[list[int], dict[str, str]]]
) -> None:
    _is_told(Drawing(on_a_line(1, 2), ways).write(tmp_path / "bare.osm.pbf"), NoRoads)


def test_a_suffix_that_no_reader_knows_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "roads.shp"
    path.write_bytes(b"something")
    _is_told(path, UnreadableExtract)


def _is_told(path: Path, error: type[InvalidInput]) -> None:
    with pytest.raises(error) as told:
        import_extract(path)
    assert path.name in told.value.message
    assert told.value.message.endswith(".")
    assert "\n" not in told.value.message
    assert "PBF" not in told.value.message


def _node(graph: Graph, index: int) -> int:
    """The id of a node that stands on the line."""
    return round((float(graph.longitude[index]) - 127.0) * 1000)


def _arcs(graph: Graph) -> dict[tuple[int, int], int]:
    return {
        (_node(graph, tail), _node(graph, head)): arc
        for arc, (tail, head) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    }


def _shapes(graph: Graph) -> dict[tuple[int, int], list[int]]:
    check(graph)
    return {
        pair: [
            round((longitude - 127.0) * 1000)
            for longitude in graph.shape_longitude[graph.shape_first[arc] : graph.shape_first[arc + 1]]
        ]
        for pair, arc in _arcs(graph).items()
    }


def _metres(start: int, end: int) -> float:
    return _along(on_a_line(start, end), start, end)


def _along(places: dict[int, tuple[float, float]], *nodes: int) -> float:
    route = np.array([places[node] for node in nodes])
    return float(distance_m(route[:-1, 0], route[:-1, 1], route[1:, 0], route[1:, 1]).sum())
