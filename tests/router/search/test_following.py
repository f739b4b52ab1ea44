"""Where on a line somebody is, from positions that err."""

from __future__ import annotations

import numpy as np
import pytest

from air.geodesy import Floats
from router.search.following import Track, progress
from router.search.shapes import steps_m
from tests.router.street_plan import at


def track(*corners: tuple[float, float]) -> Track:
    points: Floats = np.array([[at(*corner).latitude, at(*corner).longitude] for corner in corners])
    return Track(points, np.concatenate([[0.0], np.cumsum(steps_m(points))]))


# 500 m east and back again, ten metres beside: the way round a block without depth.
HAIRPIN = track((0, 0), (500, 0), (500, 10), (0, 10))


def test_a_position_beside_the_line() -> None:
    match = track((0, 0), (500, 0), (500, 400)).find(at(200, 15), 0.0, 10.0, 200.0)
    assert match.along_m == pytest.approx(200, abs=0.1)
    assert match.off_m == pytest.approx(15, abs=0.1)


def test_of_two_streets_side_by_side_the_one_that_one_has_come_to() -> None:
    # The position is nearer to the way back, on which one cannot be yet.
    assert HAIRPIN.find(at(100, 9), 80.0, 5.0, 30.0).along_m == pytest.approx(100, abs=0.1)
    assert HAIRPIN.find(at(100, 1), 880.0, 5.0, 30.0).along_m == pytest.approx(910, abs=0.1)


def test_one_who_took_a_bus_is_found_far_ahead() -> None:
    straight = track((0, 0), (500, 0), (500, 2000))
    assert straight.find(at(500, 1500), 100.0, 5.0, 10.0).along_m == pytest.approx(2000, abs=0.1)


def test_far_from_all_of_it_the_distance_is_told() -> None:
    assert track((0, 0), (500, 0)).find(at(100, 300), 100.0, 5.0, 10.0).off_m == pytest.approx(300, abs=1)


def test_noise_takes_nobody_back_and_a_walk_back_does() -> None:
    straight = track((0, 0), (500, 0))
    here = 300.0
    for east in (290, 275):
        here = progress(here, straight.find(at(east, 5), here, 10.0, 10.0), 10.0)
        assert here == 300.0
    for east in (260, 230, 180, 90):
        here = progress(here, straight.find(at(east, 5), here, 10.0, 10.0), 10.0)
    assert here == pytest.approx(90, abs=0.1)
