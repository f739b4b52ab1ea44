"""Distances agree with geopy's, on the same sphere."""

from __future__ import annotations

import numpy as np
import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from air.geodesy import EARTH_RADIUS_M, distance_m

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@given(latitudes, longitudes, latitudes, longitudes)
def test_it_is_the_great_circle(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> None:
    ours = float(distance_m(np.array(lat_a), np.array(lon_a), np.array(lat_b), np.array(lon_b)))
    theirs = great_circle((lat_a, lon_a), (lat_b, lon_b), radius=EARTH_RADIUS_M / 1000).meters
    # Near the antipode the haversine loses digits: a millionth of the way round.
    assert ours == pytest.approx(theirs, rel=1e-9, abs=0.5 if ours > 1.9e7 else 1e-3)


def test_shapes_broadcast() -> None:
    column, row = np.array([[37.5], [37.6]]), np.array([126.9, 127.0, 127.1])
    assert distance_m(column, row, np.array(37.5), np.array(127.0)).shape == (2, 3)
