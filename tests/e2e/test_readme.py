"""Every command of the README works as pasted."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backing.simulated_mesh import SimulatedMesh

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CURL = re.findall(r"^curl .*$", README, re.MULTILINE)
GRPCURL = re.findall(r"^grpcurl .*$", README, re.MULTILINE)
DEFAULT_PORTS = {"gateway": 8080, "ingestion": 50051, "predictor": 50052, "router": 50053}

pytestmark = pytest.mark.timeout(180)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def _here(mesh: SimulatedMesh, line: str) -> list[str]:
    """The line with the ports of this mesh in place of the default ones."""
    for name, port in DEFAULT_PORTS.items():
        line = line.replace(f"localhost:{port}", f"127.0.0.1:{mesh.ports[name]}")
    return shlex.split(line)


def test_there_are_five_of_each_and_more() -> None:
    assert len(CURL) >= 5
    assert len(GRPCURL) >= 5


@pytest.mark.parametrize("line", CURL)
def test_curl(mesh: SimulatedMesh, line: str) -> None:
    done = _run([*_here(mesh, line), "--fail-with-body"])
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer
    assert "error" not in done.stdout.lower()


def test_the_first_route_has_all_that_is_promised(mesh: SimulatedMesh) -> None:
    answer = json.loads(_run(_here(mesh, CURL[1])).stdout)
    routes = {route["routeType"]: route for route in answer["routes"]}
    assert list(routes) == ["FASTEST", "SHORTEST", "HEALTHIEST"]
    assert answer["dataStatus"] == answer["dataStatus"] | {"state": "FRESH", "simulated": True}
    seconds = {name: float(route["duration"].removesuffix("s")) for name, route in routes.items()}
    assert seconds["FASTEST"] == min(seconds.values())
    assert routes["SHORTEST"]["distanceMeters"] == min(route["distanceMeters"] for route in routes.values())
    doses = {route: {dose["pollutant"]: dose for dose in routes[route]["doses"]} for route in routes}
    assert set(doses["HEALTHIEST"]) >= {"PM25", "NO2"}
    assert all(d["doseLowerUg"] <= d["doseUg"] <= d["doseUpperUg"] for one in doses.values() for d in one.values())
    assert routes["HEALTHIEST"]["comparedToFastest"]["doseSavedFraction"] >= 0


@pytest.mark.parametrize("line", GRPCURL)
def test_grpcurl(mesh: SimulatedMesh, line: str) -> None:
    done = _run(_as_buf(_here(mesh, line)))
    streams = "Stream" in line
    assert streams or done.returncode == 0, done.stderr
    assert done.stdout.strip(), done.stderr


def _as_buf(command: list[str]) -> list[str]:
    """`buf curl`, which the development tools bring, does what grpcurl does, in other words."""
    options = command[1:-2]
    target, method = command[-2:]
    data = options[options.index("-d") + 1] if "-d" in options else "{}"
    buf = [str(Path(sys.executable).with_name("buf")), "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
    if method == "list":
        return [*buf, "--list-services", f"http://{target}"]
    limit = ["timeout", options[options.index("-max-time") + 1]] if "-max-time" in options else []
    return [*limit, *buf, "-d", data, f"http://{target}/{method}"]


def test_the_command_for_people(mesh: SimulatedMesh) -> None:
    line = next(line for line in README.splitlines() if "`.venv/bin/cleanair route" in line)
    found = re.search(r"cleanair route ([^`]*)`", line)
    assert found
    done = subprocess.run(
        [sys.executable, "-m", "cli", "route", *found[1].split()],
        env={"CLEANAIR_GATEWAY_TARGET": f"127.0.0.1:{mesh.ports['gateway']}", "COLUMNS": "160", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for word in ("fastest", "shortest", "healthiest", "Simulated"):
        assert word in done.stdout
