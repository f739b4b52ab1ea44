"""Keeps operator calls to operators. The gateway checks the same key; this holds inside the mesh as well."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from typing import Final

from google.protobuf.message import Message
from pydantic import SecretStr

from mesh.errors import Unauthenticated
from mesh.interceptors.around import AroundInterceptor, Context, Proceed, Request, Rpc

METADATA_KEY: Final = "x-api-key"


class OperatorKeyRequired(Unauthenticated):
    """The call is for operators, and did not bring their key."""

    reason = "OPERATOR_KEY_REQUIRED"

    def __init__(self) -> None:
        super().__init__(f"this call is for operators: send the operator key as {METADATA_KEY}")


class OperatorKeyInterceptor(AroundInterceptor):
    """Lets operator methods through only with the key; with no key configured, not at all."""

    def __init__(self, methods: Collection[str], key: SecretStr | None) -> None:
        self._methods = frozenset(methods)
        self._key = key.get_secret_value().encode() if key is not None else None

    async def around(self, rpc: Rpc, request: Request, context: Context, proceed: Proceed) -> Message | None:
        """Compares in constant time."""
        if rpc.method in self._methods:
            brought = dict(context.invocation_metadata() or ()).get(METADATA_KEY, "")
            given = brought.encode() if isinstance(brought, str) else brought
            if self._key is None or not hmac.compare_digest(given, self._key):
                raise OperatorKeyRequired
        return await proceed(request)
