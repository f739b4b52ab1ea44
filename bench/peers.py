"""Other engines to measure beside: installed from PyPI into a folder of their own, never into ours.

They are no dependencies: nothing that runs knows them, no lock names them. `pip` verifies what it fetches by the
index; releases are pinned, so that figures can be compared between runs.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from mesh.settings import MeshSettings

_PINNED: Final = ("igraph==1.0.0", "texttable==1.7.0", "routingkit-cch==0.1.4", "pyvalhalla==3.2.0")
_TILE_BUILDER: Final = ("pyvalhalla==3.9.1", "--python-version=3.12")
"""Valhalla's newest release with a module for this Python lacks the programs that build tiles; the newest of all has
them, for another Python, which they do not need."""

_PIP: Final = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


class NoPeer(Exception):
    """A peer could not be installed; the message says which, and why."""


def peer(module: str) -> ModuleType:
    """A peer's module. Raises NoPeer."""
    folder = _installed()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise NoPeer(f"{module} does not load here: {error}") from error


def valhalla_programs() -> Path:
    """The folder of Valhalla's own programs. Raises NoPeer."""
    folder = _folder() / "valhalla-programs"
    programs = folder / "valhalla" / "bin"
    if not programs.is_dir():
        _pip("download", "--only-binary=:all:", "--no-deps", f"--dest={folder}", *_TILE_BUILDER)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder)
        for program in programs.iterdir():
            program.chmod(0o755)
    return programs


@cache
def _installed() -> Path:
    folder = _folder() / "modules"
    done = folder / "installed.txt"
    wanted = "\n".join(_PINNED)
    if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
        _pip("install", "--only-binary=:all:", "--no-deps", "--upgrade", f"--target={folder}", *_PINNED)
        done.write_text(wanted, encoding="utf-8")
    return folder


def _folder() -> Path:
    return MeshSettings().data_dir.resolve() / "bench-peers"


def _pip(*arguments: str) -> None:
    command: Sequence[str] = (*_PIP, *arguments)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise NoPeer(f"pip could not {arguments[0]} {arguments[-1]}: {last}")
