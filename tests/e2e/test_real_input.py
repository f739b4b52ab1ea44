"""Recorded air over real streets: AirKorea's answers of Seoul and the streets of Sinchon, by curl through Envoy."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from simulation.replay import Recording, ReplayServer
from tests.backing.forks import start_command
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.backing.ready import until_whole

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(180)]

RECORDED_AT: Final = "2026-03-16T08:20:00+09:00"
ANSWER: Final = "airkorea_getCtprvnRltmMesureDnsty_ver1.0_nationwide_20260316T0800_items.json"
STATIONS: Final = "airkorea_getMsrstnList_items_nationwide_664.json"
# From Sinchon station to the gate of Ewha Womans University.
TRIP: Final = {
    "origin": {"latitude": 37.5553, "longitude": 126.9369},
    "destination": {"latitude": 37.5605, "longitude": 126.9463},
}


@pytest.fixture(scope="module")
def mesh(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeshProcesses]:
    folder = tmp_path_factory.mktemp("seoul")
    graph = folder / "sinchon.graph"
    extract = real_data / "roads" / "seoul_sinchon_ewha.osm.pbf"
    log = folder / "import.log"
    importing = start_command(
        ("graph", "import", str(extract), "--out", str(graph)), os.environ, stdout=log, stderr=log
    )
    importing.join(60)
    assert importing.exitcode == 0, log.read_text(encoding="utf-8")
    samples = real_data / "api_samples"
    with ReplayServer(Recording.read([samples / STATIONS, samples / ANSWER])) as airkorea:
        settings = {
            "CLEANAIR_AIRKOREA_URL": airkorea.url,
            "CLEANAIR_AIRKOREA_KEY": "a+recorded/key==",
            "CLEANAIR_GRAPH_PATH": str(graph),
            "CLEANAIR_NOW": RECORDED_AT,
        }
        with mesh_processes(folder, settings) as mesh:
            mesh.start("ingestion", "predictor", "router", "gateway")
            until_whole(mesh.target("gateway"))
            yield mesh


def curl(mesh: MeshProcesses, path: str, body: object | None = None, *options: str) -> dict[str, Any]:
    data = ["-d", json.dumps(body)] if body is not None else []
    done = subprocess.run(
        ["curl", "-sS", *data, *options, mesh.url + path], capture_output=True, text=True, timeout=30, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_recorded_readings_of_seoul_are_there(mesh: MeshProcesses) -> None:
    answer = curl(mesh, "/api/v1/readings?pageSize=100")
    readings = answer["readings"]
    assert len(readings) == 40
    sinchon = next(one for one in readings if one["station"]["stationId"] == "신촌로")
    assert sinchon["station"]["network"] == "ROADSIDE"
    assert sinchon["measuredAt"] == "2026-03-15T23:00:00Z"
    assert not any(one["station"]["simulated"] for one in readings)


def test_a_forecast_is_made_from_them(mesh: MeshProcesses) -> None:
    answer = curl(mesh, "/api/v1/predict/air-quality", {"stationIds": ["서대문구"], "horizonHours": 72})
    (forecast,) = answer["forecasts"]
    assert forecast["issueTime"] == "2026-03-15T23:00:00Z"
    assert {series["pollutant"] for series in forecast["series"]} == {"PM25", "PM10", "O3", "NO2"}
    for series in forecast["series"]:
        assert len(series["median"]) == 72
        bands = zip(series["lower"], series["median"], series["upper"], strict=True)
        assert all(0 <= lower <= median <= upper for lower, median, upper in bands)


def test_three_routes_over_the_streets_of_sinchon(mesh: MeshProcesses) -> None:
    answer = curl(mesh, "/api/v1/routes/calculate", TRIP)
    routes = {route["routeType"]: route for route in answer["routes"]}
    assert list(routes) == ["FASTEST", "SHORTEST", "HEALTHIEST"]
    for route in routes.values():
        assert 900 < route["distanceMeters"] < 2500
        assert route["encodedPolyline"]
        doses = {dose["pollutant"]: dose for dose in route["doses"]}
        assert doses["NO2"]["doseLowerUg"] <= doses["NO2"]["doseUg"] <= doses["NO2"]["doseUpperUg"]
        assert 5 < doses["PM25"]["meanConcentrationUgM3"] < 150
    assert routes["SHORTEST"]["distanceMeters"] <= routes["FASTEST"]["distanceMeters"] + 1e-6
    assert routes["HEALTHIEST"]["comparedToFastest"]["doseSavedFraction"] >= 0
    status = answer["dataStatus"]
    assert status == {"state": "FRESH", "reasons": [], "newestMeasuredAt": "2026-03-15T23:00:00Z", "simulated": False}


def test_collecting_again_changes_nothing(mesh: MeshProcesses) -> None:
    key = ("-H", f"x-api-key: {OPERATOR_KEY}")
    answer = curl(mesh, "/api/v1/collect/air-quality", {}, *key)
    assert answer["newCount"] == answer["correctedCount"] == 0
    assert answer["unchangedCount"] == 40


def test_the_service_key_is_in_no_log(mesh: MeshProcesses) -> None:
    log = mesh.log("ingestion").read_text(encoding="utf-8")
    assert "recorded" not in log
    assert grpc.StatusCode.INTERNAL.name not in log
