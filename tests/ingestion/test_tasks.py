"""The beat tells workers what is due at the times at which the schedule in the process does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from air.korea import KST
from ingestion.settings import WorkerSettings
from ingestion.slots import COLLECTIONS, VALIDATION, Slots
from ingestion.tasks.app import NoBroker, make_app
from ingestion.tasks.call import Ingestion, NoOperatorKey

_KEY = "the key of an operator"
_DUE: dict[tuple[str, ...], Slots] = {
    **{("data_collection", feed): slots for feed, slots in COLLECTIONS.items()},
    ("data_validation",): VALIDATION,
}


@pytest.fixture(scope="module")
def app() -> Celery:
    return make_app(WorkerSettings(redis_url=SecretStr("redis://:a%20password@127.0.0.1:9/0")))


def test_the_beat_knows_all_that_is_due(app: Celery) -> None:
    entries = app.conf.beat_schedule.values()
    assert {(entry["task"], *entry["args"]) for entry in entries} == set(_DUE)
    for entry in entries:
        slots = _DUE[entry["task"], *entry["args"]]
        assert 0 < entry["options"]["expires"] < slots.shortest.total_seconds()


@settings(max_examples=30, deadline=None)
@given(minutes=st.integers(0, 60 * 24 * 400), due=st.sampled_from(sorted(_DUE)))
def test_the_beats_times_are_those_of_the_schedule(app: Celery, minutes: int, due: tuple[str, ...]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    (entry,) = (one for one in app.conf.beat_schedule.values() if (one["task"], *one["args"]) == due)
    told: crontab = entry["schedule"]
    times = crontab(minute=told._orig_minute, hour=told._orig_hour, app=app, nowfun=lambda: now.astimezone(KST))
    assert now + times.remaining_estimate(now) == _DUE[due].next(now)


@pytest.mark.parametrize(
    ("slots", "shortest"), [(Slots((15, 25)), 10), (Slots((35,)), 60), (Slots((20,), (5, 11, 17, 23)), 360)]
)
def test_the_least_time_between_two_slots(slots: Slots, shortest: int) -> None:
    assert slots.shortest == timedelta(minutes=shortest)


def test_without_broker_or_key_it_is_said_what_to_set() -> None:
    with pytest.raises(NoBroker, match="CLEANAIR_REDIS_URL"):
        make_app(WorkerSettings())
    with pytest.raises(NoOperatorKey, match="CLEANAIR_OPERATOR_API_KEY"):
        Ingestion.open(WorkerSettings())


def test_nothing_that_a_worker_shows_of_itself_holds_a_secret(app: Celery) -> None:
    given = WorkerSettings(operator_api_key=SecretStr(_KEY), redis_url=SecretStr("redis://:a%20password@127.0.0.1:9/0"))
    shown = f"{given!r} {Ingestion.open(given)!r} {app!r} {app.conf.humanize(with_defaults=False)}"
    assert _KEY not in shown
    assert "password" not in shown
