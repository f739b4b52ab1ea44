"""The one place where errors become gRPC statuses; nothing internal leaves through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from mesh import errors, request_id
from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc

DOMAIN: Final = "cleanair"

_log: Final = structlog.stdlib.get_logger("errors")

_CODES: Final[Sequence[tuple[type[errors.CleanAirError], grpc.StatusCode]]] = (
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.OutOfRange, grpc.StatusCode.OUT_OF_RANGE),
    (errors.FailedPrecondition, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.ResourceExhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
)


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request."""

    field: str
    description: str


class ErrorInterceptor(AroundInterceptor):
    """Maps what a handler raises to a status with ErrorInfo and, where a field is at fault, BadRequest."""

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Lets statuses through that gRPC itself raised; logs what nobody expected and says only that it happened."""
        try:
            return await proceed(request)
        except grpc.aio.AbortError:
            raise
        except errors.CleanAirError as error:
            code = code_of(error)
            if code is grpc.StatusCode.UNAVAILABLE:
                _log.warning("unavailable", method=rpc.method, reason=error.reason, cause=repr(error.__cause__))
            violations = [FieldViolation(error.field, error.message)] if error.field else []
            await context.abort_with_status(
                status(code, error.reason, error.message, violations=violations, metadata=error.metadata)
            )
        except Exception:  # noqa: BLE001 - the last place that can keep an unforeseen error from the client
            # The text of an exception that nobody expected may hold a password: it is logged, not sent.
            _log.exception("internal error", method=rpc.method)
            message = f"internal error; the operator finds it in the log under request id {request_id.current.get()}"
            await context.abort_with_status(status(grpc.StatusCode.INTERNAL, "INTERNAL", message))


def code_of(error: errors.CleanAirError) -> grpc.StatusCode:
    """The status code of an error of ours."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def status(
    code: grpc.StatusCode,
    reason: str,
    message: str,
    *,
    violations: Sequence[FieldViolation] = (),
    metadata: dict[str, str] | None = None,
) -> grpc.Status:
    """A status with its details, as google.rpc.Status has them."""
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)]
    if violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description) for v in violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    packed = []
    for detail in details:
        anything = AnyMessage()
        anything.Pack(detail)
        packed.append(anything)
    rich = status_pb2.Status(code=code.value[0], message=message, details=packed)
    return rpc_status.to_status(rich)


def reason_of(error: grpc.aio.AioRpcError | grpc.Call) -> str | None:
    """The reason that a server of the mesh gave for a failed call; None when it gave none."""
    # The stubs of grpcio-status know synchronous calls only; it reads code, details and trailing metadata.
    rich = rpc_status.from_call(cast(grpc.Call, error))
    for detail in rich.details if rich is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    return None
