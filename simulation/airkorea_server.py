"""A server that answers as AirKorea does, over real HTTP: paths, paging, envelope, and the errors of its gateway.

It has the paths of the weather service at the same gateway, too.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import parse_qsl, urlsplit

from mesh.errors import FailedPrecondition

STATIONS: Final = "getMsrstnList"
MEASUREMENTS: Final = "getCtprvnRltmMesureDnsty"
HISTORY: Final = "getMsrstnAcctoRltmMesureDnsty"
BULLETINS: Final = "getMinuDustFrcstDspth"

WEATHER: Final = ("getUltraSrtNcst", "getUltraSrtFcst", "getVilageFcst")
"""What the weather service is asked for, by paths and in an envelope of its own."""

WRONG_PARAMETER: Final = ("10", "INVALID_REQUEST_PARAMETER_ERROR")
"""The gateway's code and word for a parameter that is missing or wrong."""

TERM_HOURS: Final = {"DAILY": 24, "MONTH": 30 * 24, "3MONTH": 90 * 24}
"""How many hours of a station's past each `dataTerm` gives."""

_SERVICES: Final = {
    STATIONS: "MsrstnInfoInqireSvc",
    MEASUREMENTS: "ArpltnInforInqireSvc",
    HISTORY: "ArpltnInforInqireSvc",
    BULLETINS: "ArpltnInforInqireSvc",
    **dict.fromkeys(WEATHER, "VilageFcstInfoService_2.0"),
}
_DEFAULT_ROWS: Final = 10
_NO_SUCH_SERVICE: Final = ("12", "NO_OPENAPI_SERVICE_ERROR")

WireRow = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for: the operation, such as `getMsrstnList`, and its decoded parameters."""

    operation: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `cut` ends the connection after half of the body."""

    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = "application/json;charset=UTF-8"
    cut: bool = False


class Answerer(Protocol):
    """Knows the answer to each request; called from several threads."""

    def __call__(self, request: Request) -> Reply:
        """The reply to a request."""


class AddressTaken(FailedPrecondition):
    """Nothing can listen at the address."""

    reason = "ADDRESS_TAKEN"


class AirKoreaServer:
    """Listens on a port of its own while it is entered. Making one raises AddressTaken when the port is not free.

    Args:
        answer: What to answer.
        host: The address to listen on.
        port: The port; 0 lets the system choose.
    """

    def __init__(self, answer: Answerer, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._server = _Server((host, port), answer)
        except OSError as error:
            raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="airkorea", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base address, as `CLEANAIR_AIRKOREA_URL` takes it."""
        return f"http://{self._server.server_address[0]!s}:{self.port}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stops listening; once stopped, it stays so."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def page_of(rows: Sequence[WireRow], request: Request) -> Reply:
    """The page of rows that the request asks for, in the envelope of a normal answer."""
    try:
        number = int(request.query.get("pageNo", "1"))
        size = int(request.query.get("numOfRows", str(_DEFAULT_ROWS)))
    except ValueError:
        return gateway_error(*WRONG_PARAMETER)
    if number < 1 or size < 1:
        return gateway_error(*WRONG_PARAMETER)
    items = list(rows[(number - 1) * size : number * size])
    body = {"totalCount": len(rows), "items": items, "pageNo": number, "numOfRows": size}
    header = {"resultMsg": "NORMAL_CODE", "resultCode": "00"}
    return Reply(json.dumps({"response": {"body": body, "header": header}}, ensure_ascii=False).encode())


def gateway_error(code: str, message: str, status: int = HTTPStatus.OK) -> Reply:
    """An error of the gateway: XML, whatever was asked for."""
    body = (
        "<OpenAPI_ServiceResponse>\n\t<cmmMsgHeader>\n\t\t<errMsg>SERVICE ERROR</errMsg>\n"
        f"\t\t<returnAuthMsg>{message}</returnAuthMsg>\n\t\t<returnReasonCode>{code}</returnReasonCode>\n"
        "\t</cmmMsgHeader>\n</OpenAPI_ServiceResponse>\n"
    )
    return Reply(body.encode(), status, "text/xml;charset=UTF-8")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: Answerer) -> None:
        super().__init__(address, _Handler)
        self.answer = answer

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Says nothing of a client that left before its answer: that is its right."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    # HTTP/1.0: each connection ends with its answer, so that a stopped server is gone for clients too.
    server: _Server
    timeout = 10.0

    def do_GET(self) -> None:
        """Answers one request."""
        target = urlsplit(self.path)
        service, _, operation = target.path.strip("/").rpartition("/")
        if operation in _SERVICES and service.endswith(_SERVICES[operation]):
            reply = self.server.answer(Request(operation, dict(parse_qsl(target.query, keep_blank_values=True))))
        else:
            reply = gateway_error(*_NO_SUCH_SERVICE)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing: a request line may carry a key."""
