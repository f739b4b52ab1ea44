"""What a refused call tells a program."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True)
class Refusal:
    """A status with its details, as AIP-193 has them."""

    code: grpc.StatusCode
    reason: str
    fields: tuple[str, ...]
    metadata: Mapping[str, str]
    message: str


async def refusal_of(call: Awaitable[object]) -> Refusal:
    """Why the call is refused; fails when it is not."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    # The stubs of grpcio-status know synchronous calls only; it reads code, details and trailing metadata.
    rich = rpc_status.from_call(cast(grpc.Call, error))
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in rich.details if rich is not None else ():
        for kind in (info, bad):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    assert info.domain == "cleanair"
    fields = tuple(violation.field for violation in bad.field_violations)
    return Refusal(error.code(), info.reason, fields, dict(info.metadata), error.details() or "")
