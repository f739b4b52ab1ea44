from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from router.graph.file import DamagedGraphFile, NoSuchGraphFile, UnknownGraphFormat, import_file, load, save
from router.graph.graph import Graph, check
from router.graph.osm import NoRoads, UnreadableExtract
from tests.router.graph.drawing import Drawing, on_a_line, town


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return town().imported(tmp_path_factory.mktemp("town"))[0]


@pytest.fixture
def path(tmp_path: Path, graph: Graph) -> Path:
    path = tmp_path / "town.graph"
    save(graph, path)
    return path


def test_a_graph_comes_back_as_it_went(path: Path, graph: Graph) -> None:
    loaded = load(path)
    check(loaded)
    for field in fields(Graph):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(graph, field.name))
    assert loaded.streets == ("", "긴 길", "한쪽 길")


def test_equal_graphs_make_equal_files_and_leave_nothing_beside_them(path: Path, graph: Graph) -> None:
    before = path.read_bytes()
    save(graph, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchGraphFile, match=r"missing\.graph"):
        load(tmp_path / "missing.graph")


def test_a_file_cut_short_anywhere_is_damaged(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedGraphFile, match=r"town\.graph"):
            load(path)


def test_a_file_of_something_else_is_damaged(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"not a graph, but long enough that one might read on and on")
    with pytest.raises(DamagedGraphFile):
        load(path)
    with (tmp_path / "array.graph").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DamagedGraphFile):
        load(tmp_path / "array.graph")


def test_flipped_bytes_are_found(path: Path, graph: Graph) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole), 31):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            loaded = load(path)
        except (DamagedGraphFile, UnknownGraphFormat):
            continue
        assert loaded.version == graph.version, "only bytes that say nothing about the graph may change unseen"
        check(loaded)


def test_a_changed_content_does_not_match_its_hash(path: Path) -> None:
    _rewrite(path, length_m=load(path).length_m * 1.01)
    with pytest.raises(DamagedGraphFile):
        load(path)


def test_another_format_version_is_told_apart_from_damage(path: Path) -> None:
    header = json.dumps({"format": 99, "name": "town", "simulated": False, "sha256": "0" * 64}).encode()
    _rewrite(path, header=np.frombuffer(header, dtype=np.uint8))
    with pytest.raises(UnknownGraphFormat, match="99"):
        load(path)


def test_an_import_ends_in_a_file_that_loads(tmp_path: Path) -> None:
    extract = town().write(tmp_path / "town.osm.pbf")
    told: list[tuple[str, float]] = []
    report = import_file(extract, tmp_path / "deep" / "town.graph", lambda stage, share: told.append((stage, share)))
    graph = load(tmp_path / "deep" / "town.graph")
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


def _rewrite(path: Path, **changes: np.typing.NDArray[np.generic]) -> None:
    with np.load(path, allow_pickle=False) as members:
        columns = {name: members[name] for name in members.files}
    columns |= changes
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **columns)
