"""The prior is what errors on given hours say: whom to believe, and how far intervals must reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor.models.calibration import LEADS
from predictor.models.members import MemberForecasts
from predictor.training.fit_calibration import fit_prior
from predictor.training.hindcast import Hindcast

FIRST, HOURS, STATIONS = 490_000, 500, 3
SIZES = np.array([2.0, 4.0, 4.0])
WIDTH = 2.0
"""Intervals are told twice as wide as errors are."""


def made_up(seed: int = 1) -> Hindcast:
    random = np.random.default_rng(seed)
    truth = 50 + 5 * random.standard_normal((HOURS, STATIONS, 4))
    issues = np.arange(FIRST, FIRST + HOURS - 1)
    at = np.minimum(issues[:, None] + np.array(LEADS) - FIRST, HOURS - 1)
    noise = SIZES[:, None, None, None, None] * random.standard_normal((3, len(issues), STATIONS, len(LEADS), 4))
    means = truth[at].swapaxes(1, 2) + noise
    reach = 1.2816 * WIDTH * np.sqrt(8 / 3) * np.array([-1.0, 0.0, 1.0])
    said = tuple(_said(means[:, issue], reach) for issue in range(len(issues)))
    return Hindcast(issues, said, FIRST, truth.astype(np.float32))


def _said(mean: NDArray[np.float64], reach: NDArray[np.float64]) -> MemberForecasts:
    return MemberForecasts(mean.astype(np.float32), (mean[..., None] + reach).astype(np.float32))


@pytest.fixture(scope="module")
def hindcast() -> Hindcast:
    return made_up()


def test_the_prior_is_the_best_mix_with_intervals_that_hold(hindcast: Hindcast) -> None:
    prior = fit_prior([hindcast, made_up(2)], [False, False, False])
    # Independent errors count as the inverse of their squares; the mix errs by sqrt(8/3).
    best = np.array([4, 1, 1]) / 6 * np.ones((len(LEADS), 4, 1))
    np.testing.assert_allclose(prior.stack.weights, best, atol=0.06)
    np.testing.assert_allclose(prior.intervals.reach[..., 2], 1 / WIDTH, atol=0.08)
    np.testing.assert_allclose(prior.intervals.reach[..., 0], -1 / WIDTH, atol=0.08)
    assert prior.hour is None


def test_a_doubted_member_counts_less_the_further_ahead(hindcast: Hindcast) -> None:
    plain, doubted = (fit_prior([hindcast], [doubt, False, False]).stack.weights for doubt in (False, True))
    gone = (plain - doubted)[:, 0, 0]
    assert gone[LEADS.index(1)] < 0.01
    assert gone[LEADS.index(48)] > 0.05


def test_without_hours_there_is_no_prior(hindcast: Hindcast) -> None:
    nothing = replace(hindcast, truth=np.full_like(hindcast.truth, np.nan))
    with pytest.raises(ValueError, match="no hours"):
        fit_prior([nothing], [False, False, False])
    no_ozone = hindcast.truth.copy()
    no_ozone[..., 2] = np.nan
    with pytest.raises(ValueError, match="some pollutant"):
        fit_prior([replace(hindcast, truth=no_ozone)], [False, False, False])
    # Another recording has what one lacks.
    fit_prior([replace(hindcast, truth=no_ozone), hindcast], [False, False, False])
