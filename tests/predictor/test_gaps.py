"""Gaps are drawn over as the nets learnt them: against numpy's own interpolation, and channel by channel."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from predictor.models.channels import CHANNELS, NEAR, OWN, SECTOR
from predictor.models.gaps import fill

_HOURS = 9
_NAN = float("nan")


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float32,
        (2, _HOURS, CHANNELS),
        elements=st.one_of(st.just(_NAN), st.floats(-6, 8, width=32)),
        fill=st.just(_NAN),
    )
)
def test_every_series_with_a_value_is_interpolated(
    inputs: np.ndarray[tuple[int, int, int], np.dtype[np.float32]],
) -> None:
    filled, known = fill(torch.from_numpy(inputs))
    assert np.array_equal(known.numpy(), np.isfinite(inputs))
    assert bool(filled.isfinite().all())
    hour = np.arange(_HOURS)
    for station in range(2):
        for channel in range(CHANNELS):
            there = np.isfinite(inputs[station, :, channel])
            if there.any():
                drawn = np.interp(hour, hour[there], inputs[station, there, channel])
                np.testing.assert_allclose(filled[station, :, channel].numpy(), drawn, rtol=1e-5, atol=1e-5)


def test_what_has_no_value_borrows_from_what_is_nearest() -> None:
    empty = torch.full((1, _HOURS, CHANNELS), _NAN)
    own, near = empty.clone(), empty.clone()
    own[:, 3, OWN] = 2.0
    near[:, 3, NEAR] = 3.0
    assert bool((fill(empty)[0] == 0).all())
    assert bool((fill(own)[0] == 2.0).all())
    filled = fill(near)[0]
    assert bool((filled[..., :4] == 3.0).all())
    assert bool((filled[..., 4 : OWN.stop] == 0).all())
    assert bool((filled[..., SECTOR] == 3.0).all())


def test_the_window_that_was_given_is_left_as_it_was() -> None:
    inputs = torch.full((1, _HOURS, CHANNELS), _NAN)
    inputs[0, 2] = 1.0
    before = inputs.clone()
    fill(inputs)
    assert torch.equal(inputs.nan_to_num(-99), before.nan_to_num(-99))
