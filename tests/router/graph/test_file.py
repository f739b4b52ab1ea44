from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from router.graph.file import (
    Content,
    DamagedGraphFile,
    NoSuchGraphFile,
    UnknownGraphFormat,
    read,
    write,
)

CONTENT = Content(
    {"name": "도시", "count": 3, "simulated": True},
    {
        "numbers": np.array([1.5, -2.5, 0.0]),
        "table": np.arange(12, dtype=np.int32).reshape(2, 3, 2),
        "none": np.zeros(0, dtype=np.uint8),
        "flags": np.array([True, False]),
    },
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "some.graph"
    write(CONTENT, path)
    return path


def test_content_comes_back_as_it_went_on_boundaries_and_read_only(path: Path) -> None:
    content = read(path)
    assert content.said == CONTENT.said
    assert list(content.arrays) == sorted(CONTENT.arrays)
    for name, array in CONTENT.arrays.items():
        np.testing.assert_array_equal(content.arrays[name], array)
        assert content.arrays[name].dtype == array.dtype
        assert not content.arrays[name].flags.writeable
        assert content.arrays[name].ctypes.data % 64 == 0


def test_equal_contents_make_equal_files_and_leave_nothing_beside_them(path: Path) -> None:
    before = path.read_bytes()
    write(CONTENT, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_reader_keeps_what_it_has_when_a_new_file_takes_the_place(path: Path) -> None:
    kept = read(path)
    write(Content({}, {"numbers": np.ones(3)}), path)
    np.testing.assert_array_equal(kept.arrays["numbers"], CONTENT.arrays["numbers"])
    assert read(path).arrays["numbers"].tolist() == [1, 1, 1]


def test_what_fails_leaves_the_old_file_as_it_was(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write(Content({"no json": object()}, {}), path)
    with pytest.raises(TypeError):
        write(Content({}, {"no numbers": np.array([object()])}), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchGraphFile, match=r"missing\.graph"):
        read(tmp_path / "missing.graph")


def test_a_file_cut_short_anywhere_is_damaged(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 17):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedGraphFile, match=r"some\.graph"):
            read(path)


def test_any_changed_byte_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with pytest.raises((DamagedGraphFile, UnknownGraphFormat)):
            read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(DamagedGraphFile):
        read(path)


def test_a_file_of_something_else_is_damaged(path: Path) -> None:
    path.write_bytes(b"not a graph, but long enough that one might read on and on" * 3)
    with pytest.raises(DamagedGraphFile):
        read(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(30))
    with pytest.raises(DamagedGraphFile):
        read(path)


def test_another_format_version_is_told_apart_from_damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + (99).to_bytes(4, "little") + whole[12:])
    with pytest.raises(UnknownGraphFormat, match="99"):
        read(path)
    with path.open("wb") as file:
        np.savez(file, latitude=np.zeros(3), header=np.frombuffer(json.dumps({"format": 1}).encode(), dtype=np.uint8))
    with pytest.raises(UnknownGraphFormat, match="format 1,"):
        read(path)
