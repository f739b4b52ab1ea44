"""The window holds the last hours of each station, gaps and all, however they came."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.window import Reading, ReadingWindow, hour_of, time_of
from tests.predictor.air import HOUR, JONGNO, JUNG, NOON, TYPICAL, reading

NOTHING = (None,) * 4


def pm25(window: ReadingWindow, station_id: str = JONGNO.station_id) -> list[float]:
    return [round(float(value), 3) for value in window.stations[station_id].values[:, 0]]


def test_hours_and_times_are_each_others_inverse() -> None:
    assert time_of(hour_of(NOON)) == NOON
    assert hour_of(NOON + timedelta(minutes=59)) == hour_of(NOON)


def test_hours_that_did_not_come_are_gaps() -> None:
    window, changed = ReadingWindow(5).with_readings([reading(measured_at=NOON - 3 * HOUR), reading()])
    assert changed == {JONGNO.station_id}
    assert pm25(window) == pytest.approx([math.nan, 20, math.nan, math.nan, 20], nan_ok=True)
    assert window.stations[JONGNO.station_id].newest_hour == hour_of(NOON)


def test_a_correction_replaces_the_hour() -> None:
    window, _ = ReadingWindow(3).with_readings([reading(measured_at=NOON - HOUR), reading()])
    corrected, changed = window.with_readings([reading(measured_at=NOON - HOUR, values=(99, None, None, None))])
    assert changed == {JONGNO.station_id}
    assert pm25(corrected) == pytest.approx([math.nan, 99, 20], nan_ok=True)
    assert pm25(window) == pytest.approx([math.nan, 20, 20], nan_ok=True), "the window before is still there"


def test_what_is_known_or_too_old_changes_nothing() -> None:
    window, _ = ReadingWindow(3).with_readings([reading()])
    again, changed = window.with_readings([reading(), reading(measured_at=NOON - 3 * HOUR)])
    assert changed == set()
    assert pm25(again) == pytest.approx(pm25(window), nan_ok=True)


def test_an_hour_without_values_still_moves_the_window_on() -> None:
    window, _ = ReadingWindow(30).with_readings([reading()])
    later, changed = window.with_readings([reading(measured_at=NOON + HOUR, values=NOTHING)])
    hours = later.stations[JONGNO.station_id]
    assert changed == {JONGNO.station_id}
    assert hours.newest_hour == hour_of(NOON + HOUR)
    assert hours.newest_measured_at == NOON


def test_a_jump_beyond_the_window_leaves_only_the_new_hour() -> None:
    window, _ = ReadingWindow(3).with_readings([reading()])
    later, _ = window.with_readings([reading(measured_at=NOON + 100 * HOUR)])
    assert pm25(later) == pytest.approx([math.nan, math.nan, 20], nan_ok=True)


def test_stations_are_apart() -> None:
    window, _ = ReadingWindow(3).with_readings([reading(), reading(JUNG, NOON - HOUR)])
    later, changed = window.with_readings([reading(JUNG, NOON, (7, 7, 7, 7))])
    assert changed == {JUNG.station_id}
    assert later.stations[JONGNO.station_id] is window.stations[JONGNO.station_id]
    assert later.newest_hour == hour_of(NOON)


def test_what_is_only_looked_at_is_kept_and_counts_for_nothing_else() -> None:
    only_gases = reading(measured_at=NOON + HOUR, values=(None, None, None, None, 0.5, 0.003))
    window, changed = ReadingWindow(2).with_readings([reading(), only_gases])
    hours = window.stations[JONGNO.station_id]
    assert changed == {JONGNO.station_id}
    assert hours.values[1].tolist() == pytest.approx([math.nan] * 4 + [0.5, 0.003], nan_ok=True)
    assert hours.newest_measured_at == NOON


def test_a_station_that_never_measured_has_no_newest_measurement() -> None:
    window, _ = ReadingWindow(24).with_readings([reading(values=NOTHING)])
    assert window.stations[JONGNO.station_id].newest_measured_at is None


some_readings = st.lists(
    st.builds(
        lambda station, back, value: reading(station, NOON - back * HOUR, (value, *TYPICAL[1:])),
        st.sampled_from([JONGNO, JUNG]),
        st.integers(0, 40),
        st.one_of(st.none(), st.floats(0, 500, width=32)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(some_readings, st.integers(0, 30))
def test_it_does_not_matter_how_readings_are_parted_into_elements(readings: list[Reading], cut: int) -> None:
    at_once, _ = ReadingWindow(24).with_readings(readings)
    first, _ = ReadingWindow(24).with_readings(readings[:cut])
    in_two, _ = first.with_readings(readings[cut:])
    assert at_once.stations.keys() == in_two.stations.keys()
    for station_id, hours in at_once.stations.items():
        np.testing.assert_array_equal(hours.values, in_two.stations[station_id].values)
        assert hours.newest_hour == in_two.stations[station_id].newest_hour
