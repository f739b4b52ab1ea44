"""What lies in the repository, and what its files may not say."""

from __future__ import annotations

import re
from pathlib import Path

# Brackets keep each pattern from finding itself.
_OF_ONE_MACHINE = re.compile(
    r"[/](?:work|farm|root)/"
    r"|[/]home/\w+/"
    r"|[/]Users/\w+/"
    r"|[/]opt/(?:pypi|wheels)"
    r"|pypi[.]org|pythonhosted[.]org|download[.]pytorch[.]org"
)
_SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
_LONGEST = 400


def test_no_file_has_a_name_that_says_nothing(own_files: list[Path]) -> None:
    python = [path for path in own_files if path.suffix == ".py"]
    assert not [str(path) for path in python if _SAYS_NOTHING & {*path.parts, path.stem}]


def test_a_file_of_python_fits_in_the_head(root: Path, own_files: list[Path]) -> None:
    lengths = {str(path): len((root / path).read_text().splitlines()) for path in own_files if path.suffix == ".py"}
    assert not {path: length for path, length in lengths.items() if length > _LONGEST}


def test_no_file_speaks_of_one_machine_or_one_registry(root: Path, own_files: list[Path]) -> None:
    found = []
    for path in own_files:
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue  # no text, so nothing to read in it
        found += [f"{path}: {match.group()}" for match in _OF_ONE_MACHINE.finditer(text)]
    assert not found


def test_no_file_is_large(root: Path, own_files: list[Path]) -> None:
    assert not [str(path) for path in own_files if (root / path).stat().st_size > 1 << 20]
