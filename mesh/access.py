"""Who may call what, as the contracts say."""

from __future__ import annotations

from cleanair.mesh.v1 import access_pb2
from google.protobuf.descriptor import ServiceDescriptor


def operator_methods(service: ServiceDescriptor) -> frozenset[str]:
    """The methods of a service that are for operators alone, by their gRPC paths such as `/package.Service/Method`."""
    return frozenset(
        f"/{service.full_name}/{method.name}"
        for method in service.methods
        if method.GetOptions().Extensions[access_pb2.access].operator
    )
