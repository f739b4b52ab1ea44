"""Probabilities are those of the quantiles, in the bands of the Korean index."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.index import GRADE_ENDS, Grade, grade_of, sub_index
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.exceedance import Floats, above_grades, exceedance, grade_confidences

NORMAL_90 = NormalDist().inv_cdf(0.9)

told = st.integers(0, 30_000).map(lambda hundredths: hundredths / 100)
three = st.lists(told, min_size=3, max_size=3).map(sorted)


def of_all(*quantiles: float) -> Floats:
    """The same quantiles for every pollutant, in its unit, one hour."""
    scaled: Floats = np.array(quantiles) * np.array([1, 1, 0.001, 0.001])[None, :, None]
    return scaled


def by_hand(low: float, middle: float, high: float, limit: float) -> float:
    width = (high - middle if limit >= middle else middle - low) / NORMAL_90
    if width == 0:
        return 0.5 if limit == middle else float(middle > limit)
    return 1 - NormalDist(middle, width).cdf(limit)


@given(three, told)
def test_each_side_of_the_median_is_normal(quantiles: list[float], limit: float) -> None:
    low, middle, high = quantiles
    found = exceedance(np.array(quantiles), limit)
    assert float(found) == pytest.approx(by_hand(low, middle, high, limit), abs=1e-6)


@pytest.mark.parametrize("pollutant", FORECAST_POLLUTANTS)
def test_the_limits_are_those_of_the_index(pollutant: Pollutant) -> None:
    for grade, end in zip(Grade, GRADE_ENDS[pollutant], strict=False):
        assert grade_of(sub_index(pollutant, end)) is grade
        assert grade_of(sub_index(pollutant, float(np.nextafter(end, 1e9)))) is not grade


@given(three)
def test_worse_grades_are_no_likelier_and_all_of_them_are_everything(quantiles: list[float]) -> None:
    above = above_grades(of_all(*quantiles))
    assert above.shape == (1, 4, 3)
    assert (np.diff(above, axis=-1) <= 0).all()
    assert ((above >= 0) & (above <= 1)).all()
    grades = -np.diff(np.array([1.0, *above[0, 0], 0.0]))
    assert grade_confidences(of_all(*quantiles)) == pytest.approx([max(grades)], abs=0.0011)


def test_the_confidence_falls_as_the_interval_widens() -> None:
    widths = np.arange(0.5, 20)
    found = [float(grade_confidences(of_all(25 - width, 25, 25 + width))[0]) for width in widths]
    assert found[0] == 1.0
    assert all(narrow >= wide for narrow, wide in itertools.pairwise(found))
    assert found[-1] < 0.6
