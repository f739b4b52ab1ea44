"""Of the weather an evaluation knows what was known at each hour, and says where it was made up."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from predictor.evaluation.known_weather import NO_WEATHER, KnownWeather, weather_known
from predictor.models.weather_input import Weather
from tests.predictor.recorded_hours import FIRST_HOUR, write_weather

ISSUE = FIRST_HOUR + 30
TEMPERATURE = 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_weather(200, tmp_path / "weather.csv")


@pytest.fixture
def file_with_forecasts(tmp_path: Path) -> Path:
    """Of noon and 13 h on 2 December it was foretold twice how warm it would be."""
    file = tmp_path / "weather.csv"
    head = "time_kst,issued_kst,temp_c,rh_pct,wind_ms,wind_dir_deg,precip_mm,cloud_tenths"
    forecasts = [
        "2025-12-02 12:00:00,2025-12-02 05:00:00,4,50,2,90,0,7",
        "2025-12-02 13:00:00,2025-12-02 05:00:00,5,50,2,90,0,7",
        "2025-12-02 12:00:00,2025-12-02 08:00:00,6,50,2,90,0,7",
    ]
    observed = [f"2025-12-02 {hour:02}:00:00,,{hour},50,2,90,0,7" for hour in range(24)]
    file.write_text("\n".join([head, *observed, *forecasts]) + "\n", encoding="utf-8")
    return file


def test_nothing_after_the_issue_hour_is_known(file: Path) -> None:
    known = weather_known(file, as_forecast=False)
    now = known.at(3, ISSUE)
    assert now.observed.shape == (3, 168, 6)
    assert now.foreseen.shape == (3, 72, 7)
    assert bool(now.foreseen.isnan().all())
    # Of the 31 hours up to the issue hour, all; before the file begins, nothing.
    assert now.observed[..., TEMPERATURE].isfinite().sum(dim=1).tolist() == [31] * 3
    assert float(now.observed[0, -1, TEMPERATURE]) == 30 % 24 / 4
    assert "no forecasts" in known.told


def test_later_weather_is_made_as_wrong_as_a_forecast_and_said_to_be(file: Path) -> None:
    known = weather_known(file, as_forecast=True)
    told = known.at(2, ISSUE).foreseen
    came = torch.tensor([(31 + hour) % 24 / 4 for hour in range(72)])
    error = told[0, :, TEMPERATURE] - came
    assert 0.3 < float(error.abs().mean()) < 4
    assert torch.equal(told[0], told[1])
    assert torch.equal(weather_known(file, as_forecast=True).at(1, ISSUE).foreseen[0], told[0])
    assert not torch.equal(known.at(1, ISSUE + 1).foreseen[0, :-1], told[0, 1:])
    assert "NOT FORECAST" in known.told


@pytest.mark.parametrize(
    ("issue_kst", "noon", "one_o_clock"), [(4, None, None), (5, 4.0, 5.0), (7, 4.0, 5.0), (8, 6.0, 5.0)]
)
def test_the_newest_forecast_by_then_is_known(
    file_with_forecasts: Path, issue_kst: int, noon: float | None, one_o_clock: float | None
) -> None:
    known = weather_known(file_with_forecasts, as_forecast=True)
    now: Weather = known.at(1, FIRST_HOUR + 23 + issue_kst)
    told = now.foreseen[0, [11 - issue_kst, 12 - issue_kst], TEMPERATURE]
    expected = torch.tensor([torch.nan if each is None else each for each in (noon, one_o_clock)])
    torch.testing.assert_close(told, expected, equal_nan=True)
    assert float(now.observed[0, -1, TEMPERATURE]) == issue_kst
    assert "NOT FORECAST" not in known.told


def test_without_a_file_nothing_is_known() -> None:
    known = KnownWeather(None)
    assert bool(known.at(2, ISSUE).observed.isnan().all())
    assert known.told == NO_WEATHER
