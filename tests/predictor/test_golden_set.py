"""No model serves that does not forecast a small network of made-up air as it must."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.calibration import Calibration
from predictor.models.golden_set import answers, examine, examples
from predictor.models.members import MemberForecasts
from predictor.models.model_files import baseline
from predictor.models.observed import Observed

Change = Callable[[MemberForecasts], MemberForecasts]


class Changed:
    """The baseline, but for what a change makes of its answers."""

    name, version, members = "changed", "changed-1", ("damped-persistence",)
    pollutants: tuple[Pollutant, ...] = FORECAST_POLLUTANTS
    prior = Calibration.neutral(1)
    sees_weather = False

    def __init__(self, change: Change) -> None:
        self._change = change

    def knows(self, station_id: str) -> bool:
        return True

    def forecast(self, observed: Observed) -> MemberForecasts:
        return self._change(baseline().model.forecast(observed))


def scaled(mean: float, quantiles: tuple[float, float, float]) -> Change:
    factors = np.array(quantiles, dtype=np.float32)
    return lambda said: MemberForecasts(said.mean * np.float32(mean), said.quantiles * factors)


def always(value: float) -> Change:
    return lambda said: MemberForecasts(np.full_like(said.mean, value), np.full_like(said.quantiles, value))


@functools.cache
def usual() -> float:
    return float(np.mean([case.truth[..., 0].mean() for case in examples()]))


def drifting() -> Change:
    calls = iter(range(1, 100))
    return lambda said: MemberForecasts(said.mean + np.float32(next(calls)), said.quantiles + np.float32(0))


UNSOUND: Mapping[str, tuple[Change, str]] = {
    "not a number": (always(np.nan), "no finite number"),
    "infinite": (always(np.inf), "no finite number"),
    "below nothing": (scaled(-1, (1, 1, 1)), "less than 0"),
    "without bounds": (scaled(1, (1, 1, 1e6)), "more than 100000"),
    "crossed": (scaled(1, (1, 0.1, 1)), "do not ascend"),
    "of its mood": (drifting(), "not say the same twice"),
}
WEAK: Mapping[str, tuple[Change, str]] = {
    "constant": (always(20.0), "says the same of twice the air"),
    "far too high": (scaled(3, (3, 3, 3)), "times the baseline's"),
}


@pytest.mark.parametrize(("change", "why"), UNSOUND.values(), ids=UNSOUND.keys())
def test_what_makes_no_sense_never_serves(change: Change, why: str) -> None:
    model = Changed(change)
    kept = answers(Changed(scaled(1, (1, 1, 1))))
    examination = examine(model, kept, baseline().model)
    assert any(why in fault for fault in examination.unsound), examination


@pytest.mark.parametrize(("change", "why"), WEAK.values(), ids=WEAK.keys())
def test_what_is_of_no_use_is_not_taken_in(change: Change, why: str) -> None:
    model = Changed(change)
    examination = examine(model, answers(model), baseline().model)
    assert not examination.unsound
    assert any(why in fault for fault in examination.weak), examination


def test_a_model_that_answers_otherwise_than_when_it_was_saved_is_found_out() -> None:
    model = Changed(scaled(1, (1, 1, 1)))
    kept = answers(model)
    assert examine(model, kept, baseline().model).unsound == ()
    assert examine(model, kept * np.float32(1 + 5e-4), baseline().model).unsound == ()
    for other in (kept * np.float32(1 + 3e-3), kept[:1], np.zeros_like(kept)):
        assert "it" in examine(model, other, baseline().model).unsound[0]
    assert "save it anew" in examine(model, None, baseline().model).unsound[0]


def test_the_baseline_is_as_good_as_itself() -> None:
    loaded = baseline()
    examination = examine(loaded.model, loaded.golden, loaded.model)
    assert (examination.unsound, examination.weak) == ((), ())
    assert {figure for name, figure in examination.figures.items() if name.startswith("rmse")} == {1.0}
    assert all(0.4 < figure <= 1 for name, figure in examination.figures.items() if name.startswith("coverage"))


def test_the_golden_set_is_the_same_for_ever_and_lacks_what_real_hours_lack() -> None:
    # A release of numpy that draws other numbers would have every file refused: it must not go unseen.
    sums = [float(np.nansum(case.observed.values[..., 0])) for case in examples()]
    assert sums == pytest.approx([33242.77, 28932.80, 28706.46], rel=1e-4)
    for case in examples():
        values = case.observed.values
        gaps = np.isnan(values).mean(axis=(1, 2))
        assert 0.03 < gaps[0] < 0.12
        assert np.isnan(values[3, -30:]).all()
        assert not np.isnan(values[3, :-30]).all()
        assert np.isnan(values[4]).all()
        assert np.isfinite(case.truth).all()
        assert (case.truth > 0).all()
    assert {bool(case.observed.weather.observed.isnan().all()) for case in examples()} == {True, False}
