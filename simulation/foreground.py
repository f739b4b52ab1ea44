"""Keeps a server in the foreground until someone ends it."""

from __future__ import annotations

import signal
import sys
import threading


def until_interrupted(greeting: str) -> None:
    """Says the greeting on standard output, and returns at the first SIGTERM or SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sys.stdout.write(greeting + "\n")
    sys.stdout.flush()
    ended.wait()
