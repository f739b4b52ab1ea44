"""Fails when the contracts here break what main promises: `check_contract_break.py [FOLDER]`.

Two comparisons: messages, fields and RPCs (`buf breaking`), and the REST path of each RPC, which buf does not look at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

from build_protos import stage_third_party

_BUF = str(Path(sys.executable).with_name("buf"))


@dataclass(frozen=True, slots=True, order=True)
class RestPath:
    """A way to call an RPC over REST."""

    rpc: str
    verb: str
    path: str
    body: str
    response_body: str

    def __str__(self) -> str:
        """As a person would say it."""
        body = f' with body "{self.body}"' if self.body else ""
        part = f' answering "{self.response_body}"' if self.response_body else ""
        return f"{self.verb} {self.path}{body}{part} of {self.rpc}"


def landed(root: Path) -> list[str]:
    """The revisions whose contracts must be kept.

    On a branch, or ahead of main at the origin: the point where it left main. On main itself: its newest commit, for
    what is not committed yet, and the one before, for what the newest brought.
    """
    head = _revision(root, "HEAD")
    if head is None:
        return []
    main = _revision(root, "origin/main") or _revision(root, "main")
    if main is not None:
        left_main = _git(root, "merge-base", "HEAD", main)
        if left_main is not None and left_main != head:
            return [left_main]
    before = _revision(root, "HEAD^")
    return [head] if before is None else [head, before]


def breaks(old: Path, new: Path) -> list[str]:
    """What the descriptor set `old` promises and `new` breaks, a line each."""
    command = [_BUF, "breaking", str(new), "--against", str(old), "--exclude-imports", "--config", '{"version": "v2"}']
    compared = subprocess.run(command, check=False, capture_output=True, text=True)
    if compared.returncode not in {0, 100}:
        raise SystemExit(compared.stderr)
    gone = sorted(set(_rest_paths(old)) - set(_rest_paths(new)))
    return [*compared.stdout.splitlines(), *(f"The REST path is gone or changed: {path}" for path in gone)]


def main(root: Path) -> int:
    """Prints what is broken; returns the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch, "here")
        shutil.copytree(root / "protos", here / "protos")
        shutil.copyfile(root / "buf.yaml", here / "buf.yaml")
        new = _descriptors(here)
        for revision in landed(root):
            if _git(root, "rev-parse", "--verify", "--quiet", f"{revision}:protos") is None:
                continue
            old = _descriptors(_checkout(root, revision, Path(scratch, revision)))
            if broken := breaks(old, new):
                commit = _git(root, "log", "-1", "--format=%h (%s)", revision)
                print(f"These contracts break those of {commit}; a change that must break makes a new version (v2):")
                print(*broken, sep="\n")
                return 1
            print(f"Nothing broken since {revision[:10]}")
    return 0


def _checkout(root: Path, revision: str, target: Path) -> Path:
    target.mkdir()
    archive = target / "contracts.tar"
    subprocess.run(["git", "-C", root, "archive", f"--output={archive}", revision, "protos", "buf.yaml"], check=True)
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", target], check=True)
    return target


def _descriptors(contracts: Path) -> Path:
    """Compiles a folder of contracts."""
    # What they import is not committed: both sides get that of the installed packages.
    stage_third_party(contracts)
    output = contracts / "contracts.binpb"
    built = subprocess.run(
        [_BUF, "build", "protos", "--as-file-descriptor-set", "--output", str(output)],
        check=False,
        cwd=contracts,
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise SystemExit(built.stderr)
    return output


def _rest_paths(descriptors: Path) -> Iterator[RestPath]:
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        for service in file.service:
            for method in service.method:
                if not method.options.HasExtension(annotations_pb2.http):
                    continue
                rule = method.options.Extensions[annotations_pb2.http]
                for binding in (rule, *rule.additional_bindings):
                    yield _rest_path(f"{file.package}.{service.name}.{method.name}", binding)


def _rest_path(rpc: str, rule: http_pb2.HttpRule) -> RestPath:
    verb = rule.WhichOneof("pattern") or ""
    if verb == "custom":
        return RestPath(rpc, rule.custom.kind, rule.custom.path, rule.body, rule.response_body)
    return RestPath(rpc, verb.upper(), str(getattr(rule, verb)), rule.body, rule.response_body)


def _revision(root: Path, name: str) -> str | None:
    return _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it has nothing to say."""
    done = subprocess.run(["git", "-C", root, *arguments], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else os.curdir).resolve()))
