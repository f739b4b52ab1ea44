"""Recorded answers are served again as they were, one after the other, and with faults on demand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ingestion.sources.data_go_kr_answer import Answer, read_answer
from simulation.airkorea_server import AddressTaken, Reply
from simulation.replay import Fault, Recording, ReplayServer, UnreadableRecording
from tests.ingestion.wire_rows import bulletin_row, measurement_row, recording, station_row


def _ask(server: ReplayServer, operation: str = "getCtprvnRltmMesureDnsty", **query: str) -> Answer:
    service = "MsrstnInfoInqireSvc" if operation == "getMsrstnList" else "ArpltnInforInqireSvc"
    reply = httpx.get(f"{server.url}/{service}/{operation}", params={"numOfRows": "1000", **query})
    return read_answer(reply.status_code, reply.content)


def _file(folder: Path, name: str, content: object) -> Path:
    file = folder / name
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return file


def test_answers_come_in_order_and_the_last_repeats() -> None:
    hours = [f"2026-03-16 {hour:02}:00" for hour in (7, 8, 9)]
    with ReplayServer(recording(*([measurement_row("중구", hour)] for hour in hours))) as server:
        assert [_ask(server).rows[0]["dataTime"] for _ in range(5)] == [*hours, hours[-1], hours[-1]]


def test_further_pages_are_of_the_same_answer() -> None:
    with ReplayServer(
        recording([measurement_row("중구"), measurement_row("종로구")], [measurement_row("끝")])
    ) as server:
        pages = [_ask(server, numOfRows="1", pageNo=page).rows[0]["stationName"] for page in ("1", "2")]
    assert pages == ["중구", "종로구"]


def test_whole_responses_and_bare_items_are_read_alike(tmp_path: Path) -> None:
    rows = [measurement_row("중구")]
    envelope = {"response": {"header": {"resultCode": "00"}, "body": {"items": rows}}}
    converted = {"response": {"header": {"resultCode": "00"}, "body": {"items": {"item": rows}}}}
    stations = _file(tmp_path, "stations.json", [station_row("중구")])
    for name, content in (("bare", rows), ("whole", envelope), ("converted", converted)):
        assert Recording.read([_file(tmp_path, name, content), stations]).answers == [rows]


@pytest.mark.parametrize("content", ["text", [], {}, [1], {"response": {}}, [{"other": "rows"}]])
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, content: object) -> None:
    with pytest.raises(UnreadableRecording, match=r"odd\.json"):
        Recording.read([_file(tmp_path, "odd.json", content)])


def test_both_kinds_of_answers_are_needed(tmp_path: Path) -> None:
    stations = _file(tmp_path, "stations.json", [station_row()])
    measurements = _file(tmp_path, "measurements.json", [measurement_row()])
    with pytest.raises(UnreadableRecording, match="getCtprvnRltmMesureDnsty"):
        Recording.read([stations])
    with pytest.raises(UnreadableRecording, match="getMsrstnList"):
        Recording.read([measurements])
    with pytest.raises(UnreadableRecording, match="absent"):
        Recording.read([tmp_path / "absent"])


def test_a_station_s_past_is_put_together_from_what_was_published(tmp_path: Path) -> None:
    hours = ["2026-03-15 23:00", "2026-03-15 24:00", "2026-03-16 01:00"]
    answers = [[measurement_row("중구", hour), measurement_row("종로구", hour)] for hour in hours]
    answers[2].append(measurement_row("중구", hours[0], pm25Value="99"))
    answers[2].append(measurement_row("중구", None))
    with ReplayServer(recording(*answers)) as server:
        past = {"stationName": "중구", "dataTerm": "DAILY"}
        assert _ask(server, "getMsrstnAcctoRltmMesureDnsty", **past).rows == ()
        for _ in range(3):
            _ask(server)
        rows = _ask(server, "getMsrstnAcctoRltmMesureDnsty", **past).rows
        assert [(row["dataTime"], row["pm25Value"]) for row in rows] == [
            (hours[2], "7"),
            (hours[1], "7"),
            (hours[0], "99"),
        ]
        url = f"{server.url}/ArpltnInforInqireSvc/getMsrstnAcctoRltmMesureDnsty"
        assert b"INVALID_REQUEST_PARAMETER" in httpx.get(url, params={"stationName": "중구"}).content


def test_a_recorded_past_and_recorded_bulletins_are_told_by_their_fields(tmp_path: Path) -> None:
    past = [measurement_row("중구", f"2026-03-16 {hour:02}:00") for hour in (3, 2, 1)]
    issued = [bulletin_row(dataTime=f"{day} 23시 발표") for day in ("2026-03-16", "2026-03-15")]
    files = [
        _file(tmp_path, "stations.json", [station_row("중구")]),
        _file(tmp_path, "measurements.json", [measurement_row("중구"), measurement_row("종로구")]),
        _file(tmp_path, "past.json", past),
        _file(tmp_path, "bulletins.json", issued),
    ]
    with ReplayServer(Recording.read(files)) as server:
        asked = _ask(server, "getMsrstnAcctoRltmMesureDnsty", stationName="중구", dataTerm="DAILY")
        assert list(asked.rows) == past
        assert list(_ask(server, "getMinuDustFrcstDspth", searchDate="2026-03-15").rows) == issued[1:]
        assert _ask(server, "getMinuDustFrcstDspth", searchDate="2026-03-17").rows == ()


def test_faults_come_when_they_are_asked_for_and_cost_no_answer() -> None:
    with ReplayServer(recording([measurement_row("중구")], [measurement_row("종로구")])) as server:
        server.fail_next(Fault(Reply(b"sorry", 503)), Fault(Reply(b"0123456789", cut=True)), Fault(delay_seconds=0.2))
        url = f"{server.url}/ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"
        assert httpx.get(url).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url)
        started = time.monotonic()
        assert _ask(server).rows[0]["stationName"] == "중구"
        assert time.monotonic() - started > 0.15
        server.fail(Fault(Reply(b"", 500)))
        assert [httpx.get(url).status_code for _ in range(2)] == [500, 500]
        server.fail(None)
        assert _ask(server).rows[0]["stationName"] == "종로구"


def test_a_stopped_server_is_gone() -> None:
    with ReplayServer(recording([measurement_row()])) as server:
        _ask(server)
    with pytest.raises(httpx.ConnectError):
        _ask(server)


def test_the_command_serves_files_until_it_is_told_to_stop(tmp_path: Path) -> None:
    files = [
        str(_file(tmp_path, "stations.json", [station_row("중구")])),
        str(_file(tmp_path, "measurements.json", [measurement_row("중구")])),
    ]
    command = [sys.executable, "-m", "cli", "replay", "--port", "0", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name, _, url = process.stdout.readline().strip().partition("=")
        reply = httpx.get(f"{url}/MsrstnInfoInqireSvc/getMsrstnList")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert name == "CLEANAIR_AIRKOREA_URL"
    assert read_answer(reply.status_code, reply.content).rows[0]["stationName"] == "중구"


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with (
        ReplayServer(recording([measurement_row()])) as server,
        pytest.raises(AddressTaken, match=f"cannot listen on 127.0.0.1:{server.port}"),
    ):
        ReplayServer(recording([measurement_row()]), port=server.port)


@pytest.mark.real_data
def test_recorded_files_are_served_as_they_are(real_data: Path) -> None:
    samples = real_data / "api_samples"
    nationwide = samples / "airkorea_getCtprvnRltmMesureDnsty_ver1.0_nationwide_20260316T0800_items.json"
    files = [samples / "airkorea_getMsrstnList_items_nationwide_664.json", nationwide]
    with ReplayServer(Recording.read([*files, samples / "airkorea_ctprvn_seoul_2400.json"])) as server:
        assert len(_ask(server, "getMsrstnList").rows) == 664
        assert list(_ask(server, sidoName="전국").rows) == json.loads(nationwide.read_bytes())
        assert len(_ask(server, sidoName="서울").rows) == 40
