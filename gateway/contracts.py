"""What the contracts say of REST, read from the descriptor set that Envoy's transcoder reads too."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cleanair.mesh.v1 import access_pb2
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

_VARIABLE = re.compile(r"\{[^}]*\}")
# A standard's package is named by the standard; all others are called after the server that answers.
_STANDARDS = {"inference": "predictor"}


@dataclass(frozen=True, slots=True)
class RestMethod:
    """One RPC as REST.

    Attributes:
        verb: The HTTP method, such as `GET`.
        path: The template, such as `/api/v1/routes/{route_id}`; a variable is one path segment.
        service: The full name of its gRPC service.
        name: The RPC's name.
        summary: The first sentence of its comment.
        body: The full name of the message that its body holds; empty when it takes none.
    """

    verb: str
    path: str
    service: str
    name: str
    summary: str
    body: str

    @property
    def rpc(self) -> str:
        """The gRPC path without the leading slash, as grpcurl and buf curl take it."""
        return f"{self.service}/{self.name}"

    @property
    def is_literal(self) -> bool:
        """Whether the path has no variables."""
        return "{" not in self.path

    @property
    def regex(self) -> str:
        """A pattern of the whole path."""
        parts = _VARIABLE.split(self.path)
        return "[^/]+".join(re.escape(part) for part in parts)


@dataclass(frozen=True, slots=True)
class ClosedMethod:
    """An RPC that is not for everybody.

    Attributes:
        path: Its gRPC path.
        server: Which server answers it: `ingestion`, `predictor` or `router`.
        is_internal: Whether it is for servers of the mesh; else it is for those who bring the operator key.
    """

    path: str
    server: str
    is_internal: bool

    @property
    def name(self) -> str:
        """The RPC's name."""
        return self.path.rpartition("/")[2]


def descriptor_path() -> Path:
    """The descriptor set: in the wheel beside this file, in a source tree in `gen/`.

    Raises:
        FileNotFoundError: It has not been generated.
    """
    package = importlib.resources.files("gateway")
    with importlib.resources.as_file(package / "cleanair.binpb") as packed:
        candidates = (packed, packed.parent.parent / "gen" / "cleanair.binpb")
    for path in candidates:
        if path.is_file():
            return path.resolve()
    raise FileNotFoundError("cleanair.binpb is missing: generate it with `python build_protos.py`")


def read_descriptors(path: Path) -> descriptor_pb2.FileDescriptorSet:
    """The descriptor set in a file."""
    return descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())


def rest_methods(descriptors: descriptor_pb2.FileDescriptorSet) -> tuple[RestMethod, ...]:
    """Every RPC that has a REST path, by path; literal paths before those with variables."""
    methods = [method for file in descriptors.file for method in _methods_of(file)]
    return tuple(sorted(methods, key=lambda method: (not method.is_literal, method.path, method.verb)))


def closed_methods(descriptors: descriptor_pb2.FileDescriptorSet) -> tuple[ClosedMethod, ...]:
    """Every RPC that the contracts close to the public, in their order."""
    return tuple(
        ClosedMethod(f"/{file.package}.{service.name}/{method.name}", _server(file.package), access.internal)
        for file in descriptors.file
        for service in file.service
        for method in service.method
        for access in [method.options.Extensions[access_pb2.access]]
        if access.operator or access.internal
    )


def _server(package: str) -> str:
    return _STANDARDS.get(package) or package.split(".")[1]


def message_fields(descriptors: descriptor_pb2.FileDescriptorSet) -> dict[str, dict[str, str]]:
    """The fields of each message of ours, by both spellings of their names: the message that a field holds, or "".

    Messages that JSON writes in a way of their own, such as Timestamp, count as holding nothing.
    """
    found: dict[str, dict[str, str]] = {}
    for file in descriptors.file:
        if file.package.startswith("cleanair."):
            for message in file.message_type:
                _add_fields(found, f"{file.package}.{message.name}", message)
    return {
        name: {field: held if held in found else "" for field, held in fields.items()} for name, fields in found.items()
    }


def _add_fields(found: dict[str, dict[str, str]], name: str, message: descriptor_pb2.DescriptorProto) -> None:
    if message.options.map_entry:
        return
    found[name] = {
        spelling: field.type_name.removeprefix(".")
        for field in message.field
        for spelling in (field.name, field.json_name)
    }
    for nested in message.nested_type:
        _add_fields(found, f"{name}.{nested.name}", nested)


def _methods_of(file: descriptor_pb2.FileDescriptorProto) -> Iterable[RestMethod]:
    comments = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
    for i, service in enumerate(file.service):
        for j, method in enumerate(service.method):
            summary = _summary(
                comments.get((6, i, 2, j), "")
            )  # service i, method j, by the numbers of descriptor.proto
            for rule in _bindings(method.options.Extensions[annotations_pb2.http]):
                verb, path = _pattern(rule)
                # A body that is one field of the request ("body: name") is not in use.
                body = method.input_type.removeprefix(".") if rule.body == "*" else ""
                yield RestMethod(verb, path, f"{file.package}.{service.name}", method.name, summary, body)


def _bindings(rule: http_pb2.HttpRule) -> Iterable[http_pb2.HttpRule]:
    if rule.WhichOneof("pattern") is not None:
        yield rule
    yield from rule.additional_bindings


def _pattern(rule: http_pb2.HttpRule) -> tuple[str, str]:
    pattern = rule.WhichOneof("pattern")
    if pattern == "custom":
        return rule.custom.kind, rule.custom.path
    return pattern.upper(), str(getattr(rule, pattern))


def _summary(comment: str) -> str:
    text = " ".join(comment.split())
    return text.split(". ")[0].rstrip(".") + "." if text else ""
