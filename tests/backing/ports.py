"""Ports that nobody uses."""

from __future__ import annotations

from cli import ports


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago."""
    return ports.free_port("127.0.0.1")
