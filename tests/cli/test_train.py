"""`cleanair train` says what it lacks before it begins; that it trains is shown in tests/predictor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.failure import CommandFailed
from cli.main import app
from mesh.errors import CleanAirError


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)], env={"COLUMNS": "200"})


def why(done: Result) -> str:
    assert isinstance(done.exception, CommandFailed | CleanAirError), done.output
    return str(done.exception)


def test_what_the_folder_lacks_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "korea_stations.csv cannot be read" in why(train("--data", tmp_path, "--out", out))
    (tmp_path / "air").mkdir()
    for name in ("korea_stations.csv", "seoul_stations.csv"):
        (tmp_path / "air" / name).write_text("station,lat,lon\n종로구,37.57,127.0\n", encoding="utf-8")
    assert "seoul_weather_asos108_hourly_2008_2022.parquet cannot be used" in why(
        train("--data", tmp_path, "--out", out)
    )
    assert not out.exists()


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for module in [name for name in sys.modules if name.startswith("predictor.training")]:
        monkeypatch.delitem(sys.modules, module)
    assert "pip install 'cleanair-route[predictor,evaluate]'" in why(train("--data", tmp_path, "--out", tmp_path))


def test_a_split_that_is_none_is_refused(tmp_path: Path) -> None:
    done = train("--data", tmp_path, "--out", tmp_path, "--split", "all")
    assert done.exit_code == 2
    assert "evaluation" in done.output
