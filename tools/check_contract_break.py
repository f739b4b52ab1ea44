"""Fails when the contracts here break what main promises, or has promised lately: `check_contract_break.py [FOLDER]`.

Two comparisons: with the newest revision by `buf breaking`, which knows all that can break; and with the last twenty by
what they promise (tools/promises.py), for several changes may land at once, and only the last would be seen.
"""

from __future__ import annotations

import importlib.resources
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from build_protos import stage_third_party
from tools.promises import promises

_BUF: Final = str(Path(sys.executable).with_name("buf"))
_REVISIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Compiled:
    """The contracts of one revision: a descriptor set in a file, for buf, and what it promises."""

    file: Path
    promises: frozenset[str]


def landed(root: Path) -> list[str]:
    """The revisions whose contracts must be kept: the last changes to them on main, newest first.

    On a branch, or ahead of main at the origin: up to where it left main. On main itself: up to its newest commit. What
    a merge brought in counts once, as what it brought; what came without one counts commit by commit.
    """
    main = _git(root, "rev-parse", "--verify", "--quiet", "origin/main^{commit}") or _git(
        root, "rev-parse", "--verify", "--quiet", "main^{commit}"
    )
    last = (main and _git(root, "merge-base", "HEAD", main)) or "HEAD"
    changes = _git(root, "log", "--first-parent", "--format=%H", f"-{_REVISIONS}", last, "--", "protos")
    return changes.split() if changes else []


def main(root: Path) -> int:
    """Prints what is broken; returns the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        shared = Path(scratch)
        stage_third_party(shared)
        new = compiled(root / "protos", shared, "new")
        revisions = landed(root)
        for number, revision in enumerate(revisions):
            protos = _checkout(root, revision, shared / revision)
            if not any(protos.rglob("*.proto")):
                continue
            old = compiled(protos, shared, revision)
            gone = sorted(old.promises - new.promises)
            if broken := [*(_as_buf_says(old, new) if number == 0 else ()), *(f"No more: {one}" for one in gone)]:
                commit = _git(root, "log", "-1", "--format=%h (%s)", revision)
                print(f"These contracts break those of {commit}; a change that must break makes a new version (v2):")
                print(*broken, sep="\n")
                return 1
        print(f"Nothing broken in {len(revisions)} revisions")
    return 0


def _checkout(root: Path, revision: str, target: Path) -> Path:
    """The contracts of a revision, in a folder."""
    protos = target / "protos"
    protos.mkdir(parents=True)
    archived = subprocess.run(["git", "-C", root, "archive", revision, "protos"], check=False, capture_output=True)
    if archived.returncode == 0:  # else that change removed them all
        with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
            archive.extractall(target, filter="data")
    return protos


def compiled(protos: Path, shared: Path, name: str) -> Compiled:
    """Compiles a folder of contracts into `shared`, where what they import is staged.

    That is not committed: all revisions get that of the installed packages.
    """
    output = shared / f"{name}.binpb"
    staged = (shared / "third_party/protovalidate", shared / "third_party/googleapis")
    includes = [protos, *staged, importlib.resources.files("grpc_tools") / "_proto"]
    files = sorted(str(path) for path in protos.rglob("*.proto"))
    arguments = ["--include_imports", f"--descriptor_set_out={output}", *files]
    if protoc.main(["protoc", *(f"-I{folder}" for folder in includes), *arguments]):
        raise SystemExit("protoc failed; its message stands above")
    everything = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())
    own = [file for file in everything.file if (protos / file.name).is_file()]
    return Compiled(output, promises(descriptor_pb2.FileDescriptorSet(file=own)))


def _as_buf_says(old: Compiled, new: Compiled) -> list[str]:
    """What `old` allows to rely on and `new` breaks, a line each."""
    config = ("--exclude-imports", "--config", '{"version": "v2"}')
    command = [_BUF, "breaking", str(new.file), "--against", str(old.file), *config]
    compared = subprocess.run(command, check=False, capture_output=True, text=True)
    if compared.returncode not in {0, 100}:
        raise SystemExit(compared.stderr)
    return compared.stdout.splitlines()


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it has nothing to say."""
    done = subprocess.run(["git", "-C", root, *arguments], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else os.curdir).resolve()))
