"""Who may call what, as the contracts say."""

from __future__ import annotations

from functools import lru_cache

from cleanair.mesh.v1 import access_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor


def operator_methods(service: ServiceDescriptor) -> frozenset[str]:
    """The methods of a service that are for operators alone, by their gRPC paths such as `/package.Service/Method`."""
    return frozenset(f"/{service.full_name}/{method.name}" for method in service.methods if _is_for_operators(method))


@lru_cache(maxsize=256)
def is_for_operators(path: str) -> bool:
    """Whether a method, by its gRPC path, is for operators alone; False for one of a contract that is not loaded."""
    try:
        method = descriptor_pool.Default().FindMethodByName(path.removeprefix("/").replace("/", "."))
    except KeyError:
        return False
    return _is_for_operators(method)


def _is_for_operators(method: MethodDescriptor) -> bool:
    return method.GetOptions().Extensions[access_pb2.access].operator
