from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from router.graph.file import Content, DamagedGraphFile, read, write
from router.graph.graph import Graph, check
from router.graph.osm import NoRoads, UnreadableExtract
from router.importing import import_file
from router.prepared import Prepared, load, prepare, save
from tests.router.graph.drawing import Drawing, on_a_line, town


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(town().imported(tmp_path_factory.mktemp("town"))[0])


@pytest.fixture
def path(tmp_path: Path, prepared: Prepared) -> Path:
    path = tmp_path / "town.graph"
    save(prepared, path)
    return path


def test_a_graph_comes_back_with_all_that_was_made_of_it(path: Path, prepared: Prepared) -> None:
    loaded = load(path)
    check(loaded.graph)
    for field in fields(Graph):
        np.testing.assert_array_equal(getattr(loaded.graph, field.name), getattr(prepared.graph, field.name))
    assert loaded.graph.streets == ("", "긴 길", "한쪽 길")
    for kept, made in zip(loaded.contraction, prepared.contraction, strict=True):
        np.testing.assert_array_equal(kept, made)
    np.testing.assert_array_equal(loaded.influence, prepared.influence)


def test_what_is_mapped_and_what_is_in_memory_are_one_type_to_compiled_code(path: Path, prepared: Prepared) -> None:
    def kinds(whole: Prepared) -> list[tuple[np.dtype[np.generic], bool, bool, bool]]:
        arrays = [*whole.contraction, whole.influence, *(getattr(whole.graph, field.name) for field in fields(Graph))]
        return [
            (array.dtype, array.flags.c_contiguous, array.flags.aligned, array.flags.writeable)
            for array in arrays
            if isinstance(array, np.ndarray)
        ]

    assert kinds(load(path)) == kinds(prepared)
    assert not any(writable for *_, writable in kinds(prepared))


def test_a_file_of_other_arrays_is_damaged(path: Path) -> None:
    said, arrays, _ = read(path)
    for lost in ("graph.head", "contraction.upper", "influence"):
        write(Content(said, {name: array for name, array in arrays.items() if name != lost}), path)
        with pytest.raises(DamagedGraphFile):
            load(path)
    write(Content(said, {**arrays, "graph.head": np.zeros(3)}), path)
    with pytest.raises(DamagedGraphFile):
        load(path)


def test_an_import_ends_in_a_file_that_loads(tmp_path: Path) -> None:
    extract = town().write(tmp_path / "town.osm.pbf")
    told: list[tuple[str, float]] = []
    report = import_file(extract, tmp_path / "deep" / "town.graph", lambda stage, share: told.append((stage, share)))
    graph = load(tmp_path / "deep" / "town.graph").graph
    assert (graph.node_count, graph.arc_count, graph.version) == (report.nodes, report.arcs, report.version)
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_a_failed_import_leaves_the_old_file_as_it_was(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"broken, and more than a header long, so that the reader has to look")
    with pytest.raises(UnreadableExtract):
        import_file(broken, path)
    bare = Drawing(on_a_line(1, 2), []).write(tmp_path / "bare.osm.pbf")
    with pytest.raises(NoRoads):
        import_file(bare, path)
    assert path.read_bytes() == before


# Reads a file, says so, waits, and tells how much memory that takes, whole and as its share.
_READER = """
import pathlib, re, sys
from router.graph.file import read
path = pathlib.Path(sys.argv[1])
array = read(path).arrays["large"]
print("read", flush=True)
sys.stdin.readline()
maps = pathlib.Path("/proc/self/smaps").read_text()
(own,) = re.findall(rf"{re.escape(str(path))}.*?\\nRss: +(\\d+) kB\\nPss: +(\\d+) kB", maps, re.DOTALL)
print(*own, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="The system does not tell who shares memory.")
def test_two_readers_share_the_pages_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "large.graph"
    write(Content({}, {"large": np.arange(1_000_000)}), path)
    command = [sys.executable, "-c", _READER, str(path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
    ):
        for reader in (one, other):
            assert reader.stdout is not None
            assert reader.stdout.readline() == "read\n"
        # While one tells, the other waits, and holds the file as well.
        told, _ = one.communicate("\n")
        other.communicate("\n")
    resident, proportional = map(int, told.split())
    assert resident > 7_800
    assert proportional < 0.6 * resident
