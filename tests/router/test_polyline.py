"""Lines as text, as the polyline package reads them."""

from __future__ import annotations

import numpy as np
import polyline
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.polyline import encode

PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(line=st.lists(PLACES, min_size=1, max_size=20), decimals=st.sampled_from([5, 6, 7]))
def test_what_is_read_back_is_the_line(line: list[tuple[float, float]], decimals: int) -> None:
    read = polyline.decode(encode(np.array(line), decimals), decimals)
    np.testing.assert_allclose(np.array(read), np.array(line), atol=0.5000001 * 10.0**-decimals)


def test_the_example_of_the_format() -> None:
    line = np.array([(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)])
    assert encode(line, 5) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@pytest.mark.parametrize("line", [[(0.0, 0.0)], [(0.0, 0.0), (0.0, 0.0)], [(-90.0, -180.0), (90.0, 180.0)]])
def test_the_ends_of_the_world(line: list[tuple[float, float]]) -> None:
    assert encode(np.array(line), 5) == polyline.encode(line, 5)
