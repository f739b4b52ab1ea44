"""Envoy as a process: how it starts, what it leaves readable, and how it leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest

from gateway.envoy import Envoy, EnvoyFailed
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Gateway, gateway_before
from tests.gateway.peers import KEY, Peers


async def test_a_taken_port_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvoyFailed, match=f"port {port} of 127.0.0.1 cannot be had .* CLEANAIR_GATEWAY_PORT"):
            await Envoy.start(GatewaySettings(gateway_port=port))


async def test_the_key_is_in_no_file_and_on_no_command_line(gateway: Gateway) -> None:
    folder = gateway.envoy.folder
    assert [file.name for file in within(folder) if not file.is_socket()] == []
    assert folder.stat().st_mode & 0o077 == 0
    command = (Path("/proc") / str(gateway.envoy.pid) / "cmdline").read_bytes()
    assert KEY.encode() not in command


async def test_nothing_is_left_after_a_stop(servers: Peers) -> None:
    async with gateway_before(servers) as running:
        folder = running.envoy.folder
        port = await running.envoy.port()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_stop_turns_balancers_away_first_and_lets_calls_end(servers: Peers) -> None:
    async with gateway_before(servers, lame_duck_seconds=1.0, stop_grace_seconds=10) as running:
        http = running.http
        in_flight = asyncio.create_task(http.get("/api/v1/routes/endless", headers={"grpc-timeout": "2S"}))
        await running.witness.begun.wait()
        stopping = asyncio.create_task(running.envoy.stop())
        while (await http.get("/healthz")).status_code == 200:
            pass
        assert (await http.get("/api/v1/routes/r1")).status_code == 200
        assert (await in_flight).status_code == 504
        await stopping


async def test_the_access_log_is_json_without_queries(servers: Peers, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with file.open("wb") as log:
        settings = GatewaySettings(gateway_port=0, lame_duck_seconds=0, ingestion_target=servers.ingestion)
        envoy = await Envoy.start(settings, stdout=log)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await envoy.port()}") as http:
            await http.get("/api/v1/readings?pageSize=2&pageToken=secret-token", headers={"x-request-id": "mine-2"})
            await http.get("/nowhere?token=secret-token")
            await http.get("/healthz")
        await envoy.stop()
    text = file.read_text(encoding="utf-8")
    assert "secret-token" not in text
    read, lost = [json.loads(line) for line in text.splitlines()]
    assert (read["method"], read["path"], read["status"]) == ("GET", "/api/v1/readings", 200)
    assert read["rpc"] == "/cleanair.ingestion.v1.IngestionService/ListReadings"
    assert read["request_id"] == "mine-2"
    assert (lost["path"], lost["status"]) == ("/nowhere", 404)


async def test_metrics_are_on_their_own_port_and_nothing_else_is(servers: Peers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with gateway_before(servers, metrics_port=port) as running, httpx.AsyncClient() as http:
        await running.http.get("/api/v1/routes/r1")
        metrics = await http.get(f"http://127.0.0.1:{port}/metrics")
        assert 'envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="router"}' in metrics.text
        for path in ("/config_dump", "/quitquitquit", "/metrics/../config_dump", "/"):
            assert (await http.post(f"http://127.0.0.1:{port}{path}")).status_code == 404
        assert (await running.http.get("/metrics")).status_code == 404


def within(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def start_process(**environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=os.environ | environment, stdout=PIPE, stderr=PIPE
    )


async def listening(process: asyncio.subprocess.Process) -> int:
    """The port, once the process says it."""
    assert process.stderr is not None
    async for line in process.stderr:
        said = json.loads(line)
        if said["event"] == "listening":
            return int(said["port"])
    pytest.fail("the gateway ended")


async def test_the_process_runs_until_sigterm() -> None:
    process = await start_process(CLEANAIR_GATEWAY_PORT="0", CLEANAIR_LAME_DUCK_SECONDS="0")
    port = await listening(process)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/healthz")).status_code == 200
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0


async def test_envoy_ends_with_a_killed_owner_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    environment = {
        "CLEANAIR_GATEWAY_PORT": "0",
        "CLEANAIR_LAME_DUCK_SECONDS": "0",
        "CLEANAIR_OPERATOR_API_KEY": KEY,
        "TMPDIR": str(tmp_path),
    }
    process = await start_process(**environment)
    port = await listening(process)
    _, writer = connection = await asyncio.open_connection("127.0.0.1", port)
    process.kill()
    await process.communicate()
    async with asyncio.timeout(10):
        assert await connection[0].read() == b""
    writer.close()
    (left,) = within(tmp_path)
    assert not any(file.is_file() for file in within(left)), "no file that could hold the key"
    # As if that had been a while ago: one that has just been made may be of a gateway that starts.
    os.utime(left, (0, 0))

    process = await start_process(**environment)
    await listening(process)
    (own,) = within(tmp_path)
    assert own != left
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert within(tmp_path) == []


async def test_the_process_says_a_mistake_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start_process(CLEANAIR_GATEWAY_PORT=str(taken.getsockname()[1]))
        _, said = await process.communicate()
    assert process.returncode == 1
    assert len(said.splitlines()) == 1
    assert b"CLEANAIR_GATEWAY_PORT" in said
