"""The real mesh through the real Envoy: what a caller from outside gets, and never a stack trace or a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator

import grpc
import httpx
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2 as predictor
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as router
from cleanair.router.v1 import route_service_pb2_grpc
from inference import grpc_inference_service_pb2 as inference
from inference import grpc_inference_service_pb2_grpc

from tests.backing.simulated_mesh import SimulatedMesh

pytestmark = pytest.mark.timeout(240)

ORIGIN = {"latitude": 36.335, "longitude": 127.88}
DESTINATION = {"latitude": 36.365, "longitude": 127.92}
ENDS = {"origin": ORIGIN, "destination": DESTINATION}
CALCULATE = "/api/v1/routes/calculate"
PREDICT = "/api/v1/predict/air-quality"


@pytest.fixture(scope="module")
def http(mesh: SimulatedMesh) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mesh.url, timeout=30.0) as client:
        yield client


@pytest.fixture(scope="module")
def channel(mesh: SimulatedMesh) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{mesh.ports['gateway']}") as opened:
        yield opened


@pytest.fixture
def operator(mesh: SimulatedMesh) -> dict[str, str]:
    return {"x-api-key": (mesh.data_dir / "operator.key").read_text(encoding="utf-8").strip()}


def test_rest_grpc_and_grpc_web_give_one_answer(http: httpx.Client, channel: grpc.Channel) -> None:
    by_rest = http.post(CALCULATE, json=ENDS).json()["routes"]
    request = router.CalculateRoutesRequest()
    request.origin.latitude, request.origin.longitude = ORIGIN.values()
    request.destination.latitude, request.destination.longitude = DESTINATION.values()
    by_grpc = route_service_pb2_grpc.RouteServiceStub(channel).CalculateRoutes(request, timeout=30).routes
    content = request.SerializeToString()
    web = http.post(
        "/cleanair.router.v1.RouteService/CalculateRoutes",
        content=b"\0" + len(content).to_bytes(4, "big") + content,
        headers={"content-type": "application/grpc-web+proto"},
    ).content
    by_web = router.CalculateRoutesResponse.FromString(web[5 : 5 + int.from_bytes(web[1:5], "big")]).routes
    assert [route["encodedPolyline"] for route in by_rest] == [route.encoded_polyline for route in by_grpc]
    assert [route.encoded_polyline for route in by_grpc] == [route.encoded_polyline for route in by_web]


def test_a_route_can_be_asked_for_again(http: httpx.Client) -> None:
    route = http.post(CALCULATE, json=ENDS).json()["routes"][0]
    assert http.get(f"/api/v1/routes/{route['routeId']}").json()["route"] == route


def test_health_is_a_line_for_each_server(http: httpx.Client) -> None:
    lines = http.get("/api/v1/health").json()["lines"]
    assert [line["service"] for line in lines if line["part"] == "server"] == ["router", "predictor", "ingestion"]


MISTAKES = {
    "outside the world": (CALCULATE, {**ENDS, "origin": {"latitude": 91, "longitude": 0}}, "origin.latitude"),
    "outside the graph": (CALCULATE, {**ENDS, "origin": {"latitude": -50, "longitude": 10}}, "origin"),
    "equal ends": (CALCULATE, {"origin": ORIGIN, "destination": ORIGIN}, "destination"),
    "no destination": (CALCULATE, {"origin": ORIGIN}, "destination"),
    "unknown mode": (CALCULATE, {**ENDS, "travelMode": "TELEPORT"}, "travel_mode"),
    "mode of no name": (CALCULATE, {**ENDS, "travelMode": 77}, "travel_mode"),
    "no type": (CALCULATE, {**ENDS, "routeTypes": ["TYPE_UNSPECIFIED"]}, "route_types"),
    "the same type twice": (CALCULATE, {**ENDS, "routeTypes": ["FASTEST", "FASTEST"]}, "route_types"),
    "departure long ago": (CALCULATE, {**ENDS, "departureTime": "2001-01-01T00:00:00Z"}, "departure_time"),
    "departure far ahead": (CALCULATE, {**ENDS, "departureTime": "2999-01-01T00:00:00Z"}, "departure_time"),
    "negative hours": (PREDICT, {"points": [ORIGIN], "horizonHours": -1}, "horizon_hours"),
    "too many hours": (PREDICT, {"points": [ORIGIN], "horizonHours": 73}, "horizon_hours"),
    "no hours": (PREDICT, {"points": [ORIGIN], "horizonHours": 0}, "horizon_hours"),
    "ten thousand points": (PREDICT, {"points": [ORIGIN] * 10_000}, "points"),
    "a point far from all stations": (PREDICT, {"points": [{"latitude": 35.68, "longitude": 139.69}]}, "points[0]"),
    "no number": (PREDICT, {"points": [{"latitude": "NaN", "longitude": 127.0}]}, "points[0].latitude"),
    "beyond all numbers": (PREDICT, {"points": [{"latitude": 36.0, "longitude": "Infinity"}]}, "points[0].longitude"),
    "stations and points": (PREDICT, {"points": [ORIGIN], "stationIds": ["a"]}, "station_ids or points"),
    "a station twice": (PREDICT, {"stationIds": ["a", "a"]}, "station_ids"),
    "unknown pollutant": (PREDICT, {"points": [ORIGIN], "pollutants": ["DUST"]}, "pollutants"),
    "a pollutant that is not forecast": (PREDICT, {"points": [ORIGIN], "pollutants": ["CO"]}, "pollutants"),
    "nothing to forecast for": (PREDICT, {}, "station_ids or points"),
    "a misspelt field": (PREDICT, {"points": [ORIGIN], "horizon": 3}, "horizon: no such field"),
}


@pytest.mark.parametrize(("path", "body", "named"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_400_that_names_the_field(
    http: httpx.Client, path: str, body: dict[str, object], named: str
) -> None:
    answer = http.post(path, json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert said["code"] in {3, 11}
    assert named in said["message"] or named in json.dumps(said["details"])
    assert "Traceback" not in answer.text


def test_what_is_ready_is_listed(http: httpx.Client) -> None:
    station_ids = [reading["station"]["stationId"] for reading in http.get("/api/v1/readings").json()["readings"]]
    point = {"latitude": 36.351, "longitude": 127.901}
    asked = {"points": [point], "horizonHours": 2}
    first, again = (http.post(PREDICT, json=asked).json()["forecasts"] for _ in range(2))
    assert first == again
    (forecast,) = first
    page = http.get("/api/v1/predictions/cache", params={"pageSize": 1000}).json()
    assert {one["station"]["stationId"] for one in page["predictions"] if "station" in one} >= set(station_ids)
    assert point in [one["point"] for one in page["predictions"] if "point" in one]
    assert page["totalSize"] == len(page["predictions"])
    assert int(page["hits"]) >= 1
    assert int(page["misses"]) >= 1
    assert set(forecast["limitations"]) >= {"INTERPOLATED"}
    assert len(forecast["confidenceScores"]) == len(forecast["series"][0]["aboveGood"]) == 2
    assert http.get("/api/v1/predictions/cache?pageToken=nonsense").status_code == 400


@pytest.mark.parametrize(
    "query", ["pageSize=-1", "pageSize=x", "pageToken=%00%ff", "startTime=now", "stationIds=", "q=1"]
)
def test_a_wrong_query_is_a_400(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/api/v1/readings?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_what_is_not_there_is_a_404(http: httpx.Client) -> None:
    assert http.get("/api/v1/routes/none-such").status_code == 404
    assert http.post(PREDICT, json={"stationIds": ["none-such"]}).status_code == 404


def test_how_good_forecasts_were_is_a_page(http: httpx.Client) -> None:
    page = http.get("/api/v1/models/performance?days=7", headers={"accept-language": "ko"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<html lang="ko">' in page.text


def test_operator_calls_need_the_key(http: httpx.Client, operator: dict[str, str]) -> None:
    assert http.get("/api/v1/models/status").status_code == 401
    assert http.get("/api/v1/models/status", headers=operator).json()["stationCount"] == 25
    assert http.post("/api/v1/collect/air-quality", headers=operator, timeout=60).json()["rejectedCount"] == 0
    reloaded = http.post("/api/v1/models/reload", headers=operator).json()
    assert reloaded["changed"] is False
    alias = {"alias": "CHALLENGER", "version": reloaded["model"]["version"]}
    assert http.post("/api/v1/models/alias", json=alias).status_code == 401
    answer = http.post("/api/v1/models/alias", json=alias, headers=operator)
    assert answer.json()["details"][0]["reason"] == "MODEL_IN_SERVICE"


def test_models_are_asked_with_tensors(channel: grpc.Channel) -> None:
    request = inference.ModelInferRequest(model_name="champion")
    values = request.inputs.add(name="values", datatype="FP32", shape=[1, 1, 4])
    values.contents.fp32_contents.extend([20, 40, 0.03, 0.02])
    request.inputs.add(name="issue_hour", datatype="INT64", shape=[1]).contents.int64_contents.append(493_203)
    answer = grpc_inference_service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)
    assert list(answer.outputs[0].shape) == [1, 72, 4]
    assert len(answer.outputs[0].contents.fp32_contents) == 72 * 4


def test_forecasts_stream_and_readings_do_not(channel: grpc.Channel) -> None:
    forecasts = prediction_service_pb2_grpc.PredictionServiceStub(channel).StreamForecasts(
        predictor.StreamForecastsRequest(), timeout=30
    )
    assert next(iter(forecasts)).forecasts
    forecasts.cancel()
    readings = ingestion_service_pb2_grpc.IngestionServiceStub(channel).StreamReadings(
        ingestion.StreamReadingsRequest(), timeout=30
    )
    with pytest.raises(grpc.RpcError) as caught:
        next(iter(readings))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
