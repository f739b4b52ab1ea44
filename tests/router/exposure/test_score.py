"""Scores, against the Korean index."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.index import index_of_hour
from air.pollutants import FORECAST_POLLUTANTS, Pollutant, ug_m3_per_unit
from router.exposure.score import SCORE_OF_INDEX, score_of


def score(concentrations: dict[Pollutant, float]) -> float:
    """Of concentrations in their units."""
    told = [concentrations.get(p, math.nan) * ug_m3_per_unit(p) for p in FORECAST_POLLUTANTS]
    return score_of(np.array(told))


@pytest.mark.parametrize(
    ("pollutant", "concentration", "expected"),
    [
        (Pollutant.PM25, 0.0, 100.0),
        (Pollutant.PM25, 15.0, 75.0),  # good ends
        (Pollutant.PM25, 35.0, 50.0),  # moderate ends
        (Pollutant.PM25, 75.0, 25.0),  # unhealthy ends
        (Pollutant.NO2, 0.06, 50.0),
        (Pollutant.PM25, 900.0, 0.0),
    ],
)
def test_each_grade_of_the_korean_index_is_a_quarter_of_the_score(
    pollutant: Pollutant, concentration: float, expected: float
) -> None:
    assert score({pollutant: concentration}) == pytest.approx(expected)


def test_unknown_air_has_no_score() -> None:
    assert math.isnan(score({}))


@given(st.dictionaries(st.sampled_from(FORECAST_POLLUTANTS), st.floats(0, 900), min_size=1))
def test_it_is_the_index_of_the_hour(in_micrograms: dict[Pollutant, float]) -> None:
    told = {p: value / ug_m3_per_unit(p) for p, value in in_micrograms.items()}
    # As the score takes it: a corner of the index must not be met from the other side by a rounding.
    exact = {p: value * ug_m3_per_unit(p) / ug_m3_per_unit(p) for p, value in told.items()}
    indices, scores = np.array(SCORE_OF_INDEX).T
    assert score(told) == pytest.approx(float(np.interp(index_of_hour(exact), indices, scores)))
