"""What is said of the readings' currency."""

from __future__ import annotations

from datetime import timedelta

import pytest

from air.status import DataStatus, State
from ingestion.account import Outage
from ingestion.freshness import data_status
from ingestion.store.readings import Coverage
from tests.ingestion.wire_rows import MEASURED_AT, NOW

_WHOLE = Coverage(MEASURED_AT, stations=40, current_stations=40)


def test_the_current_hour_of_all_stations_is_fresh() -> None:
    assert data_status(_WHOLE, None, NOW) == DataStatus(State.FRESH, (), MEASURED_AT)


def test_simulated_stations_are_said_to_be() -> None:
    assert data_status(Coverage(MEASURED_AT, 25, 25, simulated=True), None, NOW).simulated


@pytest.mark.parametrize(("minutes", "state"), [(119, State.FRESH), (120, State.FRESH), (121, State.STALE)])
def test_a_late_hour_is_stale(minutes: int, state: State) -> None:
    assert data_status(_WHOLE, None, MEASURED_AT + timedelta(minutes=minutes)).state is state


def test_an_outage_is_stale_at_once_and_says_since_when_and_with_which_code() -> None:
    status = data_status(_WHOLE, Outage(NOW, "22", "quota"), NOW)
    assert status.state is State.STALE
    assert status.reasons == ("Collection has been failing since 2026-03-16T00:16:00+00:00 with code 22.",)


def test_silent_stations_degrade() -> None:
    assert data_status(Coverage(MEASURED_AT, 40, 30), None, NOW).state is State.FRESH
    status = data_status(Coverage(MEASURED_AT, 40, 29), None, NOW)
    assert (status.state, status.reasons) == (
        State.DEGRADED,
        ("11 of 40 stations have been silent for 2 hours or more.",),
    )


def test_nothing_at_all_is_stale() -> None:
    assert data_status(Coverage(), None, NOW) == DataStatus(State.STALE, ("No reading has been collected yet.",))
