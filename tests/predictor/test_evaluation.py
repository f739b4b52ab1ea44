"""Scores are what plain loops make of the same forecasts, and no forecaster sees what is still to come."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.day_ahead import HORIZONS, RightGrades, right_grades
from predictor.evaluation.errors import ALARM_PROBABILITY, exceedance_probability
from predictor.evaluation.evaluating import Evaluation, evaluate
from predictor.evaluation.forecasters import Climatology, Forecaster, Forecasts, Persistence
from predictor.evaluation.known_weather import KnownWeather
from predictor.evaluation.learning_forecaster import LearningForecaster
from predictor.evaluation.model_forecasters import ModelForecaster
from predictor.evaluation.seasons import Season, seasons_of
from predictor.models.model_file import SHIPPED, LoadedModel, load
from predictor.training.hourly_file import Hours, HoursUnusable, read_hours
from predictor.training.scores import SCORED_HOURS
from tests.predictor.air import plain_model
from tests.predictor.recorded_hours import FIRST_HOUR, STATIONS, made_up_hours, write_hours

HOURS = 520
ISSUES = np.arange(340, HOURS, 7)
PLACES = [Station(name, name, Point(37.5, 127.0 + place / 100), Network.URBAN) for place, name in enumerate(STATIONS)]


@pytest.fixture(scope="module")
def hours() -> Hours:
    return made_up_hours(HOURS)


def forecasters_of(hours: Hours) -> list[Forecaster]:
    model = ModelForecaster("shipped", plain_model(damping=0.7, spread=0.4), hours, PLACES, KnownWeather(None))
    return [Persistence(hours), Climatology(hours), model]


def all_forecasters_of(hours: Hours) -> list[Forecaster]:
    return [*forecasters_of(hours), LearningForecaster("ensemble", load(SHIPPED), hours, PLACES, KnownWeather(None))]


@pytest.fixture(scope="module")
def evaluation(hours: Hours) -> Evaluation:
    return evaluate(hours, forecasters_of(hours), ISSUES, ISSUES, damped="shipped")


Case = tuple[float, dict[str, tuple[float, float, float, float]]]
"""What was measured; and by forecaster 10, 50 and 90 % quantiles and the mean."""


def cases(hours: Hours, pollutant: Pollutant, horizon: int) -> list[Case]:
    axis = FORECAST_POLLUTANTS.index(pollutant)
    found: list[Case] = []
    for issue in ISSUES.tolist():
        for station in range(len(hours.stations)):
            series = hours.values[:, station, axis]
            if issue + horizon >= HOURS or math.isnan(series[issue + horizon]):
                continue
            last = next((series[issue - back] for back in range(4) if not math.isnan(series[issue - back])), math.nan)
            days = [series[at] for at in range(issue + 1) if (issue + horizon - at) % 24 == 0]
            usual = float(np.nanmean(days))
            low, middle, high = told_by_the_model(series[: issue + 1])
            if math.isnan(last):
                continue
            told = {
                "persistence": (last, last, last, last),
                "climatology": (usual, usual, usual, usual),
                "shipped": (low, middle, high, 0.3 * low + 0.4 * middle + 0.3 * high),
            }
            found.append((float(series[issue + horizon]), told))
    return found


def told_by_the_model(known: NDArray[np.float64]) -> list[float]:
    """Quantiles of the plain model: they are the same at all horizons while there is a value of the last day."""
    newest = next(value for value in reversed(known[-25:].tolist()) if not math.isnan(value))
    middle = math.log(11) + 0.7 * (math.log(newest + 1) - math.log(11))
    return [max(0.0, math.exp(middle + spread) - 1) for spread in (-0.4, 0.0, 0.4)]


@pytest.mark.parametrize("pollutant", [Pollutant.PM25, Pollutant.O3])
@pytest.mark.parametrize("horizon", SCORED_HOURS)
def test_scores_are_those_of_plain_loops(
    hours: Hours, evaluation: Evaluation, pollutant: Pollutant, horizon: int
) -> None:
    found = cases(hours, pollutant, horizon)
    rmse = {
        name: math.sqrt(math.fsum((told[name][3] - truth) ** 2 for truth, told in found) / len(found))
        for name in ("persistence", "climatology", "shipped")
    }
    for score in evaluation.scores:
        if (score.pollutant, score.horizon_hours) != (pollutant, horizon):
            continue
        mine = [(truth, told[score.forecaster]) for truth, told in found]
        pinball = [
            (level if truth >= told[place] else level - 1) * (truth - told[place])
            for truth, told in mine
            for place, level in enumerate((0.1, 0.5, 0.9))
        ]
        assert score.count == len(found) > 30
        # Models calculate in float32, on a logarithmic scale of concentrations + 1.
        near = 1e-4 if pollutant is Pollutant.PM25 else 1e-2
        assert score.mae == pytest.approx(np.mean([abs(told[1] - truth) for truth, told in mine]), rel=near)
        assert score.bias == pytest.approx(np.mean([told[3] - truth for truth, told in mine]), rel=near, abs=near)
        assert score.rmse == pytest.approx(rmse[score.forecaster], rel=near)
        assert score.pinball == pytest.approx(np.mean(pinball), rel=near)
        assert score.skill_persistence == pytest.approx(1 - rmse[score.forecaster] / rmse["persistence"], abs=near)
        assert score.skill_damped_persistence == pytest.approx(1 - rmse[score.forecaster] / rmse["shipped"], abs=near)
        inside = np.mean([told[0] <= truth <= told[2] for truth, told in mine])
        assert score.coverage == (pytest.approx(inside) if score.forecaster == "shipped" else None)


def test_alarms_are_those_of_plain_loops(hours: Hours, evaluation: Evaluation) -> None:
    for one in evaluation.exceedances:
        if one.forecaster == "climatology":
            continue
        found = cases(hours, Pollutant.PM25, one.horizon_hours)
        announced = [alarm(told[one.forecaster]) for _, told in found]
        above = [truth > 35 for truth, _ in found]
        hits = sum(a and b for a, b in zip(announced, above, strict=True))
        assert (one.count, one.observed, one.announced, one.hits) == (len(found), sum(above), sum(announced), hits)
        assert one.pod == pytest.approx(hits / sum(above))
        assert one.far == (pytest.approx(1 - hits / sum(announced)) if any(announced) else None)
        either = sum(a or b for a, b in zip(announced, above, strict=True))
        assert one.f1 == pytest.approx(2 * hits / (either + hits))


def test_probabilities_are_scored_as_plain_loops_do(hours: Hours, evaluation: Evaluation) -> None:
    for one in evaluation.exceedances:
        if one.forecaster != "shipped":
            continue
        found = cases(hours, Pollutant.PM25, one.horizon_hours)
        pairs = [(probability(told["shipped"]), truth > 35) for truth, told in found]
        usual = sum(above for _, above in pairs) / len(pairs)
        brier = np.mean([(chance - above) ** 2 for chance, above in pairs])
        assert one.brier == pytest.approx(brier, rel=1e-3)
        assert one.brier_skill == pytest.approx(1 - brier / (usual * (1 - usual)), abs=1e-3)
        assert sum(each.count for each in one.reliability) == one.count
        assert sum(each.count * each.observed for each in one.reliability) == pytest.approx(one.observed)
        assert sum(each.count * each.probability for each in one.reliability) == pytest.approx(
            sum(chance for chance, _ in pairs), rel=1e-3
        )
        assert all(first.probability < then.probability for first, then in pairwise(one.reliability))


def probability(told: tuple[float, float, float, float]) -> float:
    low, middle, high, _ = told
    width = (high - middle if middle < 35 else middle - low) / 1.2815515655446004
    return 0.5 * math.erfc((35 - middle) / width / math.sqrt(2))


def alarm(told: tuple[float, float, float, float]) -> bool:
    low, middle, high, _ = told
    return middle > 35 if high == low else probability(told) >= ALARM_PROBABILITY


def test_the_probability_is_that_of_the_quantiles() -> None:
    told = Forecasts(np.array([20.0]), np.array([[10.0, 20.0, 40.0]]))
    for limit, probability in ((10.0, 0.9), (20.0, 0.5), (40.0, 0.1)):
        assert exceedance_probability(told, limit).tolist() == pytest.approx([probability])


def test_nobody_sees_what_is_still_to_come(hours: Hours) -> None:
    issue = 400
    other = hours.values.copy()
    other[issue + 1 :] = 777.0
    for before, after in zip(
        all_forecasters_of(hours), all_forecasters_of(Hours(hours.stations, hours.first_hour, other)), strict=True
    ):
        one, two = (f.forecast(np.array([350, issue]), np.arange(1, 73)) for f in (before, after))
        np.testing.assert_array_equal(one.mean, two.mean)
        np.testing.assert_array_equal(one.median, two.median)


def test_what_came_last_is_seen(hours: Hours) -> None:
    issue = 400
    other = hours.values.copy()
    other[issue] = 777.0
    for before, after in zip(
        all_forecasters_of(hours), all_forecasters_of(Hours(hours.stations, hours.first_hour, other)), strict=True
    ):
        one, two = (f.forecast(np.array([issue]), np.array([24])) for f in (before, after))
        assert (one.mean != two.mean).all()


def test_a_model_learns_from_what_came_and_tells_what_it_told_then(hours: Hours) -> None:
    loaded = LoadedModel(plain_model(damping=0.7, spread=0.4), "0" * 64)
    issues, horizons = np.arange(340, 400), np.array([1, 24])
    learning = LearningForecaster("learning", loaded, hours, PLACES, KnownWeather(None))
    told = learning.forecast(issues, horizons)
    plain = ModelForecaster("plain", loaded.model, hours, PLACES, KnownWeather(None)).forecast(issues, horizons)
    # At the first issue hour nothing has come true; what is told is rounded.
    np.testing.assert_allclose(told.mean[0], plain.mean[0], atol=6e-3)
    assert np.abs(told.mean[-1] - plain.mean[-1]).max() > 0.05
    again = learning.forecast(issues[[10, -1]], horizons)
    np.testing.assert_allclose(again.mean, told.mean[[10, -1]], atol=6e-3)


def test_scores_by_season_are_those_of_its_issue_hours(hours: Hours) -> None:
    # The hours begin on 1 December; begun 72 days later, spring begins among the issue hours.
    late = Hours(hours.stations, hours.first_hour + 72 * 24, hours.values)
    whole = evaluate(late, forecasters_of(late), ISSUES, ISSUES[:0], damped="shipped")
    assert [each.season for each in whole.seasons] == [Season.WINTER, Season.SPRING]
    for each in whole.seasons:
        of_season = ISSUES[seasons_of(ISSUES + late.first_hour) == each.season]
        alone = evaluate(late, forecasters_of(late), of_season, ISSUES[:0], damped="shipped")
        assert each.scores == alone.scores
    assert sum(each.scores[0].count for each in whole.seasons) == whole.scores[0].count


def test_months_have_their_seasons() -> None:
    months = np.arange("2025-01", "2026-01", dtype="datetime64[M]")
    hours = months.astype("datetime64[h]").astype(np.int64) - 9
    names = ["winter"] * 2 + ["spring"] * 3 + ["summer"] * 3 + ["autumn"] * 3 + ["winter"]
    assert seasons_of(hours).tolist() == names
    assert seasons_of(hours[2:3] - 1).tolist() == ["winter"]


def test_the_likeliest_grade_is_told_by_the_middle_of_the_day() -> None:
    # A skewed forecast: its mean lies in the next grade, its median not.
    hours = Hours(("중구",), FIRST_HOUR, np.full((72, 1, 4), 30.0))
    days, right, _ = right_grades(hours, [_Skewed()], np.arange(48))
    assert (days, right) == (2, {"skewed": RightGrades(by_mean=0, likeliest=2)})


class _Skewed:
    """Expects 40 on average, and less than 31 as often as not."""

    name = "skewed"
    tells = "A skewed forecast."

    def forecast(self, issues: NDArray[np.int64], horizons: NDArray[np.int64]) -> Forecasts:
        shape = (len(issues), 1, len(horizons), 4)
        return Forecasts(np.full(shape, 40.0), np.ones((*shape, 3)) * np.array([25.0, 31.0, 70.0]))


def test_persistence_is_silent_after_three_hours_without_a_value() -> None:
    values = np.full((10, 1, 4), np.nan)
    values[2] = 30.0
    told = Persistence(Hours(("중구",), FIRST_HOUR, values)).forecast(np.arange(2, 8), np.array([1])).mean[:, 0, 0, 0]
    np.testing.assert_array_equal(told, [30.0, 30.0, 30.0, 30.0, np.nan, np.nan])


def test_tomorrow_is_the_24_hours_after_midnight_in_korea() -> None:
    # Each day has one grade, the hour labelled 24 h its last; FIRST_HOUR is 1 h of its day.
    days = [10.0, 30.0, 60.0, 90.0, 10.0]
    values = np.repeat(days, 24)[:, None, None] * np.ones((1, 1, 4))
    hours = Hours(("중구",), FIRST_HOUR, values)
    count, right, grades = right_grades(hours, [Persistence(hours), _Knowing(hours)], np.arange(24 * len(days)))
    assert count == 4
    assert right == {"persistence": RightGrades(0, 0), "knowing": RightGrades(4, 4)}
    assert grades == dict.fromkeys(Grade, 1)


class _Knowing:
    """Tells what will be measured."""

    name = "knowing"
    tells = "What will be measured."

    def __init__(self, hours: Hours) -> None:
        self._values = hours.values

    def forecast(self, issues: NDArray[np.int64], horizons: NDArray[np.int64]) -> Forecasts:
        assert horizons.tolist() == HORIZONS.tolist()
        return Forecasts(self._values[issues[:, None] + horizons].transpose(0, 2, 1, 3))


def test_a_file_gives_back_its_hours(tmp_path: Path, hours: Hours) -> None:
    read = read_hours(write_hours(hours, tmp_path / "hours.parquet"))
    assert (read.stations, read.first_hour) == (hours.stations, hours.first_hour)
    np.testing.assert_array_equal(read.values, hours.values)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hours.parquet"
    with pytest.raises(HoursUnusable, match=r"hours\.parquet cannot be used"):
        read_hours(file)
    file.write_bytes(b"not Parquet")
    with pytest.raises(HoursUnusable, match=r"hours\.parquet cannot be used"):
        read_hours(file)


def test_gradient_boosting_sees_nothing_that_is_still_to_come() -> None:
    pytest.importorskip("lightgbm")
    from predictor.evaluation.gradient_boosting import GradientBoosting

    hours = made_up_hours(700)
    until, issue = 600, 640
    other = hours.values.copy()
    # A fit to earlier hours and a forecast: neither may know what came after.
    other[issue + 1 :] = 777.0
    one, two = (
        GradientBoosting(own, own, until).forecast(np.array([issue]), np.array([1, 24]))
        for own in (hours, Hours(hours.stations, hours.first_hour, other))
    )
    np.testing.assert_array_equal(one.mean, two.mean)
    assert np.isfinite(one.mean).any()
