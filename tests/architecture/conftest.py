"""What tests of the house itself look at: its files and its declared needs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import cast

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def own_files() -> list[Path]:
    """The files that are ours: tracked, or new and not ignored; relative to the repository."""
    # Whoever owns the folder: a test reads it only.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def declared() -> dict[str, Requirement]:
    """The requirements of pyproject.toml by name, those of every extra and of the build among them."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = cast("dict[str, object]", tables["project"])
    extras = cast("dict[str, list[str]]", project["optional-dependencies"])
    lines = [*cast("list[str]", project["dependencies"]), *cast("list[str]", tables["build-system"]["requires"])]
    lines += [line for extra in extras.values() for line in extra]
    requirements = [Requirement(line) for line in lines]
    return {requirement.name: requirement for requirement in requirements if requirement.name != project["name"]}
