"""Gives every unary call a deadline, also when its caller set none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import grpc
from google.protobuf.message import Message

from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc
from mesh.interceptors.errors import status


class DeadlineInterceptor(AroundInterceptor):
    """Ends a unary call after the default deadline. A deadline of the caller's is gRPC's own to keep.

    Args:
        seconds: The default deadline.
        others: That of the methods which have one of their own, by their gRPC paths.
    """

    def __init__(self, seconds: float, others: Mapping[str, float]) -> None:
        self._seconds = seconds
        self._others = dict(others)

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Lets streams run on: they end with their client, or with the server."""
        if rpc.streams_requests or rpc.streams_responses or context.time_remaining() is not None:
            return await proceed(request)
        seconds = self._others.get(rpc.method, self._seconds)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await proceed(request)
        except TimeoutError:
            if not limit.expired():
                raise
            await context.abort_with_status(
                status(
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    "DEADLINE_EXCEEDED",
                    f"the call took longer than {seconds:g} s: ask for less, or set a longer deadline",
                )
            )
