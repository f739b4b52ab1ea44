"""Channels to other servers of the mesh: deadlines always, retries budgeted, dead peers noticed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import grpc

from mesh import request_id
from mesh.access import is_for_operators
from mesh.settings import MeshSettings

_SERVICE_CONFIG: Final = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        # Half of ten tokens gone means that the peer is down, not unlucky: retries then stop until calls succeed.
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)

_FIRST_PAUSE_MS: Final = 1000

_Req = TypeVar("_Req")
_Res = TypeVar("_Res")


def open_channel(target: str, settings: MeshSettings) -> grpc.aio.Channel:
    """A channel to `target` (host:port, or dns:///name:port for every replica behind a headless service)."""
    longest_pause_ms = round(1000 * settings.reconnect_seconds)
    return grpc.aio.insecure_channel(
        target,
        options=[
            ("grpc.service_config", _SERVICE_CONFIG),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.initial_reconnect_backoff_ms", min(longest_pause_ms, _FIRST_PAUSE_MS)),
            ("grpc.max_reconnect_backoff_ms", longest_pause_ms),
            ("grpc.max_send_message_length", settings.max_message_bytes),
            ("grpc.max_receive_message_length", settings.max_message_bytes),
        ],
        # gRPC sorts an interceptor by its first base alone, so each kind of call has a class of its own.
        interceptors=[
            _UnaryDefaults(settings.default_deadline_seconds, settings.operator_deadline_seconds),
            _StreamDefaults(),
        ],
    )


class _UnaryDefaults(grpc.aio.UnaryUnaryClientInterceptor):
    """Sets the deadline that the server would set, and passes the request's id on."""

    def __init__(self, deadline_seconds: float, operator_deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._operator_deadline_seconds = operator_deadline_seconds

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, _Req], Awaitable[grpc.aio.UnaryUnaryCall[_Req, _Res]]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: _Req,
    ) -> grpc.aio.UnaryUnaryCall[_Req, _Res]:
        timeout = client_call_details.timeout
        if timeout is None:
            timeout = self._default(client_call_details.method)
        return await continuation(_details(client_call_details, timeout), request)

    def _default(self, method: str | bytes) -> float:
        # gRPC hands the path on as bytes, and types it as text.
        path = method.decode() if isinstance(method, bytes) else method
        return self._operator_deadline_seconds if is_for_operators(path) else self._deadline_seconds


class _StreamDefaults(grpc.aio.UnaryStreamClientInterceptor):
    """Passes the request's id on."""

    async def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, _Req], Awaitable[grpc.aio.UnaryStreamCall[_Req, _Res]]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: _Req,
    ) -> grpc.aio.UnaryStreamCall[_Req, _Res]:
        return await continuation(_details(client_call_details, client_call_details.timeout), request)


def _details(details: grpc.aio.ClientCallDetails, timeout: float | None) -> grpc.aio.ClientCallDetails:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    identity = request_id.current.get()
    if identity and metadata.get(request_id.METADATA_KEY) is None:
        metadata.add(request_id.METADATA_KEY, identity)
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=timeout,
        metadata=metadata,
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )
