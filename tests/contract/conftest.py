"""pytest-grpc's fixtures over grpc.aio, with the interceptors that stand around every call in a server of the mesh.

A module gives `grpc_add_to_server`, `grpc_servicer` and `grpc_stub_cls`, and gets `grpc_stub`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import pytest
from pydantic import SecretStr

from mesh.server import interceptors
from mesh.settings import MeshSettings

OPERATOR_KEY = "an operator's key"


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    """The full names of the methods that need the operator's key."""
    return frozenset()


@pytest.fixture(scope="module")
def grpc_interceptors(grpc_operator_methods: frozenset[str]) -> Sequence[grpc.aio.ServerInterceptor]:
    return interceptors(MeshSettings(operator_api_key=SecretStr(OPERATOR_KEY)), grpc_operator_methods)


@pytest.fixture(scope="module")
async def grpc_server(
    grpc_add_to_server: Callable[[object, grpc.aio.Server], None],
    grpc_servicer: object,
    grpc_interceptors: Sequence[grpc.aio.ServerInterceptor],
) -> AsyncIterator[str]:
    """The address of a server that answers."""
    server = grpc.aio.server(interceptors=grpc_interceptors)
    grpc_add_to_server(grpc_servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture(scope="module")
async def grpc_channel(grpc_server: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(grpc_server) as channel:
        yield channel
