"""What REST callers get when they ask for what there is."""

from __future__ import annotations

import httpx

from tests.gateway.conftest import Gateway

SEOUL = {"latitude": 37.5665, "longitude": 126.978}
SINCHON = {"latitude": 37.5559, "longitude": 126.9368}


async def test_a_post_reaches_the_service_and_answers_in_camel_case(gateway: Gateway) -> None:
    body = {"origin": SEOUL, "destination": SINCHON, "routeTypes": ["FASTEST", "HEALTHIEST"]}
    answer = await gateway.http.post("/api/v1/routes/calculate", json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert [route["routeType"] for route in answer.json()["routes"]] == ["FASTEST", "HEALTHIEST"]


async def test_field_names_are_taken_in_both_spellings(gateway: Gateway) -> None:
    body = {"origin": SEOUL, "destination": SINCHON, "route_types": ["SHORTEST"]}
    answer = await gateway.http.post("/api/v1/routes/calculate", json=body)
    assert [route["routeType"] for route in answer.json()["routes"]] == ["SHORTEST"]


async def test_a_zero_is_printed_and_an_absent_value_stays_absent(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/readings", params={"pageSize": 1})
    reading = answer.json()["readings"][0]
    assert reading["pm25UgM3"] == 0
    assert "pm10UgM3" not in reading
    assert reading["flags"] == []
    assert reading["station"]["displayName"] == "중구"


async def test_queries_are_taken_in_both_spellings_and_repeat(gateway: Gateway) -> None:
    query = "pageSize=2&station_ids=a&station_ids=b&startTime=2024-01-01T00:00:00Z"
    answer = await gateway.http.get(f"/api/v1/readings?{query}")
    assert len(answer.json()["readings"]) == 2


async def test_an_answer_larger_than_envoys_buffers_arrives_whole(gateway: Gateway) -> None:
    plain = {"accept-encoding": "identity"}
    answer = await gateway.http.get("/api/v1/readings", params={"pageSize": 1000}, headers=plain)
    assert len(answer.json()["readings"]) == 1000


async def test_a_body_just_below_the_limit_is_taken(gateway: Gateway) -> None:
    body = '{"origin":{"latitude":1,"longitude":1},"destination":{"latitude":2,"longitude":1}}'.ljust(2**20)
    answer = await gateway.http.post("/api/v1/routes/calculate", content=body)
    assert answer.status_code == 200


async def test_variables_in_paths_are_unescaped(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/routes/서울 1")
    assert answer.json()["route"]["routeId"] == "서울 1"


async def test_every_path_reaches_the_server_that_owns_it(gateway: Gateway) -> None:
    key = {"x-api-key": "a-key-for-operators-only"}
    stops = {"origin": SEOUL, "stops": [{"point": SINCHON}]}
    asked: list[tuple[httpx.Response, str]] = [
        (await gateway.http.get("/api/v1/readings"), "ListReadings"),
        (await gateway.http.post("/api/v1/collect/air-quality", headers=key, json={}), "CollectAirQuality"),
        (await gateway.http.post("/api/v1/predict/air-quality", json={"stationIds": ["a"]}), "PredictAirQuality"),
        (await gateway.http.get("/api/v1/models/status", headers=key), "GetModelStatus"),
        (await gateway.http.post("/api/v1/models/reload", headers=key, json={}), "ReloadModels"),
        (await gateway.http.get("/api/v1/predictions/cache?stationId=a&pageSize=2"), "ListCachedPredictions"),
        (await gateway.http.get("/api/v1/routes/r1"), "GetRoute"),
        (await gateway.http.post("/api/v1/routes/optimize", json=stops), "OptimizeRoute"),
        (await gateway.http.get("/api/v1/locations/search?query=ㄱㄴㅇ&pageSize=2"), "SearchLocations"),
        (await gateway.http.get("/api/v1/locations/reverse?point.latitude=37&point.longitude=127"), "ReverseGeocode"),
        (await gateway.http.get("/api/v1/graphs"), "ListGraphs"),
        (await gateway.http.post("/api/v1/graphs/reload", headers=key, json={}), "ReloadGraphs"),
    ]
    assert [response.status_code for response, _ in asked] == [200] * len(asked)
    assert [call.rpc for call in gateway.witness.calls[-len(asked) :]] == [rpc for _, rpc in asked]


async def test_health_is_the_routers_answer(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/health")
    assert answer.json()["lines"][0] == {"service": "router", "part": "server", "state": "UP", "detail": ""}


async def test_the_root_lists_what_there_is(gateway: Gateway) -> None:
    answer = await gateway.http.get("/")
    listed = {(method["verb"], method["path"]): method for method in answer.json()["methods"]}
    assert listed["POST", "/api/v1/routes/calculate"]["rpc"] == "cleanair.router.v1.RouteService/CalculateRoutes"
    assert listed["GET", "/api/v1/health"]["summary"].startswith("The health of this server")


async def test_healthz_is_the_gateways_own(gateway: Gateway) -> None:
    assert (await gateway.http.get("/healthz")).status_code == 200


async def test_answers_are_compressed_as_asked(gateway: Gateway) -> None:
    sizes = {}
    for encoding in ("identity", "gzip", "br"):
        async with gateway.http.stream(
            "GET", "/api/v1/readings?pageSize=100", headers={"accept-encoding": encoding}
        ) as answer:
            assert answer.headers.get("content-encoding", "identity") == encoding
            sizes[encoding] = sum([len(chunk) async for chunk in answer.aiter_raw()])
    assert sizes["br"] < sizes["gzip"] < sizes["identity"] / 10


async def test_a_request_id_is_kept_and_one_is_given_to_those_without(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/routes/r1", headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert gateway.witness.last.metadata["x-request-id"] == "mine-1"
    answer = await gateway.http.get("/api/v1/routes/r1")
    assert answer.headers["x-request-id"] == gateway.witness.last.metadata["x-request-id"]


async def test_nobody_outside_may_steer_envoy(gateway: Gateway) -> None:
    headers = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "9",
        "x-envoy-internal": "true",
        "x-envoy-original-path": "/not/asked/for",
    }
    await gateway.http.get("/api/v1/routes/r1", headers=headers)
    seen = gateway.witness.last.metadata
    assert seen["x-envoy-original-path"] == "/api/v1/routes/r1"
    assert not (set(headers) - {"x-envoy-original-path"}) & set(seen)
