"""Which ports a mesh on one machine needs, and whether they are free."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from cli.failure import CommandFailed


def require_free(host: str, ports: Mapping[str, int]) -> None:
    """Raises CommandFailed naming the first port that is taken, what it is for, and how to choose another."""
    for setting, port in ports.items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the servers themselves do: a port that a stopped mesh has just left is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandFailed(
                    f"Port {port} is taken: stop what listens there, or choose another with {setting}."
                ) from error


def free_port(host: str) -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
