"""When a route may start, and what its answer must say of the air."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from air.pollutants import Pollutant
from air.status import DataStatus, State
from router.exposure.field import AirField
from router.known_air import DepartureBeyondForecast, DepartureInPast, KnownAir
from tests.router.air_plan import ISSUED, NOW, air_of, field_of, forecast

HOUR = timedelta(hours=1)
AIR = air_of({Pollutant.NO2: 40.0, Pollutant.PM25: 20.0})


def test_without_a_departure_a_route_starts_now() -> None:
    assert AIR.departure(None, NOW) == NOW


@pytest.mark.parametrize("known", [AIR, KnownAir()])
def test_a_departure_that_is_over_is_refused(known: KnownAir) -> None:
    with pytest.raises(DepartureInPast) as refused:
        known.departure(NOW - timedelta(minutes=6), NOW)
    assert refused.value.field == "departure_time"


def test_a_departure_a_few_minutes_ago_is_now() -> None:
    late = NOW - timedelta(minutes=4)
    assert AIR.departure(late, NOW) == late
    assert AIR.hour_of(late, NOW) == 0


def test_a_departure_up_to_the_last_hour_forecast_is_taken() -> None:
    assert AIR.departure(ISSUED + 72 * HOUR, NOW) == ISSUED + 72 * HOUR


def test_a_departure_beyond_the_forecast_is_refused_with_the_last_hour() -> None:
    with pytest.raises(DepartureBeyondForecast) as refused:
        AIR.departure(ISSUED + 72 * HOUR + timedelta(seconds=1), NOW)
    assert refused.value.field == "departure_time"
    assert refused.value.metadata == {"last_hour": "2025-11-06T08:00:00Z"}


@pytest.mark.parametrize(
    "field", [None, field_of(forecast({Pollutant.NO2: 40.0}, issued=ISSUED - 100 * HOUR))], ids=["none", "old"]
)
def test_a_forecast_that_does_not_reach_the_present_bounds_departures_at_three_days(field: AirField | None) -> None:
    known = KnownAir(field)
    assert known.departure(NOW + 71 * HOUR, NOW) == NOW + 71 * HOUR
    with pytest.raises(DepartureBeyondForecast):
        known.departure(NOW + 73 * HOUR, NOW)


def test_no_time_is_too_far_away_to_be_refused() -> None:
    with pytest.raises(DepartureBeyondForecast):
        AIR.departure(datetime.max.replace(tzinfo=UTC), NOW)
    with pytest.raises(DepartureInPast):
        AIR.departure(datetime.min.replace(tzinfo=UTC), NOW)


def test_what_the_predictor_said_is_passed_on() -> None:
    said = DataStatus(State.STALE, ("AirKorea does not answer.",))
    status = KnownAir(None, said).status_of(None, NOW, stale_after=HOUR, simulated_streets=True)
    assert status.state is State.DEGRADED
    assert status.reasons[0] == "AirKorea does not answer."
    assert status.simulated
