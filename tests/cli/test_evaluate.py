"""`cleanair evaluate` scores recorded hours from files to a report, and says what a file lacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from cli.failure import CommandFailed
from cli.main import app
from mesh.errors import CleanAirError
from predictor.evaluation.report import SCHEMA
from predictor.models.model_file import ModelUnusable
from tests.predictor.recorded_hours import STATIONS, made_up_hours, write_hours, write_stations, write_weather

HOURS = 460


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hours(made_up_hours(HOURS), tmp_path_factory.mktemp("hours") / "hours.parquet")


def test_a_file_is_scored_from_end_to_end(tmp_path: Path, readings: Path) -> None:
    stations = write_stations(tmp_path / "stations.csv", STATIONS[:2])
    out = tmp_path / "report.json"
    done = evaluate(
        *("--readings", readings, "--stations", stations, "--weather", write_weather(HOURS, tmp_path / "weather.csv")),
        *("--weather-as-forecast", "--out", out, "--every", "2"),
    )
    assert done.exit_code == 0, done.output
    for said in (*("2 stations", "중구", "PM25, µg/m³", "O3, ppb", "Tomorrow's grade"), str(out)):
        assert said in done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["schema"] == SCHEMA
    assert report["stations_left_out"] == ["중구"]
    # The window's last hour has a clock of 24 h, which is even; the last one that can be scored is the one before last.
    assert (report["first_issue_hour"], report["last_issue_hour"]) == (
        "2025-12-15T00:00:00+09:00",
        "2025-12-20T02:00:00+09:00",
    )
    assert report["issue_hours"] == 62
    assert any("WEATHER TO COME WAS NOT FORECAST" in note for note in report["notes"])
    names = [forecaster["name"] for forecaster in report["forecasters"]]
    assert {"persistence", "climatology", "ensemble"} <= {*names}
    scores = report["evaluation"]["scores"]
    assert len(scores) == len(names) * 4 * 7
    assert len({(score["pollutant"], score["horizon_hours"], score["count"]) for score in scores}) == 4 * 7
    assert all(score["skill_persistence"] == 0 for score in scores if score["forecaster"] == "persistence")
    assert all(0.4 < score["coverage"] <= 1 for score in scores if score["forecaster"] == "ensemble")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG") or "No plot" in done.output


def test_only_hours_from_a_day_on_are_scored(tmp_path: Path, readings: Path) -> None:
    stations, out = write_stations(tmp_path / "stations.csv"), tmp_path / "report.json"
    done = evaluate("--readings", readings, "--stations", stations, "--out", out, "--since", "2025-12-18")
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text(encoding="utf-8"))["first_issue_hour"] == "2025-12-18T00:00:00+09:00"


def test_lightgbm_is_left_out_and_said_so_where_it_is_not_asked_for_or_not_there(
    tmp_path: Path, readings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were not installed, wherever the test runs.
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    out = tmp_path / "report.json"
    common = ("--readings", readings, "--stations", write_stations(tmp_path / "stations.csv"), "--out", out)
    for more, said, first in (
        ((), "--train-until does not say", "2025-12-15T00:00:00+09:00"),
        (("--train-until", "2025-12-16"), "is not installed", "2025-12-16T12:00:00+09:00"),
    ):
        assert evaluate(*common, "--every", "12", *more).exit_code == 0
        report = json.loads(out.read_text(encoding="utf-8"))
        assert any("LightGBM is left out" in note and said in note for note in report["notes"])
        assert report["first_issue_hour"] == first
    done = evaluate(*common, "--train-until", "2025-12-02")
    assert isinstance(done.exception, CleanAirError)
    assert "LightGBM needs 336 hours" in str(done.exception)


def without_o3(table: pa.Table) -> pa.Table:
    return table.drop_columns("o3")


def nothing(table: pa.Table) -> pa.Table:
    return table.slice(0, 0)


def few_hours(table: pa.Table) -> pa.Table:
    return table.filter(pc.less_equal(table["time_kst"], pc.add(pc.min(table["time_kst"]), timedelta(hours=335))))


def zoned(table: pa.Table) -> pa.Table:
    return table.set_column(1, "time_kst", pc.assume_timezone(table["time_kst"], "Asia/Seoul"))


def words(table: pa.Table) -> pa.Table:
    return table.set_column(2, "pm25", pa.array(["점검중"] * table.num_rows))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_o3, "no column o3"),
        (nothing, "no rows"),
        (few_hours, "of its 336 hours none can be forecast from"),
        (zoned, "without a zone"),
        (words, "pm25 does not hold numbers"),
    ],
)
def test_a_file_that_lacks_something_is_refused(
    tmp_path: Path, readings: Path, change: Callable[[pa.Table], pa.Table], said: str
) -> None:
    broken = tmp_path / "broken.parquet"
    pq.write_table(change(pq.read_table(readings)), broken)
    done = evaluate(
        *("--readings", broken, "--stations", write_stations(tmp_path / "stations.csv"), "--out", tmp_path / "r.json")
    )
    assert isinstance(done.exception, CleanAirError)
    assert said in str(done.exception)
    assert not (tmp_path / "r.json").exists()


def test_a_list_without_the_stations_is_refused(tmp_path: Path, readings: Path) -> None:
    stations = write_stations(tmp_path / "stations.csv", ("광복동",))
    done = evaluate("--readings", readings, "--stations", stations, "--out", tmp_path / "r.json")
    assert isinstance(done.exception, CleanAirError)
    assert "none of its stations is in the list" in str(done.exception)


def test_a_model_that_is_none_and_a_report_that_cannot_be_written_are_told(tmp_path: Path, readings: Path) -> None:
    common = ("--readings", readings, "--stations", write_stations(tmp_path / "stations.csv"))
    done = evaluate(*common, "--out", tmp_path / "r.json", "--model", tmp_path / "none.pt")
    assert isinstance(done.exception, ModelUnusable)
    done = evaluate(*common, "--out", tmp_path / "nowhere" / "r.json", "--every", "24")
    assert isinstance(done.exception, CommandFailed)
    assert "cannot be written" in str(done.exception)


@pytest.mark.real_data
def test_three_weeks_of_seoul_are_scored_as_measured_before(tmp_path: Path, real_data: Path) -> None:
    air = real_data / "air"
    table = pq.read_table(air / "seoul_airkorea_hourly_20250421_20260115.parquet")
    kept = pc.greater(table["time_kst"], pc.subtract(pc.max(table["time_kst"]), timedelta(days=21)))
    pq.write_table(table.filter(kept), tmp_path / "hours.parquet")
    out = tmp_path / "report.json"
    done = evaluate(
        *("--readings", tmp_path / "hours.parquet", "--stations", air / "seoul_stations.csv", "--out", out),
        *("--every", "3"),
    )
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert len(report["stations"]) == 40
    persistence = {
        score["horizon_hours"]: score["rmse"]
        for score in report["evaluation"]["scores"]
        if (score["forecaster"], score["pollutant"]) == ("persistence", "PM25")
    }
    # Measured before on the last winter weeks of the same recording: 4.3, 11.9 and 20.2 µg/m³; one week strays.
    for horizon, measured in ((1, 4.3), (6, 11.9), (24, 20.2)):
        assert 0.6 * measured < persistence[horizon] < 1.6 * measured
    grades = report["evaluation"]["day_ahead"]
    assert all(one["count"] > 100 for one in grades)
