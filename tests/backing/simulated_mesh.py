"""The mesh as `cleanair up` runs it, on free ports."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.backing.ports import free_port

_READY_SECONDS: Final = 150.0
_STOP_SECONDS: Final = 30.0


@dataclass
class SimulatedMesh:
    """A running `cleanair up`."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    data_dir: Path
    welcome: str

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.ports['gateway']}"

    @property
    def is_gone(self) -> bool:
        """True when the process has ended, and none of its servers listens any more."""
        return self.process.poll() is not None and not any(_listens(port) for port in self.ports.values())

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stops it as Ctrl-C would; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports() -> dict[str, int]:
    """Four ports that nobody uses."""
    return {name: free_port() for name in ("ingestion", "predictor", "router", "gateway")}


def environment(data_dir: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """Ours without settings of whoever runs the tests, and with ports and a folder of its own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CLEANAIR_")}
    chosen = {f"CLEANAIR_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    return ours | chosen | {"CLEANAIR_DATA_DIR": str(data_dir)}


@contextmanager
def starting_mesh(data_dir: Path) -> Iterator[SimulatedMesh]:
    """Runs `cleanair up`, and stops it at the end. It has said nothing yet."""
    ports = free_ports()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "up"],
        env=environment(data_dir, ports),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield SimulatedMesh(process, ports, data_dir, "")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def simulated_mesh(data_dir: Path) -> Iterator[SimulatedMesh]:
    """Runs `cleanair up`, waits until it says that it is ready, and stops it at the end."""
    with starting_mesh(data_dir) as mesh:
        mesh.welcome = _until_ready(mesh.process)
        yield mesh


def _until_ready(process: subprocess.Popen[str]) -> str:
    """What it said up to its last line of welcome."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    said, end = "", time.monotonic() + _READY_SECONDS
    while "Ctrl-C stops everything" not in said:
        line = lines.get(timeout=max(0.1, end - time.monotonic()))
        assert line, f"it ended before it was ready:\n{said}"
        said += line
    return said
