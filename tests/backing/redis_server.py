"""A Redis of the tests' own: on a free port, in memory alone, gone when the tests are done."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis

from tests.backing.ports import free_port

_START_SECONDS: Final = 10


def find_redis() -> Path | None:
    """The installed redis-server; None when there is none."""
    program = shutil.which("redis-server")
    return Path(program) if program else None


class RedisServer:
    """A running server, to be stopped, killed and started by tests of faults. Keeps its port, and forgets its data."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.port: Final = free_port()
        self.url: Final = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[RedisServer]:
        """A server that is stopped at the end. Raises FileNotFoundError when none is installed."""
        program = find_redis()
        if program is None:
            raise FileNotFoundError("no redis-server: run tools/install_test_services.sh")
        server = cls(program)
        try:
            yield server
        finally:
            server.kill()

    def start(self) -> None:
        """Starts the server unless it runs; returns when it answers."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            [self._program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"redis-server did not start on port {self.port}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stops the server in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Ends the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def clear(self) -> None:
        """Starts the server unless it runs, and forgets all keys."""
        self.start()
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
