"""Answers say what they rest on."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from air.places import Station
from air.status import DataStatus, State
from predictor.forecast import Forecast
from predictor.freshness import answer_status, data_status
from tests.predictor.air import HOUR, JONGNO, JUNG, NOON

FRESH = DataStatus(newest_measured_at=NOON)


def forecast(station: Station, measured_at: datetime | None, hours: int = 24) -> Forecast:
    ones = np.ones((hours, 4, 3))
    return Forecast(station, NOON, "m-1", range(1, hours + 1), ones, ones[..., 0], ones[:, 0, 0], measured_at)


def test_new_measurements_are_fresh() -> None:
    status = data_status(FRESH, NOON, simulated=False, now=NOON + 2 * HOUR)
    assert status == DataStatus(State.FRESH, (), NOON, simulated=False)


def test_old_measurements_are_stale() -> None:
    status = data_status(FRESH, NOON, simulated=False, now=NOON + timedelta(hours=2, minutes=1))
    assert status.state is State.STALE
    assert status.reasons == ("The newest measurement is of 2026-03-16T03:00Z.",)


def test_measurements_of_the_future_mean_that_a_clock_is_wrong() -> None:
    status = data_status(FRESH, NOON, simulated=False, now=NOON - timedelta(minutes=4))
    assert status.state is State.FRESH
    status = data_status(FRESH, NOON, simulated=False, now=NOON - HOUR)
    assert status.state is State.DEGRADED
    (reason,) = status.reasons
    assert "of 2026-03-16T03:00Z, ahead of this server's clock, 2026-03-16T02:00Z: one of the two is wrong" in reason


def test_nothing_measured_is_stale() -> None:
    status = data_status(FRESH, None, simulated=False, now=NOON)
    assert (status.state, status.newest_measured_at) == (State.STALE, None)


def test_what_ingestion_says_is_passed_on() -> None:
    upstream = DataStatus(State.DEGRADED, ("8 of 25 stations are silent.",), NOON, simulated=True)
    status = data_status(upstream, NOON, simulated=False, now=NOON)
    assert (status.state, status.reasons, status.simulated) == (State.DEGRADED, upstream.reasons, True)


def test_without_ingestion_an_answer_is_degraded() -> None:
    status = data_status(None, NOON, simulated=True, now=NOON)
    assert status.state is State.DEGRADED
    assert "no connection to ingestion" in status.reasons[0]
    assert status.simulated


def test_a_silent_station_among_others_is_named() -> None:
    answer = [forecast(JONGNO, NOON), forecast(JUNG, NOON - 5 * HOUR)]
    status = answer_status(FRESH, answer, hours=24, now=NOON)
    assert (status.state, status.newest_measured_at) == (State.STALE, NOON)
    assert status.reasons == ("Nothing measured for over 2 hours: 중구.",)


def test_hours_that_no_forecast_reaches_are_said() -> None:
    status = answer_status(FRESH, [forecast(JONGNO, NOON, hours=3)], hours=24, now=NOON)
    assert status.state is State.DEGRADED
    assert status.reasons == ("A forecast ends after 3 of the 24 hours asked for.",)
