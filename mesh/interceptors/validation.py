"""Holds each request to the rules that its contract states (buf.validate)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import grpc
import protovalidate
from google.protobuf.message import Message

from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc
from mesh.interceptors.errors import FieldViolation, status

_validator: Final = protovalidate.Validator()


class ValidationInterceptor(AroundInterceptor):
    """Refuses a request that breaks a rule, with one field violation for each."""

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Checks the request, or each message of a stream of them."""
        if rpc.is_plumbing:
            return await proceed(request)
        if isinstance(request, Message):
            await _check(request, context)
            return await proceed(request)
        return await proceed(_checked(request, context))


async def _checked(requests: AsyncIterator[Message], context: Context) -> AsyncIterator[Message]:
    async for request in requests:
        await _check(request, context)
        yield request


async def _check(request: Message, context: Context) -> None:
    violations = [
        FieldViolation(_path(violation), violation.proto.message)
        for violation in _validator.collect_violations(request)
    ]
    if violations:
        said = "; ".join(f"{v.field}: {v.description}" if v.field else v.description for v in violations)
        await context.abort_with_status(
            status(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT", said, violations=violations)
        )


def _path(violation: protovalidate.Violation) -> str:
    """The field at fault as AIP-193 writes it, such as `points[2].latitude`; empty for a rule on the whole message."""
    parts = []
    for element in violation.proto.field.elements if violation.proto.field is not None else ():
        subscript = f"[{element.subscript.value}]" if element.subscript is not None else ""
        parts.append(f"{element.field_name}{subscript}")
    return ".".join(parts)
