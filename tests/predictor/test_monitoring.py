"""Scores are what their sums amount to, and the champion is judged by them without wavering."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from air.pollutants import Pollutant
from predictor.maturing import SCORED, SUMS, Sums
from predictor.monitoring.fallback import LEAST_CASES, judge
from predictor.monitoring.scores import ScoreSums, score_of, summed

NOTHING = dict.fromkeys(SUMS, 0.0)
ONE = ScoreSums(
    version="m",
    pollutant=Pollutant.PM25,
    horizon=24,
    all={
        "count": 400.0,
        "error": -800.0,
        "absolute_error": 2000.0,
        "squared_error": 40_000.0,
        "inside": 320.0,
        "compared_count": 300.0,
        "compared_squared_error": 10_000.0,
        "persistence_squared_error": 40_000.0,
    },
    recent={**NOTHING, "count": 100.0, "squared_error": 40_000.0},
    beside={**NOTHING, "count": 300.0, "squared_error": 30_000.0},
    baseline={**NOTHING, "count": 300.0, "squared_error": 30_000.0},
    days_beside=7,
)


def against(horizon: int, champion: float, baseline: float, cases: int = LEAST_CASES) -> ScoreSums:
    """Sums of so many cases with these RMSEs of the champion and of damped persistence."""
    return replace(
        ONE,
        horizon=horizon,
        beside={**NOTHING, "count": cases, "squared_error": cases * champion**2},
        baseline={**NOTHING, "count": cases, "squared_error": cases * baseline**2},
    )


def day(count: float, squared_error: float) -> Sums:
    """A day's sums of PM2.5 an hour ahead alone."""
    sums = np.zeros((len(SCORED), 4, len(SUMS)))
    sums[0, 0, SUMS.index("count")] = count
    sums[0, 0, SUMS.index("squared_error")] = squared_error
    return sums


def test_days_are_summed_and_set_beside_the_baseline_where_it_forecast_the_same() -> None:
    days = {
        ("m", 100): day(10, 1000),
        ("b", 100): day(10, 2000),
        # On this day the baseline has forecast less, on this one not at all.
        ("m", 101): day(10, 500),
        ("b", 101): day(9, 900),
        ("m", 110): day(10, 4000),
    }
    baseline, model = summed(days, baseline="b", newest_day=110)
    assert (model.version, model.pollutant, model.horizon) == ("m", Pollutant.PM25, 1)
    assert (model.all["count"], model.all["squared_error"]) == (30, 5500)
    assert (model.recent["count"], model.recent["squared_error"]) == (10, 4000)
    assert (model.beside["squared_error"], model.baseline["squared_error"], model.days_beside) == (1000, 2000, 1)
    assert baseline.beside == baseline.baseline
    assert baseline.all["count"] == 19


def test_a_score_is_what_its_sums_amount_to() -> None:
    score = score_of(ONE)
    assert (score.count, score.mean_absolute_error, score.root_mean_square_error) == (400, 5.0, 10.0)
    assert (score.bias, score.coverage, score.drift) == (-2.0, 0.8, 2.0)
    assert (score.skill_persistence, score.skill_damped_persistence) == (0.5, 0.0)


def test_what_cannot_be_said_is_left_out() -> None:
    none = replace(
        ONE, all={**ONE.all, "persistence_squared_error": 0.0}, baseline=NOTHING, recent={**ONE.recent, "count": 5.0}
    )
    score = score_of(none)
    assert (score.skill_persistence, score.skill_damped_persistence, score.drift) == (None, None, None)
    perfect = score_of(replace(ONE, all={**ONE.all, "squared_error": 0.0}))
    assert (perfect.root_mean_square_error, perfect.drift) == (0.0, None)


@pytest.mark.parametrize("horizon", [6, 12, 24, 48])
def test_a_champion_behind_at_one_horizon_is_replaced(horizon: int) -> None:
    others = [against(other, 9.0, 10.0) for other in (6, 12, 24, 48) if other != horizon]
    verdict = judge([*others, against(horizon, 10.4, 10.0)], fallback=False)
    assert verdict.fallback
    (alert,) = verdict.alerts
    assert f"+{horizon} h its RMSE is 10.4 µg/m³ against 10.0" in alert


def test_a_hair_is_no_reason_and_few_cases_are_none() -> None:
    assert not judge([against(24, 10.2, 10.0)], fallback=False).alerts
    assert not judge([against(24, 20.0, 10.0, cases=LEAST_CASES - 1)], fallback=False).fallback
    assert not judge([], fallback=True).fallback


def test_a_day_or_two_of_one_weather_replace_nobody_but_who_is_grossly_wrong() -> None:
    assert not judge([replace(against(24, 11.0, 10.0), days_beside=2)], fallback=False).fallback
    assert judge([replace(against(24, 11.0, 10.0), days_beside=3)], fallback=False).fallback
    assert judge([replace(against(24, 16.0, 10.0), days_beside=1)], fallback=False).fallback


def test_only_the_horizons_and_the_pollutant_that_matter_are_judged() -> None:
    assert not judge([against(1, 20.0, 10.0), against(72, 20.0, 10.0)], fallback=False).fallback
    assert not judge([replace(against(24, 20.0, 10.0), pollutant=Pollutant.O3)], fallback=False).fallback


def test_it_comes_back_when_it_has_caught_up_and_does_not_waver_before() -> None:
    fallback, history = False, []
    for excess in (0.00, 0.02, 0.04, 0.02, 0.001, 0.0, 0.02, -0.1):
        fallback = judge([against(24, 10 * (1 + excess), 10.0)], fallback=fallback).fallback
        history.append(fallback)
    assert history == [False, False, True, True, True, False, False, False]


def test_a_perfect_baseline_cannot_be_divided_by() -> None:
    assert judge([against(24, 1.0, 0.0)], fallback=False).fallback
    assert not judge([against(24, 0.0, 0.0)], fallback=False).fallback
    assert math.isfinite(score_of(against(24, 1.0, 0.0)).coverage)
