"""What all tests of RouteService ask by."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from cleanair.router.v1 import route_service_pb2_grpc

from router.service import RouteService


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[RouteService, grpc.aio.Server], None]:
    return route_service_pb2_grpc.add_RouteServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[route_service_pb2_grpc.RouteServiceStub]:
    return route_service_pb2_grpc.RouteServiceStub
