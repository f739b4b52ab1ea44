"""Files of recorded weather as the nets read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from predictor.training.hourly_file import HoursUnusable
from predictor.training.weather_file import read_weather

HEAD = "time_kst,temp_c,rh_pct,wind_ms,wind_dir_deg,precip_mm,cloud_tenths"
FIRST_HOUR = 490_144
"""2025-12-01T01 in Korea."""


def weather(folder: Path, *lines: str) -> Path:
    file = folder / "weather.csv"
    file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return file


def test_wind_is_told_by_where_it_blows_to(tmp_path: Path) -> None:
    recorded = read_weather(
        weather(
            tmp_path,
            "2025-12-01 01:00:00,3.5,61,4,270,,7",
            "2025-12-01 02:00:00,3.0,63,2,180,0.4,",
            "2025-12-01 04:00:00,2.0,,0,0,,2",
        )
    )
    assert recorded.first_hour == FIRST_HOUR
    expected = [
        [3.5, 61, 4, 0, 4, 0, 7],
        [3.0, 63, 0, 2, 2, 0.4, np.nan],
        [np.nan] * 7,
        [2.0, np.nan, 0, 0, 0, 0, 2],
    ]
    np.testing.assert_allclose(recorded.values, expected, atol=1e-5)


def test_hours_outside_the_file_are_not_known(tmp_path: Path) -> None:
    recorded = read_weather(weather(tmp_path, "2025-12-01 01:00:00,3.5,61,4,270,,7"))
    around = recorded.between(FIRST_HOUR - 2, 4)
    assert np.isfinite(around[:, 0]).tolist() == [False, False, True, False]
    assert np.isnan(recorded.between(0, 5)).all()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), "has no rows"),
        (("noon,1,1,1,1,1,1",), "time_kst must be a timestamp"),
        (("2025-12-01 01:00:00,warm,61,4,270,,7",), "temp_c does not hold numbers"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(HoursUnusable, match=why):
        read_weather(weather(tmp_path, *lines))


def test_a_column_that_lacks_is_named(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text("time_kst,temp_c\n2025-12-01 01:00:00,3\n", encoding="utf-8")
    with pytest.raises(HoursUnusable, match="no column rh_pct"):
        read_weather(file)
