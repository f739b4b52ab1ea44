"""What contracts promise to whoever calls them, as a set of sentences: a set that may only grow."""

from __future__ import annotations

from collections.abc import Iterator

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

_Field = descriptor_pb2.FieldDescriptorProto


def promises(contracts: descriptor_pb2.FileDescriptorSet) -> frozenset[str]:
    """A sentence for each message, field, enum value, option of ours, RPC, and way to call an RPC over REST."""
    return frozenset(sentence for file in contracts.file for sentence in _of_file(file))


def _of_file(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    for message in file.message_type:
        yield from _of_message(f"{file.package}.{message.name}", message)
    for enum in file.enum_type:
        yield from _of_enum(f"{file.package}.{enum.name}", enum)
    for extension in file.extension:
        yield f"option {_field(file.package, extension)}, of {extension.extendee.removeprefix('.')}"
    for service in file.service:
        for method in service.method:
            yield from _of_method(f"{file.package}.{service.name}.{method.name}", method)


def _of_message(name: str, message: descriptor_pb2.DescriptorProto) -> Iterator[str]:
    yield f"message {name}"
    for field in message.field:
        alone = field.proto3_optional or not field.HasField("oneof_index")
        choice = "" if alone else f", in the oneof {message.oneof_decl[field.oneof_index].name}"
        yield f"field {_field(name, field)}{choice}"
    for nested in message.nested_type:
        yield from _of_message(f"{name}.{nested.name}", nested)
    for enum in message.enum_type:
        yield from _of_enum(f"{name}.{enum.name}", enum)


def _field(parent: str, field: _Field) -> str:
    kind = field.type_name.removeprefix(".") or _Field.Type.Name(field.type).removeprefix("TYPE_").lower()
    label = "optional " if field.proto3_optional else "repeated " if field.label == _Field.LABEL_REPEATED else ""
    return f"{parent}.{field.name} = {field.number}: {label}{kind}, in JSON {field.json_name}"


def _of_enum(name: str, enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[str]:
    yield f"enum {name}"
    for value in enum.value:
        yield f"value {name}.{value.name} = {value.number}"


def _of_method(name: str, method: descriptor_pb2.MethodDescriptorProto) -> Iterator[str]:
    taken, given = (kind.removeprefix(".") for kind in (method.input_type, method.output_type))
    takes, gives = ("stream " if streams else "" for streams in (method.client_streaming, method.server_streaming))
    yield f"RPC {name}({takes}{taken}) returns ({gives}{given})"
    if method.options.HasExtension(annotations_pb2.http):
        rule = method.options.Extensions[annotations_pb2.http]
        for binding in (rule, *rule.additional_bindings):
            yield f"REST path {_rest_path(binding)} of {name}"


def _rest_path(rule: http_pb2.HttpRule) -> str:
    verb = rule.WhichOneof("pattern") or ""
    kind, path = (rule.custom.kind, rule.custom.path) if verb == "custom" else (verb.upper(), str(getattr(rule, verb)))
    body = f' with body "{rule.body}"' if rule.body else ""
    part = f' answering "{rule.response_body}"' if rule.response_body else ""
    return f"{kind} {path}{body}{part}"
