"""One way to stand around a call, whatever its kind: unary or streaming, in either direction."""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import grpc
from google.protobuf.message import Message

Context = grpc.aio.ServicerContext[Message, Message]
Request = Message | AsyncIterator[Message]
Proceed = Callable[[Request], Awaitable[Message | None]]

_Req = TypeVar("_Req")
_Res = TypeVar("_Res")


@dataclass(frozen=True, slots=True)
class Rpc:
    """Which method is called, and how."""

    method: str
    """The full name, such as `/cleanair.router.v1.RouteService/CalculateRoutes`."""
    streams_requests: bool
    streams_responses: bool

    @property
    def is_plumbing(self) -> bool:
        """True for health checks and reflection, which say nothing about the service itself."""
        return self.method.startswith("/grpc.")


class AroundInterceptor(grpc.aio.ServerInterceptor, abc.ABC):
    """An interceptor that sees each call once, as one coroutine around the handler.

    `around` gets the request (a message, or an iterator of them), and calls `proceed` with it; what that returns is the
    response, or None once a stream of responses has been written.
    """

    @abc.abstractmethod
    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Does what is to be done before, after, and instead of the call."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[_Req, _Res] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Req, _Res] | None:
        """Called by gRPC before each call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        rpc = Rpc(handler_call_details.method, handler.request_streaming, handler.response_streaming)
        behaviour = _behaviour(handler)

        async def call(request: Request, context: Context) -> Message | None:
            async def proceed(request: Request) -> Message | None:
                return await _run(behaviour, request, context)

            return await self.around(rpc, request, context, proceed)

        # The stubs of grpcio type the makers for synchronous servers only.
        make = cast(_Maker[_Req, _Res], _HANDLERS[rpc.streams_requests, rpc.streams_responses])
        return make(call, handler.request_deserializer, handler.response_serializer)


_HANDLERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}

_Behaviour = Callable[[Request, Context], Awaitable[Message | None] | AsyncIterator[Message]]


class _Maker(Protocol[_Req, _Res]):
    def __call__(
        self,
        behaviour: Callable[[Request, Context], Awaitable[Message | None]],
        request_deserializer: Callable[[bytes], _Req] | None,
        response_serializer: Callable[[_Res], bytes] | None,
    ) -> grpc.RpcMethodHandler[_Req, _Res]: ...


def _behaviour(handler: grpc.RpcMethodHandler[_Req, _Res]) -> _Behaviour:
    kinds = (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
    # As above: on an asynchronous server these are coroutine functions, or asynchronous generators.
    return cast(_Behaviour, next(behaviour for behaviour in kinds if behaviour is not None))


async def _run(behaviour: _Behaviour, request: Request, context: Context) -> Message | None:
    """Runs a handler; one that yields its responses has them written here."""
    outcome = behaviour(request, context)
    if not isinstance(outcome, AsyncIterator):
        return await outcome
    async for response in outcome:
        await context.write(response)
    return None
