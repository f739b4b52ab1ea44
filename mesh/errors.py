"""What can go wrong, as types.

The domain raises these, or subclasses with a reason of their own; `mesh.interceptors.errors` is the one place that maps
them to a gRPC status. Pure: knows neither gRPC nor HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class CleanAirError(Exception):
    """An error that may be told to the caller.

    Attributes:
        reason: UPPER_SNAKE, stable, for programs.
        message: For people: what is wrong, and what to do.
        field: The path of the request's field that is at fault, such as `origin.latitude`; None when there is none.
        metadata: What a program may want to know more, for instance a limit.
    """

    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, field: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.metadata = dict(metadata or {})


class InvalidInput(CleanAirError):
    """The request is wrong whatever the state of the system."""

    reason = "INVALID_INPUT"


class NotFound(CleanAirError):
    """What the request names does not exist."""

    reason = "NOT_FOUND"


class OutOfRange(CleanAirError):
    """The request reaches beyond what there is now."""

    reason = "OUT_OF_RANGE"


class FailedPrecondition(CleanAirError):
    """The system is not in the state that the request needs; trying again without changing something does not help."""

    reason = "FAILED_PRECONDITION"


class Unavailable(CleanAirError):
    """Something that the request needs does not answer at the moment; trying again later may help."""

    reason = "UNAVAILABLE"


class Unauthenticated(CleanAirError):
    """The caller has not said who they are, or not convincingly."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(CleanAirError):
    """The caller may not do this."""

    reason = "PERMISSION_DENIED"


class ResourceExhausted(CleanAirError):
    """The caller, or the server, has used up what there is."""

    reason = "RESOURCE_EXHAUSTED"
