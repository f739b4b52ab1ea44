"""The air along a way in pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from air.pollutants import Pollutant
from router.graph.graph import RoadClass
from router.planner import Planner
from router.region import Region
from router.route import Detail, Route, RouteRequest, RouteType
from router.segments import ALIKE, alike
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

SCORES = st.lists(st.floats(0, 100), min_size=1, max_size=60)


@given(score=SCORES)
def test_pieces_are_alike_and_no_two_of_them_could_be_one(score: list[float]) -> None:
    starts = alike(np.array(score)).tolist()
    assert starts[0] == 0
    bounds = [*starts, len(score)]
    pieces = [score[a:b] for a, b in pairwise(bounds)]
    assert all(piece and max(piece) - min(piece) <= ALIKE for piece in pieces)
    for piece, following in pairwise(pieces):
        longer = [*piece, following[0]]
        assert max(longer) - min(longer) > ALIKE


# From a main road by way of a lane into a park.
STREETS = plan(
    [(0, 0), (400, 0), (800, 0), (800, 400), (800, 800), (1200, 800)],
    [
        Edge(0, 1, RoadClass.ARTERIAL),
        Edge(1, 2, RoadClass.ARTERIAL),
        Edge(2, 3),
        Edge(3, 4, RoadClass.PARK_PATH),
        Edge(4, 5, RoadClass.PARK_PATH),
    ],
)


def told(details: frozenset[Detail], *, air: bool = True) -> Route:
    planner = Planner([Region(STREETS)], stale_after=NOW - NOW.replace(hour=0))
    if air:
        planner.know(air_of({Pollutant.NO2: 80.0, Pollutant.PM25: 10.0}), NOW)
    asked = RouteRequest(at(100, 0), at(1100, 800), route_types=(RouteType.FASTEST,), details=details)
    return planner.plan(asked, NOW).routes[0]


def test_they_make_up_the_whole_way() -> None:
    route = told(frozenset({Detail.SEGMENTS}))
    pieces = route.segments
    assert [(piece.first_point, piece.last_point) for piece in pieces] == [(0, 2), (2, 3), (3, 5)]
    np.testing.assert_allclose([piece.length_m for piece in pieces], [700, 400, 700], atol=0.1)
    np.testing.assert_allclose(sum(piece.seconds for piece in pieces), route.seconds, atol=0.1)
    scores = [piece.air_quality_score for piece in pieces]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > ALIKE
    for dose in route.doses:
        parts = [part.dose_ug for piece in pieces for part in piece.doses if part.pollutant is dose.pollutant]
        np.testing.assert_allclose(sum(parts), dose.dose_ug)


def test_they_are_told_only_where_asked_for_and_known() -> None:
    assert told(frozenset()).segments == ()
    assert told(frozenset({Detail.STEPS})).segments == ()
    assert told(frozenset({Detail.SEGMENTS}), air=False).segments == ()
