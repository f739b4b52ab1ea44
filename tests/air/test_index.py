"""The Korean index: its published corners, its added points, and what the network itself has published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from air.geodesy import Floats
from air.index import (
    ENGLISH,
    GRADES,
    KOREAN,
    Grade,
    foreseen_mean,
    grade_of,
    index_of_hour,
    index_of_hours,
    sub_index,
    sub_indices,
)
from air.pollutants import Pollutant, ug_m3_per_unit
from tests.air.index_by_hand import index_by_hand
from tests.backing.recorded_air import recorded_air

Flags = NDArray[np.bool_]

_CLEAN = {Pollutant.O3: 0.010, Pollutant.NO2: 0.010, Pollutant.CO: 0.3, Pollutant.SO2: 0.002}
_PARTICLES = (Pollutant.PM10, Pollutant.PM25)


def _hours(**hourly: list[float] | float) -> dict[Pollutant, Floats]:
    """Clean air of twelve hours but for what is given: one value for all hours, or one an hour."""
    given_hours = {Pollutant(name): np.array(values, dtype=np.float64) for name, values in hourly.items()}
    count = max((len(np.atleast_1d(values)) for values in given_hours.values()), default=1)
    count = max(count, 12)
    return {p: np.broadcast_to(given_hours.get(p, np.array(_CLEAN.get(p, 10.0))), count).copy() for p in Pollutant}


def _kept(values: Floats, hour: int) -> dict[Pollutant, float | None]:
    row = values[hour]
    return {p: None if np.isnan(value) else float(value) for p, value in zip(Pollutant, row, strict=True)}


def _some_hours() -> st.SearchStrategy[Floats]:
    """Up to twenty hours of all pollutants with holes, in the network's decimals, from clean air to a storm."""
    particle = st.one_of(st.just(np.nan), st.integers(0, 60), st.integers(0, 700)).map(float)
    gas = st.one_of(st.just(np.nan), st.integers(0, 70), st.integers(0, 400)).map(lambda value: value / 1000)
    carbon = st.one_of(st.just(np.nan), st.integers(0, 200)).map(lambda value: value / 10)
    by_pollutant = {Pollutant.CO: carbon} | dict.fromkeys(_PARTICLES, particle)
    row = st.tuples(*(by_pollutant.get(pollutant, gas) for pollutant in Pollutant))
    return st.lists(row, min_size=1, max_size=20).map(np.array)


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


@given(_some_hours())
def test_every_hour_is_as_reckoned_by_hand(values: Floats) -> None:
    found = index_of_hours({pollutant: values[:, i] for i, pollutant in enumerate(Pollutant)})
    for hour, index in enumerate(found):
        first = max(0, hour - 11)
        expected = index_by_hand([_kept(values, past) for past in range(first, hour + 1)])
        assert (None if np.isnan(index) else int(index)) == expected


@given(_some_hours(), st.integers(1, 4))
def test_stations_side_by_side_do_not_touch_each_other(values: Floats, stations: int) -> None:
    alone = index_of_hours({pollutant: values[:, i] for i, pollutant in enumerate(Pollutant)})
    grid = {p: np.repeat(values[:, i, None], stations, axis=1) for i, p in enumerate(Pollutant)}
    assert np.array_equal(index_of_hours(grid), np.repeat(alone[:, None], stations, axis=1), equal_nan=True)


@given(st.sampled_from(Pollutant), st.lists(st.one_of(st.floats(0, 700), st.just(np.nan)), max_size=9))
def test_many_sub_indices_are_those_of_each(pollutant: Pollutant, concentrations: list[float]) -> None:
    alone = [sub_index(pollutant, value) for value in concentrations]
    assert np.array_equal(sub_indices(pollutant, np.array(concentrations)), alone, equal_nan=True)


def test_particles_count_by_their_foreseen_mean() -> None:
    # Twelve hours of 40: each of the last four counts 30, so (40 + 30) / 2 = 35, the end of 보통.
    assert foreseen_mean(Pollutant.PM25, _hours(PM25=40.0)[Pollutant.PM25])[-1] == pytest.approx(35.0)
    assert index_of_hours(_hours(PM25=40.0))[-1] == 100
    # A sudden peak of 100 is more than 1.7 times the mean of 17.5, and counts in full: (17.5 + 32.5) / 2 = 25.
    assert index_of_hours(_hours(PM25=[10.0] * 11 + [100.0]))[-1] == round(51 + 49 / 19 * (25 - 16))


def test_three_quarters_of_the_hours_are_enough() -> None:
    nine = _hours(PM10=[np.nan, 20, 20, np.nan, 20, 20, 20, 20, np.nan, 20, 20, 20])
    assert index_of_hours(nine)[-1] == round(50 / 30 * 20)
    assert np.isnan(index_of_hours(_hours(PM10=[np.nan] * 4 + [20.0] * 8))[-1])
    assert np.isnan(index_of_hours(_hours(PM10=[20.0] * 10 + [np.nan] * 2))[-1])


def test_an_hour_without_particles_may_have_an_index() -> None:
    hours = _hours(PM10=[20.0] * 11 + [np.nan], PM25=[5.0] * 11 + [np.nan])
    assert index_of_hours(hours)[-1] == round(50 / 30 * 20)


@pytest.mark.parametrize(("pollutant", "is_needed"), [("O3", True), ("NO2", True), ("SO2", False), ("CO", False)])
def test_ozone_and_nitrogen_dioxide_are_needed_in_the_hour(pollutant: str, is_needed: bool) -> None:  # noqa: FBT001
    hours = _hours()
    hours[Pollutant(pollutant)][-1] = np.nan
    assert np.isnan(index_of_hours(hours)[-1]) == is_needed
    del hours[Pollutant(pollutant)]
    assert np.isnan(index_of_hours(hours)[-1]) == is_needed


def test_grades_have_the_networks_numbers_and_names() -> None:
    assert [(number, KOREAN[grade], ENGLISH[grade]) for number, grade in GRADES.items()] == [
        (1, "좋음", "Good"),
        (2, "보통", "Moderate"),
        (3, "나쁨", "Unhealthy"),
        (4, "매우나쁨", "Very unhealthy"),
    ]


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


@pytest.mark.real_data
def test_the_index_is_the_published_one_in_a_recorded_year(real_data: Path) -> None:
    air = recorded_air(real_data)
    found = index_of_hours(air.values)
    full = np.isfinite(air.index) & np.isfinite(found)
    for pollutant in _PARTICLES:
        full &= _all_of_twelve(np.isfinite(air.values[pollutant]))
    error = np.abs(found - air.index)[full]
    assert len(error) > 1_000_000
    assert np.mean(error <= 1) >= 0.99
    # Where no hour before went uncollected, there is an index where the network has one, and nowhere else.
    comparable = _all_of_twelve(air.collected)
    assert np.mean(np.isfinite(found) == np.isfinite(air.index), where=comparable) > 0.995


def _all_of_twelve(known: Flags) -> Flags:
    count = np.cumsum(known, axis=0, dtype=np.int32)
    every = np.zeros_like(known)
    every[12:] = count[12:] - count[:-12] == 12
    return every
