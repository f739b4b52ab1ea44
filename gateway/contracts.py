"""What the contracts say of REST, read from the descriptor set that Envoy's transcoder reads too."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

_VARIABLE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class RestMethod:
    """One RPC as REST.

    Attributes:
        verb: The HTTP method, such as `GET`.
        path: The template, such as `/api/v1/routes/{route_id}`; a variable is one path segment.
        service: The full name of its gRPC service.
        name: The RPC's name.
        summary: The first sentence of its comment.
    """

    verb: str
    path: str
    service: str
    name: str
    summary: str

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


def rest_methods(descriptors: Path) -> tuple[RestMethod, ...]:
    """Every RPC that has a REST path, by path; literal paths before those with variables."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
    methods = [method for file in files for method in _methods_of(file)]
    return tuple(sorted(methods, key=lambda method: (not method.is_literal, method.path, method.verb)))


def _methods_of(file: descriptor_pb2.FileDescriptorProto) -> Iterable[RestMethod]:
    comments = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
    for i, service in enumerate(file.service):
        for j, method in enumerate(service.method):
            rule = method.options.Extensions[annotations_pb2.http]
            for verb, path in _bindings(rule):
                yield RestMethod(
                    verb, path, f"{file.package}.{service.name}", method.name, _summary(comments, (6, i, 2, j))
                )


def _bindings(rule: http_pb2.HttpRule) -> Iterable[tuple[str, str]]:
    pattern = rule.WhichOneof("pattern")
    if pattern == "custom":
        yield rule.custom.kind, rule.custom.path
    elif pattern is not None:
        yield pattern.upper(), str(getattr(rule, pattern))
    for additional in rule.additional_bindings:
        yield from _bindings(additional)


def _summary(comments: Mapping[tuple[int, ...], str], path: tuple[int, ...]) -> str:
    text = " ".join(comments.get(path, "").split())
    return text.split(". ")[0].rstrip(".") + "." if text else ""
