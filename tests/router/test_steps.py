"""What one is told to do on the way: on streets drawn by hand, and what holds on real ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path as File

import numpy as np
import pytest

from router.graph.graph import Access, Graph, RoadClass
from router.instructions import Language, instruction
from router.modes import TravelMode, is_open, seconds
from router.search.engine import Engine, Path
from router.search.metric import Metric
from router.search.outline import outline
from router.search.shapes import Shapes
from router.steps import Maneuver, Step, turn_by_turn
from tests.router.real_streets import real_streets
from tests.router.street_plan import Edge, arc_of, plan
from tests.router.test_real_streets import at_tail


def walked(graph: Graph, nodes: Sequence[int], start: float = 0.0, end: float = 1.0) -> Path:
    arcs = [arc_of(graph, tail, head) for tail, head in pairwise(nodes)]
    return Path(0, np.array(arcs, dtype=np.int32), start, end)


def told(graph: Graph, path: Path) -> tuple[Step, ...]:
    portions = path.portions()
    length_m = graph.length_m[path.arcs] * portions
    taken = seconds(graph, TravelMode.WALK)[path.arcs] * portions
    return turn_by_turn(graph, path.arcs, length_m, taken, outline(Shapes(graph), path), Access.FOOT)


def does(steps: Sequence[Step]) -> list[tuple[Maneuver, str]]:
    return [(step.maneuver, step.street) for step in steps]


# Main Street goes east, and Side Street north from its middle; a path bends on from the end of that.
TOWN = plan(
    [(0, 0), (100, 0), (200, 0), (100, 100), (100, 200), (0, 200), (100, 300)],
    [
        Edge(0, 1, street="Main Street"),
        Edge(1, 2, street="Main Street"),
        Edge(1, 3, street="Side Street"),
        Edge(3, 4, street="Side Street"),
        Edge(4, 5, RoadClass.FOOTWAY),
        Edge(4, 6, RoadClass.STEPS),
    ],
)


def test_a_turn_into_another_street() -> None:
    steps = told(TOWN, walked(TOWN, [0, 1, 3]))
    assert does(steps) == [
        (Maneuver.DEPART, "Main Street"),
        (Maneuver.LEFT, "Side Street"),
        (Maneuver.ARRIVE, ""),
    ]
    assert [step.length_m for step in steps] == pytest.approx([100, 100, 0])
    assert [step.seconds for step in steps] == pytest.approx([100 / 1.3, 100 / 1.3, 0])
    assert [step.first_point for step in steps] == [0, 1, 2]
    assert [step.bearing for step in steps] == pytest.approx([90, 0, 0], abs=0.1)


def test_the_other_way_one_turns_right_and_left() -> None:
    assert does(told(TOWN, walked(TOWN, [3, 1, 0])))[1] == (Maneuver.RIGHT, "Main Street")
    assert does(told(TOWN, walked(TOWN, [3, 1, 2])))[1] == (Maneuver.LEFT, "Main Street")


def test_straight_on_along_one_street_nothing_is_said() -> None:
    steps = told(TOWN, walked(TOWN, [0, 1, 2], start=0.5, end=0.25))
    assert does(steps) == [(Maneuver.DEPART, "Main Street"), (Maneuver.ARRIVE, "")]
    assert steps[0].length_m == pytest.approx(75)
    assert steps[1].first_point == 2


def test_stairs_are_told_whether_or_not_one_turns() -> None:
    assert does(told(TOWN, walked(TOWN, [1, 3, 4, 6]))) == [
        (Maneuver.DEPART, "Side Street"),
        (Maneuver.TAKE_STEPS, ""),
        (Maneuver.ARRIVE, ""),
    ]
    assert does(told(TOWN, walked(TOWN, [6, 4, 3])))[1] == (Maneuver.CONTINUE, "Side Street")


@pytest.mark.parametrize(
    ("to", "maneuver"),
    [
        ((100, 100), Maneuver.CONTINUE),
        ((130, 100), Maneuver.CONTINUE),
        ((160, 100), Maneuver.SLIGHT_RIGHT),
        ((40, 100), Maneuver.SLIGHT_LEFT),
        ((200, 0), Maneuver.RIGHT),
        ((0, 0), Maneuver.LEFT),
        ((190, -100), Maneuver.SHARP_RIGHT),
        ((10, -100), Maneuver.SHARP_LEFT),
        ((110, -100), Maneuver.U_TURN),
    ],
)
def test_how_far_one_turns_says_what_it_is_called(to: tuple[float, float], maneuver: Maneuver) -> None:
    graph = plan([(100, -100), (100, 0), to], [Edge(0, 1, street="One"), Edge(1, 2, street="Another")])
    assert does(told(graph, walked(graph, [0, 1, 2])))[1] == (maneuver, "Another")


class TestWhatIsNoTurn:
    def test_a_bend_where_nothing_branches_off(self) -> None:
        graph = plan([(0, 0), (100, 0), (100, 100)], [Edge(0, 1), Edge(1, 2)])
        assert len(told(graph, walked(graph, [0, 1, 2]))) == 2

    def test_but_a_fork_makes_it_one(self) -> None:
        graph = plan([(0, 0), (100, 0), (100, 100), (200, 0)], [Edge(0, 1), Edge(1, 2), Edge(1, 3)])
        assert does(told(graph, walked(graph, [0, 1, 2])))[1] == (Maneuver.LEFT, "")
        assert len(told(graph, walked(graph, [0, 1, 3]))) == 2

    def test_a_fork_into_what_is_closed_makes_none(self) -> None:
        graph = plan(
            [(0, 0), (100, 0), (100, 100), (200, 0)],
            [Edge(0, 1), Edge(1, 2), Edge(1, 3, forth=Access.BIKE, back=Access.BIKE)],
        )
        assert len(told(graph, walked(graph, [0, 1, 2]))) == 2

    def test_a_crossing_without_a_name_within_a_street(self) -> None:
        nodes = [(0.0, 0.0), (100.0, 0.0), (110.0, 0.0), (200.0, 0.0)]
        graph = plan(nodes, [Edge(0, 1, street="A"), Edge(1, 2), Edge(2, 3, street="A")])
        assert does(told(graph, walked(graph, [0, 1, 2, 3]))) == [(Maneuver.DEPART, "A"), (Maneuver.ARRIVE, "")]

    def test_a_corner_cut_in_two_is_one_turn(self) -> None:
        nodes = [(0.0, 0.0), (100.0, 0.0), (104.0, 4.0), (104.0, 100.0), (200.0, 0.0), (200.0, 4.0)]
        edges = [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(1, 4), Edge(2, 5)]
        graph = plan(nodes, edges)
        steps = told(graph, walked(graph, [0, 1, 2, 3]))
        assert does(steps) == [(Maneuver.DEPART, ""), (Maneuver.LEFT, ""), (Maneuver.ARRIVE, "")]

    def test_to_the_other_side_of_the_road_and_on(self) -> None:
        nodes = [(0.0, 0.0), (100.0, 0.0), (100.0, 8.0), (200.0, 8.0), (200.0, 0.0), (0.0, 8.0)]
        graph = plan(nodes, [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(1, 4), Edge(2, 5)])
        assert len(told(graph, walked(graph, [0, 1, 2, 3]))) == 2


def test_a_turn_where_one_starts_or_ends_is_none() -> None:
    steps = told(TOWN, walked(TOWN, [0, 1, 3, 4], start=1.0, end=0.0))
    assert does(steps) == [(Maneuver.DEPART, "Side Street"), (Maneuver.ARRIVE, "")]
    assert steps[0].bearing == pytest.approx(0, abs=0.1)
    assert steps[0].length_m == pytest.approx(100)


def step(maneuver: Maneuver, street: str = "", bearing: float = 0.0) -> Step:
    return Step(maneuver, street, 1.0, 1.0, 0, bearing)


@pytest.mark.parametrize(
    ("to_do", "english", "korean"),
    [
        (
            step(Maneuver.DEPART, "세종대로", 100),
            "Go east along 세종대로",
            "세종대로를 따라 동쪽으로 출발하세요",
        ),
        (step(Maneuver.DEPART, "", 350), "Go north", "북쪽으로 출발하세요"),
        (step(Maneuver.LEFT, "테헤란로4길"), "Turn left into 테헤란로4길", "테헤란로4길로 좌회전하세요"),
        (step(Maneuver.RIGHT, "광화문"), "Turn right into 광화문", "광화문으로 우회전하세요"),
        (
            step(Maneuver.DEPART, "숲길 (3)", 180),
            "Go south along 숲길 (3)",
            "숲길 (3)을 따라 남쪽으로 출발하세요",
        ),
        (step(Maneuver.CONTINUE, "국도 7"), "Go straight on into 국도 7", "국도 7로 직진하세요"),
        (step(Maneuver.CONTINUE, "국도 6"), "Go straight on into 국도 6", "국도 6으로 직진하세요"),
        (step(Maneuver.LEFT, "Aleksi"), "Turn left into Aleksi", "Aleksi(으)로 좌회전하세요"),
        (step(Maneuver.TAKE_STEPS), "Take the steps", "계단을 이용하세요"),
        (step(Maneuver.ARRIVE), "You have arrived", "목적지에 도착했습니다"),
    ],
)
def test_in_words(to_do: Step, english: str, korean: str) -> None:
    assert instruction(to_do, Language.ENGLISH) == english
    assert instruction(to_do, Language.KOREAN) == korean


def test_every_maneuver_has_its_own_words() -> None:
    for language in Language:
        assert len({instruction(step(maneuver), language) for maneuver in Maneuver}) == len(Maneuver)


@pytest.mark.real_data
def test_on_real_streets_steps_make_up_the_whole_way(real_data: File) -> None:
    graph, _ = real_streets(real_data, "seoul_sinchon_ewha")
    usable = is_open(graph, TravelMode.WALK)
    metric = Metric.of(graph.length_m * 1000, graph.length_m, usable)
    engine, shapes, rng = Engine(graph), Shapes(graph), np.random.default_rng(3)
    taken, told_of = seconds(graph, TravelMode.WALK), 0
    for start, end in rng.choice(np.flatnonzero(usable), (60, 2)).tolist():
        path = engine.find(metric, at_tail(graph, start), at_tail(graph, end))
        if path is None or len(path.arcs) < 3:
            continue
        drawn = outline(shapes, path)
        np.testing.assert_array_equal(drawn.points, shapes.line(path))
        length_m, time_s = graph.length_m[path.arcs] * path.portions(), taken[path.arcs] * path.portions()
        steps = turn_by_turn(graph, path.arcs, length_m, time_s, drawn, Access.FOOT)
        assert (steps[0].maneuver, steps[-1].maneuver) == (Maneuver.DEPART, Maneuver.ARRIVE)
        assert not {Maneuver.DEPART, Maneuver.ARRIVE} & {step.maneuver for step in steps[1:-1]}
        assert sum(step.length_m for step in steps) == pytest.approx(length_m.sum())
        assert sum(step.seconds for step in steps) == pytest.approx(time_s.sum())
        points = [step.first_point for step in steps]
        assert points[0] == 0
        assert points[-1] == len(drawn.points) - 1
        assert points == sorted(points)
        for step, next_point in zip(steps[:-1], points[1:], strict=True):
            along = drawn.along_m[next_point] - drawn.along_m[step.first_point]
            assert step.length_m == pytest.approx(along, abs=0.05)
        told_of += 1
    assert told_of > 30
