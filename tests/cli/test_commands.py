"""The `cleanair` command says what is wrong in one sentence, and exits with 2; never with a stack trace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import osmium
import pytest

from tests.backing.forks import start_command
from tests.backing.street_extract import write_street_grid


def cleanair(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a folder of its own, with these settings (without the prefix) and no others."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CLEANAIR_")}
    chosen = {f"CLEANAIR_{name}": value for name, value in {"DATA_DIR": str(folder), **settings}.items()}
    stdout, stderr = folder / "stdout", folder / "stderr"
    process = start_command(arguments, {**ours, **chosen, "COLUMNS": "200"}, stdout=stdout, stderr=stderr)
    process.join(60)
    assert process.exitcode is not None, "it did not end"
    said = (file.read_text(encoding="utf-8") for file in (stdout, stderr))
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed as a person can understand."""
    assert done.returncode == 2, done.stderr
    said = done.stderr.strip()
    assert "\n" not in said
    for word in words:
        assert word in said


def test_a_graph_is_imported_and_said_what_of(tmp_path: Path) -> None:
    extract = tmp_path / "grid.osm.pbf"
    write_street_grid(extract, 37.5, 127.0)
    done = cleanair(tmp_path, "graph", "import", str(extract))
    assert done.returncode == 0, done.stderr
    assert "64 nodes" in done.stdout
    assert str(tmp_path / "graphs" / "grid.graph") in done.stdout
    assert (tmp_path / "graphs" / "grid.graph").is_file()


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b"not a map at all", "damaged"), (None, "no street"), ("cut", "damaged")]
)
def test_an_extract_that_is_none_is_refused(tmp_path: Path, content: bytes | str | None, word: str) -> None:
    extract = tmp_path / "broken.osm.pbf"
    if content is None:
        with osmium.SimpleWriter(str(extract)) as writer:
            writer.add_node(osmium.osm.mutable.Node(id=1, location=(127.0, 37.5)))
    elif isinstance(content, bytes):
        extract.write_bytes(content)
    else:
        write_street_grid(extract, 37.5, 127.0)
        extract.write_bytes(extract.read_bytes()[:-40])
    done = cleanair(tmp_path, "graph", "import", str(extract))
    assert_one_sentence(done, "broken.osm.pbf", word)
    assert not list(tmp_path.glob("graphs/*"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert_one_sentence(cleanair(tmp_path, "graph", "import", "nowhere.osm.pbf"), "nowhere.osm.pbf")


def test_a_mesh_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    done = cleanair(tmp_path, "route", "36.35,127.90", "36.36,127.91", GATEWAY_TARGET="127.0.0.1:1")
    assert_one_sentence(done, "127.0.0.1:1", "make up")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("route", "91,0", "36.36,127.91"), "FROM"),
        (("route", "36.35,127.90", "36.36,127.91", "--language", "xx"), "xx"),
        (("route", "36.35,127.90", "36.36,127.91", "--mode", "fly"), "fly"),
        (("route", "36.35,127.90", "36.36,127.91", "--depart", "soon"), "soon"),
        (("collect",), "CLEANAIR_OPERATOR_API_KEY"),
        (("db", "upgrade", "gateway"), "gateway"),
        (("serve", "router"), "CLEANAIR_GRAPH_PATH"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], word: str) -> None:
    assert_one_sentence(cleanair(tmp_path, *arguments), word)


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    assert_one_sentence(cleanair(tmp_path, "serve", "ingestion", INGESTION_PORT="many"), "CLEANAIR_INGESTION_PORT")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = cleanair(tmp_path, "serve", "ingestion", INGESTION_PORT=port, COLLECT_ON_SCHEDULE="false")
    assert done.returncode == 2
    assert port in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_tables_are_upgraded_by_name(tmp_path: Path) -> None:
    done = cleanair(tmp_path, "db", "upgrade", "predictor")
    assert done.returncode == 0, done.stderr
    assert "predictor" in done.stdout
    assert (tmp_path / "predictor.db").is_file()
