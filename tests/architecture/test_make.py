"""The commands as a person meets them on a machine that lacks something."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def _make_venv(folder: Path, *arguments: str, programs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "tools/make_venv.sh"), *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{programs}:/usr/bin:/bin"},
    )


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A folder of programs in which every name of Python leads to 3.9."""
    for name in ("python3.11", "python3", "python"):
        _program(tmp_path / "programs", name, "echo 3.9")
    return tmp_path / "programs"


def test_an_old_python_gets_one_clear_sentence_and_makes_nothing(tmp_path: Path, old_python: Path) -> None:
    made = _make_venv(tmp_path, programs=old_python)
    assert made.returncode == 1
    assert made.stderr.startswith("CleanAir Route needs Python 3.11, and found none (python3.11 is 3.9, python3 is 3.9")
    assert len(made.stderr.splitlines()) == 1
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_not_there_gets_one_clear_sentence(tmp_path: Path, old_python: Path) -> None:
    made = _make_venv(tmp_path, "no-such-python", programs=old_python)
    assert made.returncode == 1
    assert made.stderr.startswith(
        "CleanAir Route needs Python 3.11, and found none: install it, or name it with PYTHON="
    )


def test_a_python_without_venv_says_what_to_install(tmp_path: Path, old_python: Path) -> None:
    _program(old_python, "python3.11", 'case "$2" in *ensurepip*) exit 1;; *) echo 3.11;; esac')
    made = _make_venv(tmp_path, programs=old_python)
    assert made.returncode == 1
    assert made.stderr.startswith("python3.11 has no venv module")
    assert len(made.stderr.splitlines()) == 1


def test_make_alone_lists_every_command() -> None:
    # The make that runs the tests would speak through this one.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    listed = subprocess.run(["make"], check=True, cwd=ROOT, capture_output=True, text=True, env=environment).stdout
    commands = [line.split()[1] for line in listed.splitlines()]
    assert commands == ["help", "up", "test", "test-slow", "lint", "types", "contracts", "bench", "lock", "clean"]
    assert all(len(line.split()) > 2 for line in listed.splitlines())


def test_a_command_that_fails_shows_all_it_said() -> None:
    command = [str(ROOT / "tools/quietly.sh"), "Trying", "sh", "-c", "echo out; echo err >&2; exit 7"]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    assert tried.returncode == 7
    assert tried.stdout == "Trying … failed\nout\nerr\n"


def test_a_command_that_succeeds_says_only_that() -> None:
    tried = subprocess.run(
        [ROOT / "tools/quietly.sh", "Trying", "echo", "noise"], check=True, capture_output=True, text=True
    )
    assert tried.stdout == "Trying … 0 s\n"
