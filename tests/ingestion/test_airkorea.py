"""The client gets AirKorea's rows over HTTP, tries again where that helps, gives up in time, keeps its key secret."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path

import pytest

from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.source import (
    SourceEmpty,
    SourceError,
    SourceQuotaExceeded,
    SourceRefused,
    SourceUnavailable,
    SourceUnreadable,
)
from ingestion.sources.airkorea import AirKorea
from simulation.airkorea_server import Reply, Request, gateway_error, page_of
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import SettableClock, quick_settings
from tests.ingestion.wire_rows import NOW, measurement_row, recording

_EMPTY = Reply(b'{"response":{"header":{"resultCode":"00"},"body":{"totalCount":0,"items":[]}}}')
_CUT = Reply(b'{"response":{"header":{"resultCode":"00"},"body":{"totalCount":0,"items":[]}}}', cut=True)


async def _ask(settings: IngestionSettings) -> list[str]:
    async with AirKorea(settings, Unlimited(), SettableClock(NOW)) as source:
        return [row.station_id for row in (await source.measurements()).readable]


async def test_measurements_and_stations_are_asked_for_as_documented(
    settings: IngestionSettings, replay: ReplayServer
) -> None:
    async with AirKorea(settings, Unlimited(), SettableClock(NOW)) as source:
        measurements, stations = await source.measurements(), await source.stations()
    assert [row.station_id for row in measurements.readable] == ["중구", "종로구"]
    assert [listed.station.station_id for listed in stations.readable] == ["중구", "종로구"]
    asked = replay.requests[0].query
    assert asked == {"returnType": "json", "numOfRows": "1000", "pageNo": "1", "sidoName": "서울", "ver": "1.0"}
    assert [request.operation for request in replay.requests] == ["getCtprvnRltmMesureDnsty", "getMsrstnList"]


async def test_only_the_province_asked_for_comes_unless_it_is_the_whole_country(
    tmp_path: Path, replay: ReplayServer
) -> None:
    replay.replace(recording([measurement_row("중구"), measurement_row("우동", sidoName="부산")]))
    assert await _ask(quick_settings(tmp_path, replay.url, airkorea_sido="부산")) == ["우동"]
    assert await _ask(quick_settings(tmp_path, replay.url, airkorea_sido="전국")) == ["중구", "우동"]


async def test_all_pages_are_read(settings: IngestionSettings, replay: ReplayServer) -> None:
    names = [f"역{number}" for number in range(2345)]
    replay.replace(recording([measurement_row(name) for name in names]))
    assert await _ask(settings) == names
    assert [request.query["pageNo"] for request in replay.requests] == ["1", "2", "3"]


@pytest.mark.parametrize("key", ["a+b/c==", "a%2Bb%2Fc%3D%3D"], ids=["plain", "percent-encoded"])
async def test_either_spelling_of_the_key_arrives_as_the_key(tmp_path: Path, replay: ReplayServer, key: str) -> None:
    await _ask(quick_settings(tmp_path, replay.url, airkorea_key=key))
    assert replay.requests[0].query["serviceKey"] == "a+b/c=="


async def test_the_key_is_in_no_log_and_no_error(
    tmp_path: Path, replay: ReplayServer, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = quick_settings(tmp_path, replay.url, airkorea_key="verysecretkey")
    await _ask(settings)
    faults = [_CUT, Reply(b"verysecretkey"), gateway_error("30", "verysecretkey is not registered")]
    for reply in faults:
        replay.fail(Fault(reply))
        with pytest.raises(SourceError) as raised:
            await _ask(settings)
        assert "verysecretkey" not in "".join(traceback.format_exception(raised.value)) + str(raised.value.metadata)
    replay.stop()
    with pytest.raises(SourceError):
        await _ask(settings)
    assert any("HTTP Request" in record.getMessage() for record in caplog.records)
    captured = capsys.readouterr()
    assert "verysecretkey" not in caplog.text + captured.out + captured.err + repr(settings)


@pytest.mark.parametrize(
    "reply",
    [
        gateway_error("1", "APPLICATION_ERROR"),
        gateway_error("23", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_PER_SECOND_EXCEEDS_ERROR"),
        gateway_error("99", "UNKNOWN_ERROR", 500),
        Reply(b"bad gateway", 502),
        _CUT,
    ],
    ids=["1", "23", "99", "HTTP 502", "cut"],
)
async def test_a_passing_fault_is_got_over(settings: IngestionSettings, replay: ReplayServer, reply: Reply) -> None:
    replay.fail_next(Fault(reply), Fault(reply))
    assert await _ask(settings) == ["중구", "종로구"]
    assert len(replay.requests) == 3


async def test_an_answer_without_rows_is_asked_for_once_more(settings: IngestionSettings, replay: ReplayServer) -> None:
    replay.fail_next(Fault(_EMPTY))
    assert await _ask(settings) == ["중구", "종로구"]


async def test_two_answers_without_rows_are_an_error(settings: IngestionSettings, replay: ReplayServer) -> None:
    replay.fail(Fault(_EMPTY))
    with pytest.raises(SourceEmpty):
        await _ask(settings)
    assert len(replay.requests) == 2


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"), SourceRefused, "30"),
        (gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR", 403), SourceRefused, "30"),
        (gateway_error("22", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR"), SourceQuotaExceeded, "22"),
        (Reply(b"Unauthorized", 401), SourceRefused, "HTTP_401"),
        (Reply(b"<html>maintenance</html>"), SourceUnreadable, "UNREADABLE"),
        (Reply(b" " * (17 * 2**20)), SourceUnreadable, "TOO_LARGE"),
    ],
    ids=["30", "30 as HTTP 403", "quota", "HTTP 401", "page", "too large"],
)
async def test_what_asking_again_does_not_help_is_told_at_once(
    settings: IngestionSettings, replay: ReplayServer, reply: Reply, kind: type[SourceError], code: str
) -> None:
    replay.fail(Fault(reply))
    with pytest.raises(kind) as raised:
        await _ask(settings)
    assert raised.value.code == code
    assert len(replay.requests) == 1


async def test_a_lasting_fault_ends_the_attempts(tmp_path: Path, replay: ReplayServer) -> None:
    replay.fail(Fault(gateway_error("1", "APPLICATION_ERROR")))
    with pytest.raises(SourceUnavailable) as raised:
        await _ask(quick_settings(tmp_path, replay.url, airkorea_attempts=3))
    assert raised.value.code == "1"
    assert len(replay.requests) == 3


async def test_nobody_at_the_address_is_unavailable(settings: IngestionSettings, replay: ReplayServer) -> None:
    replay.stop()
    with pytest.raises(SourceUnavailable) as raised:
        await _ask(settings)
    assert raised.value.code == "CONNECT"


@pytest.mark.parametrize("limit", ["airkorea_timeout_seconds", "airkorea_deadline_seconds"])
async def test_a_silent_server_is_given_up_in_time(tmp_path: Path, replay: ReplayServer, limit: str) -> None:
    replay.fail(Fault(delay_seconds=30))
    started = time.monotonic()
    with pytest.raises(SourceUnavailable) as raised:
        await _ask(quick_settings(tmp_path, replay.url, airkorea_attempts=2, **{limit: 0.2}))
    assert raised.value.code == "TIMEOUT"
    assert time.monotonic() - started < 5


async def test_a_total_that_is_never_reached_ends(settings: IngestionSettings, replay: ReplayServer) -> None:
    page = page_of([measurement_row("중구")], Request("getCtprvnRltmMesureDnsty", {})).body.replace(
        b'"totalCount": 1', b'"totalCount": 999999'
    )
    replay.fail(Fault(Reply(page)))
    assert len(await _ask(settings)) == len(replay.requests) == 20
