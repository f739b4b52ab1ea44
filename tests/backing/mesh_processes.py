"""A whole mesh of real processes on free ports, each of which a test may kill and start again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from tests.backing.forks import start_command
from tests.backing.ports import free_port

OPERATOR_KEY: Final = "the operator's key of the tests"
_STOP_SECONDS: Final = 15


@dataclass
class MeshProcesses:
    """Ports, environment and processes of one mesh."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]
    processes: dict[str, BaseProcess] = field(default_factory=dict)

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
            environment, log = {**os.environ, **self.environment}, self.log(name)
            self.processes[name] = start_command(("serve", name), environment, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """Ends a server as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.join()

    def stop(self, name: str) -> int:
        """Ends a server as Kubernetes would; returns its exit code."""
        self.processes[name].terminate()
        return self.ended(name, _STOP_SECONDS)

    def ended(self, name: str, seconds: float) -> int:
        """Waits until a server has ended by itself; returns its exit code."""
        self.processes[name].join(seconds)
        code = self.processes[name].exitcode
        assert code is not None, f"{name} has not ended within {seconds} s"
        del self.processes[name]
        return code

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
        "CLEANAIR_RECONNECT_SECONDS": "0.5",
        # A test that counts readings counts those that it has had collected.
        "CLEANAIR_CATCH_UP_DAYS": "0",
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
