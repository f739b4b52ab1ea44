"""Each mistake of a REST caller gets its own 4xx, as JSON, that names what is wrong."""

from __future__ import annotations

import asyncio
import json
from email.parser import Parser
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Gateway

ENDS = {"origin": {"latitude": 37.5, "longitude": 127.0}, "destination": {"latitude": 37.6, "longitude": 127.0}}
CALCULATE = "/api/v1/routes/calculate"
PREDICT = "/api/v1/predict/air-quality"


class Mistake(NamedTuple):
    """A request, and what its answer must be and say."""

    verb: str
    path: str
    body: str | bytes | None
    status: int
    code: int
    said: str


def calculate(status: int, said: str, **fields: object) -> Mistake:
    return Mistake("POST", CALCULATE, json.dumps(ENDS | fields), status, 3, said)


def predict(said: str, **fields: object) -> Mistake:
    return Mistake("POST", PREDICT, json.dumps({"stationIds": ["a"]} | fields), 400, 3, said)


def raw(body: str | bytes, status: int, said: str) -> Mistake:
    return Mistake("POST", CALCULATE, body, status, 3, said)


MISTAKES = {
    "cut off": raw('{"origin": ', 400, "Unexpected end of string"),
    "no JSON at all": raw("origin=here", 400, "Unexpected token"),
    "not an object": raw("[1]", 400, "Root element must be a message"),
    "something after the end": raw(json.dumps(ENDS) + "more", 400, "Parsing terminated before end of input"),
    "too deep": raw('{"routeTypes":' + "[" * 100_000 + "]" * 100_000 + "}", 400, "too deep"),
    "not UTF-8": raw(b'{"origin":"\xff"}', 400, "UTF-8"),
    "deeper than the check goes": raw('{"x":' * 70 + "1" + "}" * 70, 400, "x: no such field"),
    "unknown field": calculate(400, "travelmode: no such field; there are algorithm, departureTime", travelmode="RUN"),
    "unknown field within": calculate(400, "origin.lat: no such field; there are latitude", origin={"lat": 1}),
    "unknown field in a list": predict("points[1].lon: no such field", points=[{"latitude": 1}, {"lon": 2}]),
    "unknown field where there is none": Mistake(
        "POST", "/api/v1/models/reload", '{"now": true}', 400, 3, "now: no such field; it has none"
    ),
    "empty": raw("", 400, "origin: value is required"),
    "equal ends": calculate(400, "destination is the same place as origin", destination=ENDS["origin"]),
    "text for a number": calculate(400, "origin.latitude", origin={"latitude": "north", "longitude": 1}),
    "number for a message": calculate(400, "origin: invalid value 5", origin=5),
    "outside the world": calculate(400, "origin.latitude", origin={"latitude": 99, "longitude": 1}),
    "not a number": calculate(400, "origin.latitude", origin={"latitude": "NaN", "longitude": 1}),
    "half a point": calculate(400, "origin.longitude", origin={"latitude": 1}),
    "unknown enum name": calculate(400, 'travel_mode: invalid value "TELEPORT"', travelMode="TELEPORT"),
    "unknown enum number": calculate(400, "travel_mode", travelMode=99),
    "text for a list": calculate(400, "route_types", routeTypes="FAST"),
    "no time": calculate(400, "departure_time", departureTime="tomorrow"),
    "negative hours": predict("horizon_hours", horizonHours=-3),
    "text for hours": predict("horizon_hours", horizonHours="soon"),
    "part of an hour": predict("horizon_hours", horizonHours=1.5),
    "hours beyond any integer": predict("horizon_hours", horizonHours=10**12),
    "stations and points": predict("station_ids or points", points=[ENDS["origin"]]),
    "unknown query": Mistake("GET", "/api/v1/readings?color=red", None, 400, 3, 'field "color"'),
    "wrong type in query": Mistake("GET", "/api/v1/readings?pageSize=many", None, 400, 3, "page_size"),
    "out of range in query": Mistake("GET", "/api/v1/readings?pageSize=-1", None, 400, 3, "page_size"),
    "no time in query": Mistake("GET", "/api/v1/readings?startTime=today", None, 400, 3, "start_time"),
    "too long a path variable": Mistake("GET", f"/api/v1/routes/{'x' * 65}", None, 400, 3, "route_id"),
    "unknown route": Mistake("GET", "/api/v1/routes/missing", None, 404, 5, "no such route"),
    "unknown path": Mistake("GET", "/api/v2/health", None, 404, 5, "no such path"),
    "unknown path, POST": Mistake("POST", "/", "{}", 404, 5, "no such path"),
    "REST on a gRPC path": Mistake("POST", "/cleanair.router.v1.RouteService/GetRoute", "{}", 404, 5, "GetRoute"),
    "wrong verb": Mistake("DELETE", "/api/v1/routes/r1", None, 405, 12, "this path takes GET"),
    "wrong verb, fixed path": Mistake("POST", "/api/v1/readings", "{}", 405, 12, "this path takes GET"),
}


TOO_LARGE = {
    "of a known field": '{"origin":"' + "x" * 5_000_000 + '"}',
    "of an unknown one": '{"x":"' + "x" * 5_000_000 + '"}',
    "of space": " " * 5_000_000,
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_is_answered_with_its_own_status_and_words(gateway: Gateway, mistake: Mistake) -> None:
    headers = {"content-type": "application/json"} if mistake.body is not None else {}
    answer = await gateway.http.request(mistake.verb, mistake.path, content=mistake.body, headers=headers)
    assert_told(answer.status_code, answer.headers["content-type"], answer.content, mistake)


@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_five_megabytes_are_refused_before_they_are_read(gateway: Gateway, body: str) -> None:
    mistake = raw(body, 413, "larger than 1048576 bytes")
    status, content_type, told = await told_while_sending(await gateway.envoy.port(), body.encode())
    assert_told(status, content_type, told, mistake)


async def told_while_sending(port: int, body: bytes) -> tuple[int, str, bytes]:
    """Reads while it writes: the gateway hangs up soon after its answer, and who writes on first may miss that."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        headers = f"host: gateway\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        writer.write(f"POST {CALCULATE} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = Parser().parsestr(head.partition("\r\n")[2])
        told = await reader.readexactly(int(fields["content-length"]))
        return int(head.split()[1]), str(fields["content-type"]), told
    finally:
        writer.transport.abort()


def assert_told(status: int, content_type: str, body: bytes, mistake: Mistake) -> None:
    """The answer has the shape of all errors, and is the one of this mistake."""
    assert status == mistake.status
    assert content_type == "application/json"
    said = json.loads(body)
    assert set(said) == {"code", "message", "details"}
    assert said["code"] == mistake.code
    assert mistake.said in said["message"]
    reasons = [detail for detail in said["details"] if detail["@type"].endswith("google.rpc.ErrorInfo")]
    assert [detail["domain"] for detail in reasons] == ["cleanair"]
    assert reasons[0]["reason"]


async def test_a_rule_of_the_contract_is_told_by_field(gateway: Gateway) -> None:
    answer = await gateway.http.post(CALCULATE, json={})
    details = {detail["@type"].rpartition(".")[2]: detail for detail in answer.json()["details"]}
    assert details["ErrorInfo"]["domain"] == "cleanair"
    assert [violation["field"] for violation in details["BadRequest"]["fieldViolations"]] == ["origin", "destination"]


async def test_a_wrong_verb_is_told_the_right_ones(gateway: Gateway) -> None:
    assert (await gateway.http.delete("/api/v1/routes/r1")).headers["allow"] == "GET"
    assert (await gateway.http.delete("/api/v1/routes/calculate")).headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"x_underscore": "1"}, 400, id="a name that proxies read in two ways"),
        pytest.param({"x-long": "x" * 20_000}, 431, id="20 kB of header"),
        pytest.param({f"x-{i}": "1" for i in range(100)}, 431, id="a hundred headers"),
    ],
)
async def test_headers_have_limits(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    answer = await gateway.http.get("/api/v1/health", headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"] == 3


async def test_nothing_of_a_servers_inside_leaks(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/routes/crash")
    assert answer.status_code == 500
    assert answer.json()["code"] == 13
    assert "secret-db-password" not in answer.text


async def test_a_path_of_broken_utf8_is_the_callers_mistake(gateway: Gateway) -> None:
    answer = await gateway.http.send(httpx.Request("GET", gateway.http.base_url.join("/api/v1/routes/%ff")))
    assert answer.status_code == 400
    assert answer.json()["code"] == 3


spaces = st.text(alphabet=" \t\r\n", max_size=3)
texts = st.text(max_size=8)
numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), st.just(None))
points = st.dictionaries(st.sampled_from(["latitude", "longitude"]), numbers)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "stationIds": st.lists(texts, max_size=3),
        "points": st.lists(points, max_size=3),
        "horizonHours": numbers,
        "pollutants": st.lists(st.sampled_from(["PM25", "NO2", 4]), max_size=3),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies, comma=spaces, colon=spaces, ascii_only=st.booleans())
async def test_known_fields_are_never_called_unknown(
    gateway: Gateway, body: dict[str, object], comma: str, colon: str, *, ascii_only: bool
) -> None:
    separators = (f"{comma},{comma}", f"{colon}:{colon}")
    text = comma + json.dumps(body, separators=separators, ensure_ascii=ascii_only) + colon
    answer = await gateway.http.post(PREDICT, content=text.encode("utf-8", "surrogatepass"))
    assert "no such field" not in answer.text


async def test_a_key_may_be_written_with_escapes(gateway: Gateway) -> None:
    text = json.dumps(ENDS).replace('"origin"', '"\\u006frigin"')
    assert (await gateway.http.post(CALCULATE, content=text)).status_code == 200
    text = json.dumps(ENDS).replace('"origin"', '"ori\\"gin"')
    assert "no such field" in (await gateway.http.post(CALCULATE, content=text)).json()["message"]
