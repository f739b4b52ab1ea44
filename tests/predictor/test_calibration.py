"""What is learnt of members: the best mix, how far off they are, and how far their intervals must reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from predictor.models.axes import HORIZON_HOURS
from predictor.models.calibration import LEADS, Calibration, Matured
from predictor.models.intervals import Intervals, reached
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.models.stack import Stack, least_error_weights

Floats = NDArray[np.float32]

LEAD_24 = LEADS.index(24)
START = 490_000


UNITS = np.array([1.0, 1.0, 0.001, 0.001])
"""What makes numbers of a like size network units, by pollutant."""


class Network:
    """Made-up air whose best mix of members is known: member m errs by noise of its own size, around a shared bias."""

    def __init__(self, sizes: tuple[float, ...], *, bias: float = 0.0, stations: int = 4) -> None:
        self.random = np.random.default_rng(11)
        self.sizes, self.bias, self.stations = np.array(sizes), bias, stations

    def hour(self, hour: int) -> Matured:
        truth = (40 + 5 * self.random.standard_normal((self.stations, 4))) * UNITS
        noise = self.random.standard_normal((len(self.sizes), self.stations, len(LEADS), 4))
        mean = truth[:, None] + (self.bias + self.sizes[:, None, None, None] * noise) * UNITS
        reach = 1.2816 * self.sizes[:, None, None, None, None] * UNITS[:, None] * np.array([-1.0, 0.0, 1.0])
        said = MemberForecasts(*(x.astype(np.float32) for x in (mean, mean[..., None] + reach)))
        return Matured(hour, np.array(LEADS), said, truth.astype(np.float32))


def at_leads(calibration: Calibration, said: MemberForecasts) -> FieldForecast:
    """What is told of forecasts at LEADS alone."""
    places = np.searchsorted(LEADS, np.arange(1, HORIZON_HOURS + 1))
    everywhere = MemberForecasts(said.mean[:, :, places], said.quantiles[:, :, places])
    return calibration.apply(everywhere).at(LEADS)


def learn(calibration: Calibration, network: Network, hours: range) -> Calibration:
    for hour in hours:
        calibration = calibration.learned(network.hour(hour))
    return calibration


def test_nothing_learnt_is_the_plain_mean() -> None:
    hour = Network((2.0, 5.0)).hour(START)
    told = at_leads(Calibration.neutral(2), hour.said)
    np.testing.assert_allclose(told.mean, hour.said.mean.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(told.quantiles, hour.said.quantiles.mean(axis=0), rtol=1e-4)


def test_the_best_mix_is_found() -> None:
    errors = np.random.default_rng(3).standard_normal((3, 20_000, len(LEADS), 4)) * np.array([2, 4, 4]).reshape(
        3, 1, 1, 1
    )
    learnt = Stack.neutral(3).with_errors(np.arange(len(LEADS)), errors * UNITS, weight=1e5)
    # Independent errors count as the inverse of their squares: 1/4 : 1/16 : 1/16.
    np.testing.assert_allclose(learnt.weights, np.array([4, 1, 1]) / 6 * np.ones((len(LEADS), 4, 1)), atol=0.02)


def test_the_better_member_counts_more_after_two_weeks() -> None:
    learnt = learn(Calibration.neutral(3), Network((2.0, 4.0, 4.0)), range(START, START + 336))
    assert (learnt.stack.weights[..., 0] > 0.38).all()


def test_a_broken_member_is_abandoned_within_days() -> None:
    network = Network((3.0, 3.0, 3.0))
    learnt = learn(Calibration.neutral(3), network, range(START, START + 300))
    for hour in range(START + 300, START + 300 + 3 * 24):
        good = network.hour(hour)
        mean = good.said.mean.copy()
        mean[1] = 900.0
        learnt = learnt.learned(replace(good, said=MemberForecasts(mean, good.said.quantiles)))
    assert (learnt.stack.weights[..., 1] < 0.02).all()


def test_what_is_wrong_with_all_is_taken_off() -> None:
    network = Network((3.0, 3.0), bias=8.0)
    learnt = learn(Calibration.neutral(2), network, range(START, START + 480))
    hour = network.hour(START + 480)
    off = (at_leads(learnt, hour.said).mean - hour.truth[:, None]) / UNITS
    assert abs(off.mean()) < 5.5


def test_one_absurd_instrument_moves_nothing_far() -> None:
    network = Network((3.0, 3.0), stations=40)
    learnt = learn(Calibration.neutral(2), network, range(START, START + 200))
    for hour in range(START + 200, START + 272):
        good = network.hour(hour)
        truth = good.truth.copy()
        truth[7] = 5000.0
        learnt = learnt.learned(replace(good, truth=truth))
    assert np.abs(learnt.stack.bias(learnt.stack.weights) / UNITS).max() < 1.0


def test_intervals_come_to_hold_what_they_promise() -> None:
    random, held = np.random.default_rng(5), []
    intervals, places = Intervals.neutral(), np.arange(len(LEADS))
    widths = np.array([0.5, 1.0, 1.4, 2.0])[:, None]
    said = 1.2816 * widths * np.array([-1.0, 0.0, 1.0]) * np.ones((3, len(LEADS), 4, 1))
    for hour in range(6000):
        # Half of the way on errors become half as large again.
        truth = random.standard_normal((3, 4)) * (1.0 if hour < 3000 else 1.5)
        told = reached(said.astype(np.float32), intervals.reach.astype(np.float32)).astype(np.float64)
        if hour % 3000 >= 1500:
            held.append((told[..., 0] <= truth[:, None]) & (truth[:, None] <= told[..., -1]))
        intervals = intervals.with_misses(places, told, truth, weight=1.0)
    shares = np.stack(held).mean(axis=(0, 1))
    assert shares.min() > 0.78
    assert shares.max() < 0.82


def test_a_long_silence_leads_back_to_the_file() -> None:
    prior = Calibration.neutral(3)
    learnt = learn(prior, Network((2.0, 6.0, 6.0), bias=5.0), range(START, START + 300))
    silent = learnt.learned(nothing_measured(START + 300 + 180 * 24))
    for one, other in ((silent, prior), (learnt, prior)):
        gone = np.abs(one.stack.weights - other.stack.weights).max()
        reach = np.abs(one.intervals.reach - other.intervals.reach).max()
        assert (gone < 0.02 and reach < 0.01) == (one is silent)


def nothing_measured(hour: int) -> Matured:
    return replace(Network((1.0, 1.0, 1.0)).hour(hour), truth=np.full((4, 4), np.nan, dtype=np.float32))


@settings(max_examples=40)
@given(
    truth=arrays(np.float32, (3, 4), elements=st.sampled_from([np.nan, 0.0, 30.0, 1e6, np.inf])),
    said=arrays(np.float32, (2, 3, 2, 4), elements=st.sampled_from([np.nan, 0.0, 30.0, 1e4])),
    late=st.integers(-100, 1000),
)
def test_whatever_is_learnt_what_is_told_stays_sound(truth: Floats, said: Floats, late: int) -> None:
    calibration = learn(Calibration.neutral(2), Network((2.0, 3.0)), range(START, START + 3))
    quantiles = said[..., None] + np.array([-1, 0, 1], dtype=np.float32)
    matured = Matured(START + late, np.array([6, 24]), MemberForecasts(said, quantiles), truth)
    learnt = calibration.learned(matured)
    told = at_leads(learnt, Network((2.0, 3.0)).hour(START).said)
    weights = learnt.stack.weights
    assert np.isfinite(told.mean).all()
    assert (told.mean >= 0).all()
    assert np.isfinite(told.quantiles).all()
    assert (np.diff(told.quantiles, axis=-1) >= 0).all()
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-9)
    assert learnt.hour == START + max(2, late)


@settings(max_examples=60)
@given(
    errors=arrays(np.float64, (7, 3), elements=st.floats(-50, 50).map(lambda x: round(x, 3))),
    other=arrays(np.float64, 3, elements=st.floats(0.01, 1)),
)
def test_no_other_weights_err_less(errors: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    products = errors.T @ errors / len(errors) + 0.1 * np.eye(3)
    best, other = least_error_weights(products), other / other.sum()
    assert best @ products @ best <= (other @ products @ other) * (1 + 1e-5)


def test_hours_without_anything_teach_nothing() -> None:
    learnt = learn(Calibration.neutral(3), Network((2.0, 3.0, 4.0)), range(START, START + 5))
    again = learnt.learned(nothing_measured(START + 4))
    assert again.to_bytes() == learnt.to_bytes()
    no_leads = MemberForecasts(np.zeros((3, 4, 0, 4), np.float32), np.zeros((3, 4, 0, 4, 3), np.float32))
    empty = Matured(START + 4, np.array([], dtype=np.int64), no_leads, np.ones((4, 4), np.float32))
    assert learnt.learned(empty).to_bytes() == learnt.to_bytes()


def test_an_hour_counts_once_in_however_many_parts_it_comes() -> None:
    whole = Network((2.0, 3.0), stations=6).hour(START)
    told = at_leads(Calibration.neutral(2), whole.said)
    parts = [
        Matured(
            whole.hour,
            whole.leads,
            MemberForecasts(whole.said.mean[:, part], whole.said.quantiles[:, part]),
            whole.truth[part],
            FieldForecast(told.mean[part], told.quantiles[part]),
            share=1 / 3,
        )
        for part in (slice(0, 2), slice(2, 4), slice(4, 6))
    ]
    at_once = Calibration.neutral(2).learned(replace(whole, told=told))
    bit_by_bit = Calibration.neutral(2)
    for part in parts:
        bit_by_bit = bit_by_bit.learned(part)
    np.testing.assert_allclose(bit_by_bit.stack.hours, at_once.stack.hours, rtol=1e-9)
    np.testing.assert_allclose(bit_by_bit.stack.weights, at_once.stack.weights, atol=1e-3)
    np.testing.assert_allclose(bit_by_bit.intervals.reach, at_once.intervals.reach, atol=1e-3)


def test_leads_that_are_not_compared_are_refused() -> None:
    matured = replace(Network((1.0,)).hour(START), leads=np.array([*LEADS[:-1], 71]))
    with pytest.raises(ValueError, match="hours ahead are compared"):
        Calibration.neutral(1).learned(matured)


@pytest.mark.parametrize("members", [1, 3])
def test_what_was_learnt_is_kept(members: int) -> None:
    network = Network((2.0, 3.0, 5.0)[:members])
    learnt = learn(Calibration.neutral(members), network, range(START, START + 30))
    kept = learnt.to_bytes()
    assert len(kept) < 100_000
    back = Calibration.from_bytes(kept, members)
    assert back.to_bytes() == kept
    assert back.hour == START + 29
    hour = network.hour(START + 30)
    np.testing.assert_array_equal(at_leads(back, hour.said).quantiles, at_leads(learnt, hour.said).quantiles)
    assert back.learned(hour).to_bytes() == learnt.learned(hour).to_bytes()


def test_what_is_broken_is_refused() -> None:
    kept = Calibration.neutral(3).to_bytes()
    assert Calibration.from_bytes(kept, 3).hour is None
    flipped = bytearray(kept)
    flipped[500] ^= 4
    for content in (b"", b"CAC1", kept[:-8], kept + b"\0" * 8, bytes(flipped), b"XXXX" + kept[4:]):
        with pytest.raises(ValueError, match="calibration"):
            Calibration.from_bytes(content, 3)
    with pytest.raises(ValueError, match="of 2 members"):
        Calibration.from_bytes(kept, 2)
