"""The Korean index: its published corners, its added points, and what the network itself has published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.index import Grade, grade_of, index_of_hour, sub_index
from air.pollutants import Pollutant, ug_m3_per_unit


@pytest.mark.parametrize(
    ("pollutant", "concentration", "index"),
    [
        (Pollutant.PM25, 0, 0),
        (Pollutant.PM25, 15, 50),
        (Pollutant.PM25, 16, 51),
        (Pollutant.PM25, 35, 100),
        (Pollutant.PM25, 75, 250),
        (Pollutant.PM25, 500, 500),
        (Pollutant.PM25, 900, 500),
        (Pollutant.PM10, 80, 100),
        (Pollutant.O3, 0.030, 50),
        (Pollutant.O3, 0.090, 100),
        (Pollutant.NO2, 0.200, 250),
        (Pollutant.CO, 9, 100),
        (Pollutant.SO2, 0.05, 100),
    ],
)
def test_corners_of_the_published_table(pollutant: Pollutant, concentration: float, index: float) -> None:
    assert sub_index(pollutant, concentration) == pytest.approx(index)


@given(st.sampled_from(Pollutant), st.floats(0, 700), st.floats(0, 700))
def test_more_is_never_better(pollutant: Pollutant, one: float, other: float) -> None:
    scale = 1.0 if pollutant in {Pollutant.PM25, Pollutant.PM10} else 0.001
    less, more = sorted((one * scale, other * scale))
    assert sub_index(pollutant, less) <= sub_index(pollutant, more)


def test_two_unhealthy_pollutants_add_fifty_three_seventy_five() -> None:
    assert index_of_hour({Pollutant.PM25: 75, Pollutant.NO2: 0.01}) == pytest.approx(250)
    assert index_of_hour({Pollutant.PM25: 75, Pollutant.PM10: 150}) == pytest.approx(300)
    assert index_of_hour({Pollutant.PM25: 75, Pollutant.PM10: 150, Pollutant.O3: 0.15}) == pytest.approx(325)
    assert index_of_hour({}) == 0


@pytest.mark.parametrize(
    ("index", "grade"),
    [
        (50, Grade.GOOD),
        (51, Grade.MODERATE),
        (100, Grade.MODERATE),
        (101, Grade.UNHEALTHY),
        (250, Grade.UNHEALTHY),
        (251, Grade.VERY_UNHEALTHY),
        (575, Grade.VERY_UNHEALTHY),
    ],
)
def test_grades(index: float, grade: Grade) -> None:
    assert grade_of(index) is grade


def test_ppm_at_25_degrees() -> None:
    # WHO 2021 gives 1 ppb NO2 as 1.88 µg/m³ and 1 ppb O3 as 1.96 µg/m³.
    assert ug_m3_per_unit(Pollutant.NO2) / 1000 == pytest.approx(1.88, abs=0.005)
    assert ug_m3_per_unit(Pollutant.O3) / 1000 == pytest.approx(1.96, abs=0.005)
    assert ug_m3_per_unit(Pollutant.PM25) == 1


@pytest.mark.real_data
def test_no_published_index_is_below_that_of_a_gas(real_data: Path) -> None:
    """Gases count by their hour, so the published index of 664 stations is theirs at least."""
    name = "airkorea_getCtprvnRltmMesureDnsty_ver1.0_nationwide_20260316T0800_items.json"
    rows = json.loads((real_data / "api_samples" / name).read_text(encoding="utf-8"))
    gases = {Pollutant.O3: "o3Value", Pollutant.NO2: "no2Value", Pollutant.SO2: "so2Value"}
    compared = 0
    for row in rows:
        if not (row["khaiValue"] or "-").isdigit() or any((row[name] or "-") == "-" for name in gases.values()):
            continue
        least = max(sub_index(pollutant, float(row[name])) for pollutant, name in gases.items())
        # Published gases are rounded to 0.001 ppm: half of that is up to two points.
        assert int(row["khaiValue"]) >= least - 2
        compared += 1
    assert compared > 500
