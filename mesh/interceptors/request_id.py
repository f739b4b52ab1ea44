"""Gives each call its id, for logs, errors, and the calls made on its behalf."""

from __future__ import annotations

import structlog
from google.protobuf.message import Message

from mesh import request_id
from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc


class RequestIdInterceptor(AroundInterceptor):
    """Takes the id from `x-request-id`, or makes one."""

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Binds the id for the duration of the call."""
        identity = request_id.of_metadata(context.invocation_metadata() or ())
        token = request_id.current.set(identity)
        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                return await proceed(request)
            finally:
                request_id.current.reset(token)
