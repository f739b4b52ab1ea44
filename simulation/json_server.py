"""A server that answers JSON with JSON, over real HTTP, on a port of its own while it is entered."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TypeAlias

from simulation.local_server import LocalServer, OwnedServer

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """What goes back; `delay` is what it waits for before."""

    document: Json
    status: int = HTTPStatus.OK
    delay: threading.Event | None = None


class JsonServer(LocalServer):
    """Listens on a port of its own while it is entered.

    Args:
        answer: What to answer to a path with its query, and to a body that is empty for GET.

    Attributes:
        requests: What was asked for so far.
        faults: What to answer the next requests with instead, one each.
    """

    def __init__(self, answer: Callable[[str, bytes], JsonAnswer]) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.faults: deque[JsonAnswer] = deque()
        self._answer = answer
        self._turn = threading.Lock()
        super().__init__(_Handler, "json")

    def answer(self, target: str, body: bytes) -> JsonAnswer:
        """The answer to one request."""
        with self._turn:
            self.requests.append((target, body))
            if self.faults:
                return self.faults.popleft()
        return self._answer(target, body)


class _Handler(BaseHTTPRequestHandler):
    server: OwnedServer[JsonServer]
    timeout = 10.0

    def do_GET(self) -> None:
        """Answers one request."""
        self._reply(b"")

    def do_POST(self) -> None:
        """Answers one request."""
        self._reply(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _reply(self, sent: bytes) -> None:
        answer = self.server.owner.answer(self.path, sent)
        if answer.delay is not None:
            answer.delay.wait(self.timeout)
        body = json.dumps(answer.document).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""
