"""Answers a request that is not a message of its type: gRPC itself would answer UNKNOWN, with the exception's text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message

from mesh.errors import InvalidInput
from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc

_Req = TypeVar("_Req")
_Res = TypeVar("_Res")


class NotDecodable(InvalidInput):
    """The bytes of a request are not a message of its type."""

    reason = "NOT_DECODABLE"

    def __init__(self) -> None:
        super().__init__("the request is not a message of its type, or holds text that is not UTF-8")


@dataclass(frozen=True, slots=True)
class _Undecodable:
    """Stands where the request would, until an interceptor can say so."""


class _Replaceable(Protocol[_Req, _Res]):
    def _replace(self, **fields: object) -> grpc.RpcMethodHandler[_Req, _Res]: ...


class DecodingInterceptor(AroundInterceptor):
    """Raises NotDecodable. Stands within the interceptor that maps errors."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[_Req, _Res] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Req, _Res] | None:
        """Called by gRPC before each call."""
        handler = await super().intercept_service(continuation, handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        decode = handler.request_deserializer

        def decode_or_stand_in(data: bytes) -> _Req | _Undecodable:
            try:
                return decode(data)
            except DecodeError:
                return _Undecodable()

        # Every maker of handlers in grpcio returns a named tuple; its stubs do not say so.
        return cast(_Replaceable[_Req, _Res], handler)._replace(request_deserializer=decode_or_stand_in)

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Looks at the request, or at each message of a stream of them."""
        if isinstance(request, AsyncIterator):
            return await proceed(_decoded(request))
        if isinstance(request, _Undecodable):
            _refuse()
        return await proceed(request)


async def _decoded(requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for request in requests:
        if isinstance(request, _Undecodable):
            _refuse()
        yield request


def _refuse() -> NoReturn:
    raise NotDecodable
