"""What each check makes of series whose fault is known, and that arrays say what a person would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st
from ioos_qc import qartod
from numpy.typing import NDArray

from air.geodesy import Floats
from air.pollutants import Pollutant
from ingestion.quality.judging import Verdicts, judge_grid
from ingestion.quality.neighbours import Box
from ingestion.quality.thresholds import FINE_HOURS, NEIGHBOUR_RADIUS_M, THRESHOLDS
from ingestion.quality.verdict import Check, Level, Verdict
from tests.backing.recorded_air import recorded_air
from tests.ingestion.judged_by_hand import Hours, Site

_ALONE = (Site(37.5, 127.0),)
_POLLUTANTS = tuple(Pollutant)
_TOWN = tuple(Site(37.5 + 0.01 * number, 127.0) for number in range(6))
_UNLIKE = {Pollutant.PM25: 20.0, Pollutant.PM10: 40.0, Pollutant.CO: 0.4}


def _judge(
    pollutant: Pollutant,
    series: Sequence[Sequence[float | None]],
    sites: Sequence[Site] = _ALONE,
    lateness: float = np.nan,
) -> list[list[Verdict]]:
    """The verdicts on one pollutant, by station and hour; nothing is known of the others."""
    values = np.full((len(series[0]), len(series), len(_POLLUTANTS)), np.nan)
    values[..., _POLLUTANTS.index(pollutant)] = np.array(series, dtype=np.float64).T
    found = _grid(values, np.zeros(values.shape, dtype=np.bool_), np.full(values.shape[:2], lateness), sites)
    return [[Verdict(v) for v in column] for column in found[..., _POLLUTANTS.index(pollutant)].T.tolist()]


def _grid(values: Floats, flagged: NDArray[np.bool_], lateness: Floats, sites: Sequence[Site]) -> Verdicts:
    places = np.array([(site.latitude, site.longitude) for site in sites])
    roadside = np.array([site.roadside for site in sites])
    return judge_grid(values, flagged, lateness, places[:, 0], places[:, 1], roadside)


def _noisy(level: float, hours: int) -> list[float | None]:
    return [level * (1.0 + 0.05 * (hour % 3)) for hour in range(hours)]


def test_a_spike_is_seen_once_the_next_hour_is_there() -> None:
    quiet = _noisy(30.0, 5)
    (series,) = _judge(Pollutant.PM10, [[*quiet, 600.0]])
    assert series[-1].level_of(Check.SPIKE) is Level.NOT_EVALUATED
    assert series[-1].checks(Level.SUSPECT) == (Check.STEP,)
    (series,) = _judge(Pollutant.PM10, [[*quiet, 600.0, *quiet]])
    assert series[5].level_of(Check.SPIKE) is Level.SUSPECT
    # The hour after is as it was before: it is not to blame for the fall.
    assert series[6].level is Level.PASS


def test_an_absurd_spike_fails() -> None:
    quiet = _noisy(30.0, 5)
    (series,) = _judge(Pollutant.PM10, [[*quiet, 3403.0, *quiet]])
    assert series[5].checks(Level.FAIL) == (Check.SPIKE,)


def test_a_storm_that_stays_is_no_spike() -> None:
    (series,) = _judge(Pollutant.PM10, [[30.0, 32.0, 700.0, 720.0, 690.0]])
    assert series[2].checks(Level.SUSPECT) == (Check.STEP,)
    assert [verdict.level for verdict in series[3:]] == [Level.PASS, Level.PASS]


@pytest.mark.parametrize(
    ("pollutant", "value"), [(Pollutant.PM25, 35.0), (Pollutant.O3, 0.030), (Pollutant.NO2, 0.0234)]
)
def test_twelve_hours_of_one_value_are_suspect(pollutant: Pollutant, value: float) -> None:
    (series,) = _judge(pollutant, [[*_noisy(value, 4), *[value * 1.01] * 12]])
    assert series[-1].checks(Level.SUSPECT) == (Check.STUCK,)
    assert Check.STUCK not in series[7].checks(Level.SUSPECT)


def test_a_day_of_one_value_fails() -> None:
    (series,) = _judge(Pollutant.PM25, [[35.0] * 25])
    assert series[-1].checks(Level.FAIL) == (Check.STUCK,)


def test_clean_night_air_may_stay_the_same() -> None:
    for pollutant, value in ((Pollutant.O3, 0.002), (Pollutant.SO2, 0.003), (Pollutant.CO, 0.3), (Pollutant.PM25, 1.0)):
        (series,) = _judge(pollutant, [[value] * 25])
        assert series[-1].level is Level.PASS, pollutant


def test_the_same_value_in_finer_steps_is_suspect_even_in_clean_air() -> None:
    (series,) = _judge(Pollutant.CO, [[0.43] * FINE_HOURS])
    assert series[-1].checks(Level.SUSPECT) == (Check.STUCK,)


def test_a_hole_neither_makes_nor_ends_a_flat_line() -> None:
    (series,) = _judge(Pollutant.PM25, [[35.0] * 5 + [None] + [35.0] * 2])
    assert series[-1].level_of(Check.STUCK) is Level.SUSPECT
    (series,) = _judge(Pollutant.PM25, [[35.0] + [None] * 6 + [35.0]])
    assert series[-1].level_of(Check.STUCK) is Level.NOT_EVALUATED
    assert series[-1].level is Level.PASS


@pytest.mark.parametrize(
    ("pollutant", "value", "level"),
    [
        (Pollutant.PM10, -1.0, Level.FAIL),
        (Pollutant.PM10, 3311.0, Level.SUSPECT),
        (Pollutant.PM10, 5001.0, Level.FAIL),
        (Pollutant.PM10, 0.0, Level.SUSPECT),
        (Pollutant.PM25, 0.0, Level.PASS),
        (Pollutant.O3, 5.3, Level.FAIL),
        (Pollutant.O3, float("inf"), Level.FAIL),
        (Pollutant.CO, 71.7, Level.FAIL),
        (Pollutant.CO, 0.0, Level.SUSPECT),
        (Pollutant.NO2, 0.5, Level.PASS),
        (Pollutant.SO2, 0.6, Level.SUSPECT),
    ],
)
def test_range(pollutant: Pollutant, value: float, level: Level) -> None:
    ((verdict,),) = _judge(pollutant, [[value]])
    assert verdict.level_of(Check.RANGE) is level
    assert verdict.level is level


def test_what_fails_its_range_is_not_held_against_the_hour_after() -> None:
    (series,) = _judge(Pollutant.O3, [[0.030, 5.3, 0.032, 0.031]])
    assert [verdict.level for verdict in series] == [Level.PASS, Level.FAIL, Level.PASS, Level.PASS]


def test_a_station_that_disagrees_with_five_around_it_is_suspect() -> None:
    for wrong in (120.0, 1.0):
        series = [_noisy(24.0, 3) for _ in _TOWN]
        series[2][1] = wrong
        found = _judge(Pollutant.PM25, series, _TOWN)
        assert found[2][1].level_of(Check.NEIGHBOUR) is Level.SUSPECT
        others = [found[station][1] for station in range(6) if station != 2]
        assert {verdict.level_of(Check.NEIGHBOUR) for verdict in others} == {Level.PASS}


def test_stations_far_away_or_of_another_kind_are_no_neighbours() -> None:
    far = [Site(34.0 + number, 127.0) for number in range(5)]
    found = _judge(Pollutant.PM25, [[100.0], *[[10.0]] * 5], [*_ALONE, *far])
    assert found[0][0].level_of(Check.NEIGHBOUR) is Level.NOT_EVALUATED
    road = [Site(37.5, 127.0, roadside=True), *_TOWN]
    assert _judge(Pollutant.NO2, [[0.1], *[[0.01]] * 6], road)[0][0].level_of(Check.NEIGHBOUR) is Level.NOT_EVALUATED
    assert _judge(Pollutant.PM25, [[100.0], *[[10.0]] * 6], road)[0][0].level_of(Check.NEIGHBOUR) is Level.SUSPECT


def test_late_values_are_suspect_and_those_of_unknown_arrival_are_not() -> None:
    ((late,),) = _judge(Pollutant.PM25, [[20.0]], lateness=15.0)
    assert late.checks(Level.SUSPECT) == (Check.STALE,)
    ((unknown,),) = _judge(Pollutant.PM25, [[20.0]])
    assert unknown.level_of(Check.STALE) is Level.NOT_EVALUATED


def test_the_first_hour_ever_passes_by_what_can_be_said_of_it() -> None:
    ((first,),) = _judge(Pollutant.PM25, [[20.0]])
    assert first.level is Level.PASS
    assert first.checks(Level.NOT_EVALUATED) == (*(Check.SPIKE, Check.STEP, Check.STUCK, Check.NEIGHBOUR, Check.STALE),)


def test_nothing_to_judge_is_no_error() -> None:
    assert _judge(Pollutant.PM25, [[]]) == [[]]


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(0, 360))
def test_every_neighbour_stands_in_the_box_around_a_station(latitude: float, longitude: float, bearing: float) -> None:
    edge = great_circle(meters=NEIGHBOUR_RADIUS_M).destination((latitude, longitude), bearing)
    box = Box.around([latitude], [longitude])
    assert box.south <= edge.latitude <= box.north
    assert box.west <= edge.longitude <= box.east


def _value(pollutant: Pollutant) -> st.SearchStrategy[float]:
    threshold = THRESHOLDS[pollutant]
    step = threshold.stuck.step
    usual = st.integers(0, 40).map(lambda number: number * step)
    limits = (threshold.step, threshold.spike, threshold.failing_spike, threshold.credible.high, threshold.usual.high)
    odd = st.sampled_from([*limits, -step, 0.43 * step, 7.3 * step]).map(lambda value: value + 10.1 * step)
    return st.one_of(st.just(np.nan), *[st.just(12.0 * step)] * 4, usual, odd)


@st.composite
def _faulty_town(draw: st.DrawFn) -> tuple[Pollutant, list[Site], list[list[float]], list[list[bool]], list[float]]:
    pollutant = draw(st.sampled_from(Pollutant))
    sites = [
        Site(37.5 + draw(st.integers(0, 40)) / 97, 127.0 + draw(st.integers(0, 40)) / 89, draw(st.booleans()))
        for _ in range(draw(st.integers(1, 7)))
    ]
    hours = draw(st.integers(1, 27))
    series = [draw(st.lists(_value(pollutant), min_size=hours, max_size=hours)) for _ in sites]
    flags = [draw(st.lists(st.sampled_from([False] * 9 + [True]), min_size=hours, max_size=hours)) for _ in sites]
    late = draw(st.lists(st.sampled_from([np.nan, 0.25, 2.9, 3.1]), min_size=len(sites), max_size=len(sites)))
    return pollutant, sites, series, flags, late


@settings(deadline=None, max_examples=60)
@given(_faulty_town())
def test_every_verdict_is_as_reckoned_by_hand(
    town: tuple[Pollutant, list[Site], list[list[float]], list[list[bool]], list[float]],
) -> None:
    pollutant, sites, series, flags, late = town
    here = _POLLUTANTS.index(pollutant)
    values = np.full((len(series[0]), len(sites), len(_POLLUTANTS)), np.nan)
    values[..., here] = np.array(series).T
    flagged = np.zeros(values.shape, dtype=np.bool_)
    flagged[..., here] = np.array(flags).T
    lateness = np.broadcast_to(np.array(late), values.shape[:2])
    by_hand = Hours(
        pollutant,
        sites,
        [[None if np.isnan(value) else value for value in column] for column in series],
        flags,
        [[None if np.isnan(hours) else hours] * len(series[0]) for hours in late],
    )
    found = _grid(values, flagged, lateness, sites)[..., here]
    expected = [[by_hand.verdict(site, hour) for site in range(len(sites))] for hour in range(len(series[0]))]
    assert found.tolist() == expected


@settings(max_examples=30)
@given(st.lists(st.integers(0, 500), min_size=3, max_size=40), st.sampled_from(Pollutant))
def test_ioos_qc_finds_the_same_spikes_in_a_series_without_holes(numbers: list[int], pollutant: Pollutant) -> None:
    threshold = THRESHOLDS[pollutant]
    series = np.array(numbers) * threshold.stuck.step
    sound = series[series <= threshold.credible.high]
    if len(sound) < 3:
        return
    (verdicts,) = _judge(pollutant, [sound.tolist()])
    theirs = qartod.spike_test(sound, threshold.spike, threshold.failing_spike, method="differential")
    assert [verdict.level_of(Check.SPIKE) for verdict in verdicts] == theirs.tolist()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(20, 22), st.integers(1, 30)), min_size=1, max_size=6))
def test_ioos_qc_finds_the_same_flat_lines_in_a_series_without_holes(runs: list[tuple[int, int]]) -> None:
    stuck = THRESHOLDS[Pollutant.PM25].stuck
    assert stuck.failing_hours is not None
    # A restless day first: theirs passes the hours that have no span behind them, ours counts what there is.
    series = [30.0 + hour % 2 for hour in range(24)] + [float(value) for value, hours in runs for _ in range(hours)]
    (verdicts,) = _judge(Pollutant.PM25, [series])
    # It asks for how long a value stood since it was first seen, which is an hour less than the hours that it was seen.
    seconds = np.arange(len(series)) * 3600
    limits = ((stuck.hours - 1) * 3600, (stuck.failing_hours - 1) * 3600)
    theirs = qartod.flat_line_test(np.array(series), seconds, *limits, tolerance=0.5)
    assert [verdict.level_of(Check.STUCK) for verdict in verdicts[24:]] == theirs[24:].tolist()


@pytest.mark.real_data
def test_a_recorded_network_is_seldom_suspected_and_hardly_ever_failed(real_data: Path) -> None:
    air = recorded_air(real_data, before=datetime(2025, 6, 1))  # noqa: DTZ001 - the recording's own, in Korea's time
    values = np.stack([air.values[pollutant] for pollutant in _POLLUTANTS], axis=-1)
    unknown = np.full(values.shape[:2], np.nan)
    flagged = np.zeros(values.shape, dtype=np.bool_)
    levels = judge_grid(values, flagged, unknown, air.latitude, air.longitude, air.roadside) // 10 ** len(Check)
    measured = np.isfinite(values).sum()
    assert measured > 2_000_000
    assert (levels == Level.SUSPECT).sum() / measured < 0.002
    assert (levels == Level.FAIL).sum() / measured < 0.0001


@pytest.mark.real_data
def test_absurd_values_of_an_old_recording_do_not_pass(real_data: Path) -> None:
    table = pq.read_table(real_data / "air" / "seoul_air_hourly_2017_25stations.parquet")
    hours = table["time_kst"].to_numpy().astype("datetime64[h]").astype(np.int64)
    codes, columns = np.unique(table["code"].to_numpy(), return_inverse=True)
    values = np.full((hours.max() - hours.min() + 1, len(codes), len(_POLLUTANTS)), np.nan)
    for i, pollutant in enumerate(_POLLUTANTS):
        values[hours - hours.min(), columns, i] = table[pollutant.value.lower()].to_numpy()
    seoul = [Site(37.5 + 0.01 * number, 127.0) for number in range(len(codes))]
    found = _grid(values, np.zeros(values.shape, dtype=np.bool_), np.full(values.shape[:2], np.nan), seoul)
    for pollutant, absurd in ((Pollutant.PM10, 1000.0), (Pollutant.O3, 0.4), (Pollutant.CO, 15.0)):
        here = _POLLUTANTS.index(pollutant)
        levels = found[..., here][values[..., here] > absurd] // 10 ** len(Check)
        assert len(levels) >= 3
        assert set(levels.tolist()) <= {Level.SUSPECT, Level.FAIL}, pollutant
