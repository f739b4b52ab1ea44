from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from router.nearness import away_m

places = st.integers(-2_000, 2_000).map(lambda tenths: tenths / 10)


@settings(max_examples=30, deadline=None)
@given(
    points=arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=places),
    lines=arrays(np.float64, st.tuples(st.integers(1, 8), st.just(4)), elements=places),
    within=st.sampled_from([7.0, 60.0, 1_000.0]),
)
def test_what_is_near_is_as_far_as_shapely_says(
    points: np.typing.NDArray[np.float64], lines: np.typing.NDArray[np.float64], within: float
) -> None:
    start, end = lines[:, :2].copy(), lines[:, 2:].copy()
    drawn = [shapely.LineString([a, b]) for a, b in zip(start, end, strict=True)]
    expected = np.array([min(line.distance(shapely.Point(point)) for line in drawn) for point in points])
    found = away_m(points, start, end, within)
    sure = np.abs(expected - within) > 1e-6
    near = expected < within
    assert found[near & sure] == pytest.approx(expected[near & sure], abs=1e-6)
    assert np.all(np.isinf(found[~near & sure]))


def test_without_lines_nothing_is_near() -> None:
    assert np.isinf(away_m(np.zeros((2, 2)), np.zeros((0, 2)), np.zeros((0, 2)), 10.0)).all()


def test_lines_at_either_end_of_the_earth_are_told_apart() -> None:
    start = np.array([[-2e7, 0.0], [2e7, 5e6]])
    found = away_m(
        np.array([[-2e7, 30.0], [2e7, 5e6 - 40.0], [0.0, 0.0]]), start, start + np.array([100.0, 0.0]), 240.0
    )
    assert found.tolist() == [30.0, 40.0, np.inf]
