"""The client asks KMA for what is published and not held yet, and falls back where it is late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from air.korea import KST
from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.source import SourceEmpty, SourceError, SourceRefused, SourceTooOld, SourceUnavailable
from ingestion.sources.data_go_kr_answer import read_answer
from ingestion.sources.kma import Kma
from ingestion.sources.kma_times import OBSERVATIONS, SHORT, ULTRA_SHORT, Timetable
from ingestion.weather import Cell, Product
from simulation.airkorea_server import Reply, Request, gateway_error
from simulation.replay import Fault
from tests.ingestion.assembly import SettableClock
from tests.ingestion.weather_assembly import NOW, FaultyKma, quick_kma_settings

CELL = Cell(67, 100)
HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 16, 0, tzinfo=UTC)
NO_DATA = Fault(Reply(b'{"response":{"header":{"resultCode":"03","resultMsg":"NO_DATA"}}}'))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def kma(clock: SettableClock) -> Iterator[FaultyKma]:
    with FaultyKma(clock) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, kma: FaultyKma) -> IngestionSettings:
    return quick_kma_settings(tmp_path, kma.url)


@pytest.fixture
async def source(settings: IngestionSettings, clock: SettableClock) -> AsyncIterator[Kma]:
    async with Kma(settings, Unlimited(), clock) as client:
        yield client


@pytest.mark.parametrize(
    ("timetable", "time", "newest"),
    [
        (OBSERVATIONS, "2026-03-16 09:11", "2026-03-16 08:00"),
        (OBSERVATIONS, "2026-03-16 09:12", "2026-03-16 09:00"),
        (OBSERVATIONS, "2026-03-16 00:05", "2026-03-15 23:00"),
        (ULTRA_SHORT, "2026-03-16 09:44", "2026-03-16 08:30"),
        (ULTRA_SHORT, "2026-03-16 09:45", "2026-03-16 09:30"),
        (ULTRA_SHORT, "2026-03-16 00:44", "2026-03-15 23:30"),
        (SHORT, "2026-03-16 02:09", "2026-03-15 23:00"),
        (SHORT, "2026-03-16 02:10", "2026-03-16 02:00"),
        (SHORT, "2026-03-16 13:59", "2026-03-16 11:00"),
        (SHORT, "2026-03-16 23:10", "2026-03-16 23:00"),
    ],
)
def test_the_newest_issue_is_the_last_that_can_be_asked_for(timetable: Timetable, time: str, newest: str) -> None:
    now = datetime.fromisoformat(time).replace(tzinfo=KST)
    assert timetable.newest(now) == datetime.fromisoformat(newest).replace(tzinfo=KST)


def test_before_the_first_issue_of_a_day_comes_the_last_of_the_day_before() -> None:
    assert SHORT.before(datetime(2026, 3, 16, 2, tzinfo=KST)) == datetime(2026, 3, 15, 23, tzinfo=KST)
    assert ULTRA_SHORT.before(datetime(2026, 3, 16, 0, 30, tzinfo=KST)) == datetime(2026, 3, 15, 23, 30, tzinfo=KST)


async def test_a_question_is_asked_as_documented(source: Kma, kma: FaultyKma) -> None:
    await source.forecasts(CELL, Product.SHORT, None)
    (request,) = kma.requests
    assert request.operation == "getVilageFcst"
    assert request.query == {
        "dataType": "JSON",
        "base_date": "20260316",
        "base_time": "0800",
        "nx": "67",
        "ny": "100",
        "numOfRows": "1500",
        "pageNo": "1",
    }


async def test_only_hours_that_are_not_held_are_asked_for(source: Kma, kma: FaultyKma) -> None:
    first = await source.observations(CELL, None)
    assert first is not None
    assert [row.observed_at for row in first.readable] == [NINE - HOUR, NINE]
    assert kma.asked() == ["getUltraSrtNcst 0800", "getUltraSrtNcst 0900"]
    assert await source.observations(CELL, NINE) is None
    assert kma.asked() == []
    missed = await source.observations(CELL, NINE - 5 * HOUR)
    assert missed is not None
    assert [row.observed_at for row in missed.readable] == [NINE - back * HOUR for back in (4, 3, 2, 1, 0)]


async def test_after_a_long_silence_one_day_is_asked_for(source: Kma, kma: FaultyKma) -> None:
    missed = await source.observations(CELL, NINE - timedelta(days=9))
    assert missed is not None
    assert len(missed.readable) == len(kma.requests) == 23


async def test_only_a_newer_issue_is_asked_for(source: Kma, kma: FaultyKma, clock: SettableClock) -> None:
    issue = datetime(2026, 3, 15, 23, tzinfo=UTC)
    newest = await source.forecasts(CELL, Product.SHORT, issue - 3 * HOUR)
    assert newest is not None
    assert {row.issued_at for row in newest.readable} == {issue}
    assert kma.asked() == ["getVilageFcst 0800"]
    assert await source.forecasts(CELL, Product.SHORT, issue) is None
    clock.advance(hours=2)
    assert await source.forecasts(CELL, Product.SHORT, issue) is not None
    assert kma.asked() == ["getVilageFcst 1100"]


async def test_a_late_issue_is_stood_in_for_by_the_one_before(source: Kma, kma: FaultyKma) -> None:
    kma.fault = lambda request: NO_DATA if request.query["base_time"] == "0800" else None
    before = await source.forecasts(CELL, Product.SHORT, None)
    assert before is not None
    assert {row.issued_at.astimezone(KST).hour for row in before.readable} == {5}
    assert kma.asked() == ["getVilageFcst 0500", "getVilageFcst 0800"]
    # The one before is held: the newest is asked for alone, and its lateness is no fault yet.
    held = await source.forecasts(CELL, Product.SHORT, datetime(2026, 3, 16, 5, tzinfo=KST))
    assert held is not None
    assert held.readable == ()
    assert kma.asked() == ["getVilageFcst 0800"]


async def test_nothing_where_something_should_be_is_an_error(source: Kma, kma: FaultyKma) -> None:
    kma.fault = lambda _: NO_DATA
    with pytest.raises(SourceEmpty):
        await source.forecasts(CELL, Product.ULTRA_SHORT, None)
    with pytest.raises(SourceEmpty):
        await source.observations(CELL, None)
    assert kma.asked() == [
        *("getUltraSrtFcst 0730", "getUltraSrtFcst 0830"),
        *("getUltraSrtNcst 0800", "getUltraSrtNcst 0900"),
    ]


async def test_an_hour_that_never_came_is_passed_over(source: Kma, kma: FaultyKma) -> None:
    gone = {"0600": NO_DATA, "0700": Fault(_only_recent())}
    kma.fault = lambda request: gone.get(request.query["base_time"])
    rows = await source.observations(CELL, NINE - 5 * HOUR)
    assert rows is not None
    assert [row.observed_at.astimezone(KST).hour for row in rows.readable] == [5, 8, 9]


async def test_another_cell_than_was_asked_for_is_told(source: Kma, kma: FaultyKma, clock: SettableClock) -> None:
    with FaultyKma(clock) as other:
        kma.fault = lambda request: Fault(other._answer(Request(request.operation, {**request.query, "nx": "60"})))
        rows = await source.observations(CELL, NINE - HOUR)
    assert rows is not None
    assert rows.readable == ()
    assert [(row.subject, row.reason) for row in rows.rejected] == [("60,100", "another cell than was asked for")]


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"), SourceRefused, "30"),
        (Reply(b"oops", 500), SourceUnavailable, "HTTP_500"),
        (Reply(b'{"result": {"status": 401, "message": "x"}}', 401), SourceRefused, "HTTP_401"),
        (Reply(b'{"result": {"status": 403, "message": "x"}}', 200), SourceRefused, "HTTP_403"),
    ],
    ids=["30", "500", "apihub 401", "apihub 403"],
)
async def test_a_fault_has_a_type(
    source: Kma, kma: FaultyKma, reply: Reply, kind: type[SourceError], code: str
) -> None:
    kma.fault = lambda _: Fault(reply)
    with pytest.raises(kind) as raised:
        await source.forecasts(CELL, Product.SHORT, None)
    assert raised.value.code == code


def test_that_only_recent_hours_are_served_has_a_type() -> None:
    with pytest.raises(SourceTooOld):
        read_answer(200, _only_recent().body)


@pytest.mark.real_data
def test_recorded_refusals_have_a_type(real_data: Path) -> None:
    samples = real_data / "api_samples"
    assert read_answer(200, (samples / "kma_no_data_03.json").read_bytes()).rows == ()
    for status in (401, 403):
        (name,) = samples.glob(f"kma_apihub_http{status}_*.json")
        with pytest.raises(SourceRefused) as raised:
            read_answer(status, name.read_bytes())
        assert raised.value.code == f"HTTP_{status}"


def _only_recent() -> Reply:
    message = '{"response":{"header":{"resultCode":"10","resultMsg":"최근 1일 간의 자료만 제공합니다."}}}'
    return Reply(message.encode())
