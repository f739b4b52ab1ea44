"""Each form of answer that data.go.kr was seen to give is read; anything else is an error of ours, never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.source import SourceError, SourceQuotaExceeded, SourceRefused, SourceUnavailable, SourceUnreadable
from ingestion.sources.data_go_kr_answer import read_answer
from mesh.errors import FailedPrecondition, ResourceExhausted, Unavailable


def _body(items: object, code: object = "00", total: object = 1) -> bytes:
    body = {"totalCount": total, "items": items, "pageNo": 1, "numOfRows": 100}
    return json.dumps({"response": {"header": {"resultCode": code}, "body": body}}).encode()


def _gateway_xml(code: str) -> bytes:
    return (
        "<OpenAPI_ServiceResponse>\n\t<cmmMsgHeader>\n\t\t<errMsg>SERVICE ERROR</errMsg>\n"
        f"\t\t<returnAuthMsg>SOME_ERROR</returnAuthMsg>\n\t\t<returnReasonCode>{code}</returnReasonCode>\n"
        "\t</cmmMsgHeader>\n</OpenAPI_ServiceResponse>"
    ).encode()


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([{"stationName": "중구"}, {"stationName": "종로구"}], ["중구", "종로구"]),
        ({"stationName": "중구"}, ["중구"]),
        ({"item": [{"stationName": "중구"}]}, ["중구"]),
        ({"item": {"stationName": "중구"}}, ["중구"]),
        ("", []),
        (None, []),
        ([], []),
        ({"item": ""}, []),
    ],
    ids=["list", "one", "item list", "item one", "empty text", "null", "empty list", "empty item"],
)
def test_rows_are_found_in_each_form_of_items(items: object, names: list[str]) -> None:
    assert [row["stationName"] for row in read_answer(200, _body(items)).rows] == names


@pytest.mark.parametrize("total", [1234, "1234", " 1234 "])
def test_the_total_count_may_be_a_number_or_text(total: object) -> None:
    assert read_answer(200, _body([{}], total=total)).total_count == 1234


@pytest.mark.parametrize("code", ["00", "0", 0])
def test_a_normal_code_is_normal_however_it_is_written(code: object) -> None:
    assert len(read_answer(200, _body([{}], code)).rows) == 1


def test_no_data_is_an_answer_without_rows() -> None:
    assert read_answer(200, b'{"response":{"header":{"resultCode":"03","resultMsg":"NO_DATA"}}}').rows == ()


@pytest.mark.parametrize("status", [200, 401, 403, 500])
@pytest.mark.parametrize(
    ("code", "kind", "grpc_kind"),
    [
        ("1", SourceUnavailable, Unavailable),
        ("4", SourceUnavailable, Unavailable),
        ("23", SourceUnavailable, Unavailable),
        ("99", SourceUnavailable, Unavailable),
        ("10", SourceRefused, FailedPrecondition),
        ("12", SourceRefused, FailedPrecondition),
        ("20", SourceRefused, FailedPrecondition),
        ("22", SourceQuotaExceeded, ResourceExhausted),
        ("30", SourceRefused, FailedPrecondition),
        ("31", SourceRefused, FailedPrecondition),
        ("32", SourceRefused, FailedPrecondition),
        ("77", SourceRefused, FailedPrecondition),
    ],
)
def test_an_error_of_the_gateway_keeps_its_code_in_all_its_forms(
    status: int, code: str, kind: type[SourceError], grpc_kind: type[Exception]
) -> None:
    twin = {"OpenAPI_ServiceResponse": {"cmmMsgHeader": {"errMsg": "X", "returnReasonCode": code}}}
    for body in (_gateway_xml(code), json.dumps(twin).encode(), _body([], code.zfill(2))):
        with pytest.raises(kind) as raised:
            read_answer(status, body)
        assert raised.value.code == code
        assert raised.value.retryable is (kind is SourceUnavailable)
        assert isinstance(raised.value, grpc_kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, SourceUnavailable), (503, SourceUnavailable), (429, SourceUnavailable), (401, SourceRefused)],
)
def test_a_bare_http_error_is_told_by_its_status(status: int, kind: type[SourceError]) -> None:
    with pytest.raises(kind) as raised:
        read_answer(status, b"<html>sorry</html>")
    assert raised.value.code == f"HTTP_{status}"


@pytest.mark.parametrize("http_status", [200, 401])
def test_a_refusal_of_apihub_is_told_by_the_status_in_its_body(http_status: int) -> None:
    body = json.dumps({"result": {"status": 401, "message": "유효한 인증키가 아닙니다."}}).encode()
    with pytest.raises(SourceRefused) as raised:
        read_answer(http_status, body)
    assert raised.value.code == "HTTP_401"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"<html/>",
        b"null",
        b"[]",
        b"{}",
        b'{"response": null}',
        b'{"response": {"header": {"resultCode": true}, "body": {"items": []}}}',
        _body(7),
        _body("no rows"),
        _body([{}, 3]),
        b"[" * 100_000,
        b'{"response": {"header": {"resultCode": "00"}}}',
    ],
)
def test_what_is_no_answer_is_said_to_be_unreadable(body: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        read_answer(200, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["response", "header", "body", "items"]), inner),
    max_leaves=12,
)


@given(st.integers(100, 599), st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_rows_or_an_error_with_a_code(status: int, body: bytes) -> None:
    try:
        answer = read_answer(status, body)
    except SourceError as error:
        assert error.code  # noqa: PT017 - either outcome is right
    else:
        assert answer.total_count >= 0


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("airkorea_ctprvn_seoul_2400.json", 40),
        ("airkorea_ctprvn_seoul_most_flags.json", 40),
        ("airkorea_ctprvn_ver1.5_seoul_1row_20251126T1400.json", 1),
        ("airkorea_station_jongno_ver1.3_DAILY.json", 1),
        ("kma_no_data_03.json", 0),
    ],
)
def test_recorded_answers_are_read(real_data: Path, name: str, rows: int) -> None:
    assert len(read_answer(200, (real_data / "api_samples" / name).read_bytes()).rows) == rows


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("status", "name"),
    [(200, "datagokr_gateway_error_30.xml"), (403, "datagokr_gateway_error_30_json_http403.json")],
)
def test_recorded_errors_are_told_by_their_code(real_data: Path, status: int, name: str) -> None:
    with pytest.raises(SourceRefused) as raised:
        read_answer(status, (real_data / "api_samples" / name).read_bytes())
    assert raised.value.code == "30"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("status", "name"), [(401, "kma_apihub_http401_bad_key.json"), (403, "kma_apihub_http403_not_applied.json")]
)
def test_recorded_refusals_of_apihub_are_told_by_their_status(real_data: Path, status: int, name: str) -> None:
    with pytest.raises(SourceRefused) as raised:
        read_answer(status, (real_data / "api_samples" / name).read_bytes())
    assert raised.value.code == f"HTTP_{status}"
