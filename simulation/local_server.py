"""A server that answers on a port of its own while it is entered, in a thread of its own."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Generic, Self, TypeVar

OwnerT = TypeVar("OwnerT")


class LocalServer:
    """Listens from when it is entered until it is left.

    Args:
        handler: Answers each request; its `server.owner` is this.
        name: The thread's.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler], name: str) -> None:
        self._server = OwnedServer(handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)

    @property
    def url(self) -> str:
        """The address, as settings take it."""
        return f"http://{self._server.server_address[0]!s}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class OwnedServer(ThreadingHTTPServer, Generic[OwnerT]):
    """Runs handlers for its owner."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], owner: OwnerT) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.owner = owner

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Says nothing of a client that left before its answer: that is its right."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
