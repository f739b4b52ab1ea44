"""`python -m mesh.probe HOST:PORT [SERVICE]`: ends with 0 when the server says SERVING. For container health checks."""

from __future__ import annotations

import sys
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SECONDS: Final = 3.0


def probe(target: str, service: str = "") -> str | None:
    """Asks grpc.health.v1 once; returns what is wrong, or None."""
    with grpc.insecure_channel(target) as channel:
        try:
            # The stubs of grpcio-health-checking know no methods of an instance.
            check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=_SECONDS)
        except grpc.RpcError as error:
            return f"{target} does not answer: {error.code().name}"
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return None
    return f"{target} says {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"


if __name__ == "__main__":
    sys.exit(probe(*sys.argv[1:]))
