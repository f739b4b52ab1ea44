"""What we stand on is locked, installed as locked, and says why it is there."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement


def _locked(root: Path, name: str) -> dict[str, Requirement]:
    lines = (line for line in (root / name).read_text().splitlines() if re.match(r"\w", line))
    requirements = [Requirement(line) for line in lines]
    return {requirement.name: requirement for requirement in requirements}


def test_every_release_that_is_installed_is_the_locked_one(root: Path) -> None:
    wrong = [
        f"{requirement} is locked, {metadata.version(name)} is installed"
        for name, requirement in _locked(root, "requirements-dev.lock").items()
        if not requirement.specifier.contains(metadata.version(name), prereleases=True)
    ]
    assert not wrong, "run `make test` again, which installs what is locked"


def test_what_runs_and_what_tests_is_locked_to_the_same_releases(root: Path) -> None:
    runs, tests = _locked(root, "requirements.lock"), _locked(root, "requirements-dev.lock")
    assert {name: str(requirement) for name, requirement in runs.items()} == {
        name: str(tests[name]) for name in runs if name in tests
    }


def test_the_locks_are_those_of_pyproject(root: Path, declared: dict[str, Requirement]) -> None:
    locked = _locked(root, "requirements-dev.lock")
    stale = [
        str(requirement)
        for name, requirement in declared.items()
        if name not in locked
        or not all(requirement.specifier.contains(pin.version, prereleases=True) for pin in locked[name].specifier)
    ]
    assert not stale, "run `make lock`"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_leaves_the_build_of_torch_to_the_machine(root: Path, lock: str) -> None:
    assert str(_locked(root, lock)["torch"]) == "torch==2.13.0"


def test_every_dependency_says_what_it_earns(root: Path, declared: dict[str, Requirement]) -> None:
    reasons = re.findall(r"^- `([a-z0-9-]+)`: \S.*$", (root / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert sorted(reasons) == sorted(declared)
