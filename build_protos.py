"""Makes what the contracts in `protos/` generate: typed Python in `gen/` and the descriptor set that Envoy reads.

Runs as hatchling's build hook (wheel and editable install) and as `python build_protos.py`. Generated code is never
committed. The two contracts that we build on are staged into `third_party/` from installed packages, so that buf,
protoc and editors work without a schema registry.
"""

from __future__ import annotations

import ast
import importlib.resources
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, in an environment that builds no wheel
    BuildHookInterface = object  # type: ignore[assignment,misc] # a stand-in for a class

ROOT = Path(__file__).resolve().parent

_GOOGLE_API = ("annotations", "http", "httpbody", "field_behavior")
_GOOGLE_RPC = ("code", "error_details", "status")


def stage_third_party(root: Path) -> tuple[Path, Path]:
    """Copies googleapis' and protovalidate's contracts out of the installed packages; returns their two folders."""
    googleapis, protovalidate = root / "third_party/googleapis", root / "third_party/protovalidate"
    source = _package_folder("google.api").parent
    for folder, names in (("api", _GOOGLE_API), ("rpc", _GOOGLE_RPC)):
        for name in names:
            target = googleapis / "google" / folder / f"{name}.proto"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / folder / f"{name}.proto", target)
    target = protovalidate / "buf/validate/validate.proto"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_render(_protovalidate_descriptor()), encoding="utf-8")
    return googleapis, protovalidate


def generate(root: Path) -> Path:
    """Generates messages, stubs, their types and `cleanair.binpb` (with imports and comments) into `gen/`."""
    from grpc_tools import protoc

    googleapis, protovalidate = stage_third_party(root)
    gen = root / "gen"
    shutil.rmtree(gen, ignore_errors=True)
    gen.mkdir()
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    ours = sorted(str(path) for path in (root / "protos").rglob("*.proto"))
    # error_details is named by no contract of ours; Envoy needs it to print the details of an error.
    named = [*ours, "google/rpc/error_details.proto", "google/rpc/status.proto"]
    includes = [f"-I{root / 'protos'}", f"-I{protovalidate}", f"-I{googleapis}", f"-I{well_known}"]
    python_out = [f"--python_out={gen}", f"--mypy_out={gen}"]
    runs = [
        [*python_out, str(protovalidate / "buf/validate/validate.proto")],
        [*python_out, f"--grpc_python_out={gen}", f"--mypy_grpc_out={gen}", *ours],
        ["--include_imports", "--include_source_info", f"--descriptor_set_out={gen / 'cleanair.binpb'}", *named],
    ]
    plugins = [f"--plugin=protoc-gen-{name}={_script(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    for arguments in runs:
        if protoc.main(["protoc", *plugins, *includes, *arguments]):
            raise SystemExit("protoc failed; its message stands above")
    return gen


class ProtoHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore] # hatchling is untyped, or absent
    """Puts the generated code into the wheel, or beside the source for an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs a target."""
        if self.target_name == "sdist":
            return
        gen = generate(Path(self.root))
        if version != "editable":
            build_data["force_include"] |= {
                str(gen / "cleanair"): "cleanair",
                str(gen / "buf"): "buf",
                str(gen / "inference"): "inference",
                str(gen / "cleanair.binpb"): "gateway/cleanair.binpb",
            }


def _script(name: str) -> str:
    """A script of this environment, which need not be activated."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _protovalidate_descriptor() -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of buf/validate/validate.proto, which protovalidate ships only inside its generated module."""
    module = _package_folder("protovalidate") / "_gen/buf/validate/validate_pb.py"
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_DESC":
            assert isinstance(node.value, ast.Call)
            assert isinstance(node.value.args[0], ast.Constant)
            descriptor = node.value.args[0].value
            assert isinstance(descriptor, bytes)
            return descriptor_pb2.FileDescriptorProto.FromString(descriptor)
    raise SystemExit(f"no descriptor in {module}: protovalidate has changed its layout")


_LABELS = {1: "optional ", 2: "required ", 3: "repeated "}


def _render(file: descriptor_pb2.FileDescriptorProto) -> str:
    """A file descriptor as the text of a .proto file (what validate.proto uses of the language, and no more)."""
    proto3 = file.syntax == "proto3"
    lines = [f'syntax = "{file.syntax or "proto2"}";', f"package {file.package};"]
    lines += [f'import "{name}";' for name in file.dependency]
    for enum in file.enum_type:
        lines += _render_enum(enum, "")
    for message in file.message_type:
        lines += _render_message(message, "", f".{file.package}", proto3=proto3)
    for extension in file.extension:
        lines += [f"extend {extension.extendee} {{", _render_field(extension, "  ", proto3=proto3), "}"]
    return "\n".join(lines) + "\n"


def _render_enum(enum: descriptor_pb2.EnumDescriptorProto, indent: str) -> list[str]:
    alias = [f"{indent}  option allow_alias = true;"] if enum.options.allow_alias else []
    values = [f"{indent}  {value.name} = {value.number};" for value in enum.value]
    return [f"{indent}enum {enum.name} {{", *alias, *values, f"{indent}}}"]


def _render_field(
    field: descriptor_pb2.FieldDescriptorProto, indent: str, *, proto3: bool, in_oneof: bool = False
) -> str:
    labelled = not in_oneof and (not proto3 or field.label == field.LABEL_REPEATED or field.proto3_optional)
    options = []
    if field.HasField("default_value"):
        options.append(f"default = {field.default_value}")
    if field.options.HasField("packed"):
        options.append(f"packed = {str(field.options.packed).lower()}")
    if field.options.deprecated:
        options.append("deprecated = true")
    kind = field.type_name or descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)[len("TYPE_") :].lower()
    tail = f" [{', '.join(options)}]" if options else ""
    return f"{indent}{_LABELS[field.label] if labelled else ''}{kind} {field.name} = {field.number}{tail};"


def _render_message(message: descriptor_pb2.DescriptorProto, indent: str, scope: str, *, proto3: bool) -> list[str]:
    name, inner = f"{scope}.{message.name}", f"{indent}  "
    maps = {f"{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    lines = [f"{indent}message {message.name} {{"]
    for enum in message.enum_type:
        lines += _render_enum(enum, inner)
    for nested in message.nested_type:
        if not nested.options.map_entry:
            lines += _render_message(nested, inner, name, proto3=proto3)
    rendered_oneofs: set[int] = set()
    for field in message.field:
        if field.type_name in maps:
            lines.append(f"{inner}{_render_map(field, maps[field.type_name])}")
        elif field.HasField("oneof_index") and not field.proto3_optional:
            if field.oneof_index in rendered_oneofs:
                continue
            rendered_oneofs.add(field.oneof_index)
            members = [f for f in message.field if f.HasField("oneof_index") and f.oneof_index == field.oneof_index]
            lines.append(f"{inner}oneof {message.oneof_decl[field.oneof_index].name} {{")
            lines += [_render_field(member, f"{inner}  ", proto3=proto3, in_oneof=True) for member in members]
            lines.append(f"{inner}}}")
        else:
            lines.append(_render_field(field, inner, proto3=proto3))
    for extensions in message.extension_range:
        end = "max" if extensions.end >= 1 << 29 else str(extensions.end - 1)
        lines.append(f"{inner}extensions {extensions.start} to {end};")
    lines += [f"{inner}reserved {reserved.start} to {reserved.end - 1};" for reserved in message.reserved_range]
    lines += [f'{inner}reserved "{reserved}";' for reserved in message.reserved_name]
    return [*lines, f"{indent}}}"]


def _render_map(field: descriptor_pb2.FieldDescriptorProto, entry: descriptor_pb2.DescriptorProto) -> str:
    key, value = entry.field
    types = descriptor_pb2.FieldDescriptorProto.Type
    names = [f.type_name or types.Name(f.type)[len("TYPE_") :].lower() for f in (key, value)]
    return f"map<{names[0]}, {names[1]}> {field.name} = {field.number};"


if __name__ == "__main__":
    sys.stdout.write(f"generated {generate(ROOT)}\n")
