"""A whole mesh of real processes on free ports, each of which a test may kill and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.backing.ports import free_port

OPERATOR_KEY: Final = "the operator's key of the tests"
_STOP_SECONDS: Final = 15


@dataclass
class MeshProcesses:
    """Ports, environment and processes of one mesh."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://{self.target('gateway')}"

    def target(self, name: str) -> str:
        """Where a server listens, host:port."""
        return f"127.0.0.1:{self.ports[name]}"

    def start(self, *names: str) -> None:
        """Starts servers by the command that people use; returns at once."""
        for name in names:
            with self.log(name).open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "cli", "serve", name],
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def kill(self, name: str) -> None:
        """Ends a server as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> int:
        """Ends a server as Kubernetes would; returns its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(_STOP_SECONDS)

    def log(self, name: str) -> Path:
        """What a server has said."""
        return self.folder / f"{name}.log"


@contextmanager
def mesh_processes(folder: Path, settings: Mapping[str, str]) -> Iterator[MeshProcesses]:
    """A mesh that is not started yet; `settings` are more environment variables. All is killed at the end."""
    ports = {name: free_port() for name in ("ingestion", "predictor", "router", "gateway")}
    environment = {
        "CLEANAIR_DATA_DIR": str(folder),
        "CLEANAIR_OPERATOR_API_KEY": OPERATOR_KEY,
        "CLEANAIR_LAME_DUCK_SECONDS": "0",
        "CLEANAIR_HEARTBEAT_SECONDS": "2",
    }
    for name, port in ports.items():
        environment[f"CLEANAIR_{name.upper()}_PORT"] = str(port)
        if name != "gateway":
            environment[f"CLEANAIR_{name.upper()}_TARGET"] = f"127.0.0.1:{port}"
    mesh = MeshProcesses(folder, {**environment, **settings}, ports)
    try:
        yield mesh
    finally:
        for name in tuple(mesh.processes):
            mesh.kill(name)
