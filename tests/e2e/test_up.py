"""`cleanair up`, as a person meets it: it starts, it says what to do, it stops, and its mistakes are one sentence."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backing.simulated_mesh import SimulatedMesh, environment, free_ports
from tests.e2e.conftest import FirstStart

pytestmark = pytest.mark.timeout(240)


def test_it_says_a_curl_line_that_works(mesh: SimulatedMesh) -> None:
    line = next(line.strip() for line in mesh.welcome.splitlines() if line.strip().startswith("curl "))
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True)
    assert [route["routeType"] for route in json.loads(done.stdout)["routes"]] == ["FASTEST", "SHORTEST", "HEALTHIEST"]


def test_it_says_what_is_simulated(mesh: SimulatedMesh) -> None:
    assert "simulated" in mesh.welcome


def test_ctrl_c_stops_everything_while_it_starts(first_start: FirstStart) -> None:
    assert first_start.code == 0
    assert first_start.is_gone


def test_a_second_start_finds_its_city(mesh: SimulatedMesh, first_start: FirstStart) -> None:
    assert mesh.data_dir == first_start.graph.parent
    assert (first_start.extract.stat().st_mtime_ns, first_start.graph.stat().st_mtime_ns) == first_start.made_at
    assert list(mesh.data_dir.glob("*.graph")) == [first_start.graph]


def test_its_city_is_the_same_wherever_it_is_drawn(first_start: FirstStart, simulated_city: Path) -> None:
    assert first_start.extract.read_bytes() == simulated_city.read_bytes()


def test_a_taken_port_is_one_sentence_that_names_the_setting(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports["router"])):
        done = subprocess.run(
            [sys.executable, "-m", "cli", "up"],
            env=environment(tmp_path, ports),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert str(ports["router"]) in done.stderr
    assert "CLEANAIR_ROUTER_PORT" in done.stderr


def test_a_setting_that_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    wrong = environment(tmp_path, free_ports()) | {"CLEANAIR_ROUTER_PORT": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "up"], env=wrong, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "CLEANAIR_ROUTER_PORT" in done.stderr
    assert "Traceback" not in done.stderr
