"""A line a call, for the operator: what, by whom, how it ended, how long it took. And the same as Prometheus series."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import grpc
import structlog
from google.protobuf.message import Message
from prometheus_client import Counter, Gauge, Histogram

from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc

_log: Final = structlog.stdlib.get_logger("access")

_STARTED: Final = Gauge("grpc_server_in_flight", "Calls being served.", ["method"])
_HANDLED: Final = Counter("grpc_server_handled", "Calls served, by status.", ["method", "code"])
_SECONDS: Final = Histogram(
    "grpc_server_handling_seconds",
    "Time that unary calls took.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_SERVER_FAULTS: Final = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}


class AccessLogInterceptor(AroundInterceptor):
    """Logs and counts every call but health checks and reflection."""

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Times the call."""
        if rpc.is_plumbing:
            return await proceed(request)
        started = time.perf_counter()
        cancelled = False
        with _STARTED.labels(rpc.method).track_inprogress():
            try:
                return await proceed(request)
            except asyncio.CancelledError:
                cancelled = True
                raise
            finally:
                seconds = time.perf_counter() - started
                code = grpc.StatusCode.CANCELLED if cancelled else _code(context)
                _HANDLED.labels(rpc.method, code.name).inc()
                if not rpc.streams_responses:
                    _SECONDS.labels(rpc.method).observe(seconds)
                write = _log.error if code in _SERVER_FAULTS else _log.info
                write("call", method=rpc.method, code=code.name, ms=round(seconds * 1000, 2), peer=context.peer())


def _code(context: Context) -> grpc.StatusCode:
    """The status that the call ends with: gRPC keeps it as a number here, whatever its type says."""
    code: object = context.code()
    return next((known for known in grpc.StatusCode if code in {known, known.value[0]}), grpc.StatusCode.OK)
