"""Which ports a mesh on one machine needs, and whether they are free."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from typing import Final

from cli.failure import CommandFailed

_PORTS: Final = (20_000, 32_000)
_TRIES: Final = 100


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
    """A port that nobody listens on at the moment.

    Not one of those that the system gives to outgoing connections (32768 and up on Linux): a client that calls a
    stopped server again and again would in the end be given the server's own port, and connect to itself.
    """
    for _ in range(_TRIES):
        port = random.randrange(*_PORTS)  # noqa: S311 - any will do
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise CommandFailed(f"No port between {_PORTS[0]} and {_PORTS[1]} is free.")
