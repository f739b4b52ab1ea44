"""Files of history reach the readings of a running server, once, whatever stops on the way."""

from __future__ import annotations

import asyncio
import csv
import itertools
import math
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2
from cleanair.type.v1 import pollutant_pb2
from pyarrow import parquet

from cli.backfill.command import backfill
from cli.failure import CommandFailed
from cli.readiness import serving
from cli.settings import CommandSettings
from mesh.channel import open_channel
from mesh.settings import MeshSettings
from tests.backing.forks import start_command
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes

pytestmark = pytest.mark.timeout(120)

PLACES = "station,network,lat,lon\n중구,도시대기,37.564,126.976\n종로구,도시대기,37.572,127.005\n"
NINE_HOURS = timedelta(hours=9)
SETTINGS = {"CLEANAIR_AIRKOREA_URL": "http://127.0.0.1:1", "CLEANAIR_COLLECT_ON_SCHEDULE": "false"}
# Later than what a server drops for its age.
YEARS = itertools.count(datetime.now(UTC).year - 15)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeshProcesses]:
    """An ingestion server that collects nothing by itself, for tests with a year each."""
    with mesh_processes(tmp_path_factory.mktemp("mesh"), SETTINGS) as processes:
        processes.start("ingestion")
        asyncio.run(serving(processes.target("ingestion")))
        yield processes


@pytest.fixture
def start() -> datetime:
    """The first hour of a year of this test's own."""
    return datetime(next(YEARS), 1, 1, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> Path:
    file = tmp_path / "places.csv"
    file.write_text(PLACES)
    return file


class Command:
    """`cleanair backfill` in this process."""

    def __init__(self, mesh: MeshProcesses, capsys: pytest.CaptureFixture[str]) -> None:
        self._target = mesh.target("ingestion")
        self._settings = CommandSettings.model_validate({"data_dir": mesh.folder, "operator_api_key": OPERATOR_KEY})
        self._capsys = capsys
        self.code: int | None = None

    async def load(
        self,
        file: Path,
        stations: Path,
        *,
        correct: bool = False,
        feed: str = "airkorea",
        station: str | None = None,
        target: str = "",
    ) -> str:
        """What the command said."""
        self._capsys.readouterr()
        self.code = await asyncio.to_thread(
            backfill,
            self._settings,
            [file],
            target=target or self._target,
            stations=stations,
            station=station,
            feed=feed,
            correct=correct,
        )
        return self._capsys.readouterr().out


@pytest.fixture
def command(shared: MeshProcesses, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(shared, capsys)


async def readings(mesh: MeshProcesses, start: datetime, end: datetime) -> list[reading_pb2.Reading]:
    """All that the server has of these hours."""
    found: list[reading_pb2.Reading] = []
    token = ""
    async with open_channel(mesh.target("ingestion"), MeshSettings()) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        while True:
            request = wire.ListReadingsRequest(page_size=1000, page_token=token)
            request.start_time.FromDatetime(start)
            request.end_time.FromDatetime(end)
            page: wire.ListReadingsResponse = await stub.ListReadings(request)
            found += page.readings
            token = page.next_page_token
            if not token:
                return found


def history(folder: Path, name: str, rows: Sequence[tuple[str, datetime, str]]) -> Path:
    """A file of PM10 by station and hour."""
    file = folder / name
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["station", "time_kst", "pm10"])
        writer.writerows((station, f"{hour + NINE_HOURS:%Y-%m-%d %H:%M}", value) for station, hour, value in rows)
    return file


def long_history(folder: Path, start: datetime, rows: int) -> Path:
    stations = ("중구", "종로구")
    hours = ((stations[n % 2], start + timedelta(hours=n // 2), str(20 + n % 7)) for n in range(rows))
    return history(folder, "long.csv", list(hours))


async def test_a_file_fills_gaps_and_wins_only_when_told_to(
    shared: MeshProcesses, command: Command, start: datetime, tmp_path: Path, places: Path
) -> None:
    later = start + timedelta(hours=1)
    first = history(tmp_path, "first.csv", [("중구", start, "20"), ("종로구", start, "21")])
    second = history(tmp_path, "second.csv", [("중구", start, "30"), ("중구", later, "31")])
    assert "2 new, 0 corrected, 0 unchanged, 0 rejected" in await command.load(first, places)
    assert "1 new, 0 corrected, 1 unchanged" in await command.load(second, places)
    kept = {
        (one.station.station_id, one.measured_at.ToDatetime(UTC)): one.pm10_ug_m3
        for one in await readings(shared, start, start + timedelta(days=1))
    }
    assert kept == {("중구", start): 20.0, ("종로구", start): 21.0, ("중구", later): 31.0}
    assert "0 new, 1 corrected, 1 unchanged" in await command.load(second, places, correct=True)
    corrected = {one.station.station_id: one for one in await readings(shared, start, later)}["중구"]
    assert (corrected.pm10_ug_m3, corrected.revision) == (30.0, 2)
    assert command.code == 0


async def test_a_file_that_was_loaded_is_not_sent_again(
    command: Command, start: datetime, tmp_path: Path, places: Path
) -> None:
    file = long_history(tmp_path, start, 6_000)
    assert "6,000 new" in await command.load(file, places)
    said = await command.load(file, places)
    assert "0 new, 0 corrected, 0 unchanged" in said
    assert "6,000 readings had been stored by an earlier run" in said


async def test_bad_rows_are_told_and_the_others_loaded(
    command: Command, start: datetime, tmp_path: Path, places: Path
) -> None:
    ahead = datetime.now(UTC).replace(minute=0) + timedelta(days=2)
    rows = [
        ("중구", start, "20"),
        ("없는곳", start, "5"),
        ("중구", start, "much"),
        ("중구", ahead, "9"),
        ("중구", ahead, "8"),
    ]
    said = await command.load(history(tmp_path, "some.csv", rows), places)
    assert "1 new, 0 corrected, 0 unchanged, 4 rejected" in said
    assert "row 2: station 없는곳 is not in the list of stations" in said
    assert "row 3: pm10 'much' is no number" in said
    assert said.count("중구: measured_at is in the future") == 1
    assert command.code == 1


async def test_without_a_server_it_says_what_to_do(
    command: Command, start: datetime, tmp_path: Path, places: Path
) -> None:
    with pytest.raises(CommandFailed, match=r"127\.0\.0\.1:1: nothing answers there.*same command again"):
        await command.load(history(tmp_path, "first.csv", [("중구", start, "20")]), places, target="127.0.0.1:1")


@pytest.mark.parametrize("stop", ["server", "command"])
async def test_what_is_killed_on_the_way_goes_on_where_it_was(
    start: datetime, tmp_path: Path, places: Path, capsys: pytest.CaptureFixture[str], stop: str
) -> None:
    rows = 11_000
    file = long_history(tmp_path, start, rows)
    with mesh_processes(tmp_path, SETTINGS) as mesh:
        mesh.start("ingestion")
        await serving(mesh.target("ingestion"))
        log = tmp_path / "said"
        process = start_command(
            ("backfill", str(file), "--stations", str(places), "--target", mesh.target("ingestion")),
            {**os.environ, **mesh.environment},
            stdout=log,
            stderr=log,
        )
        while not await readings(mesh, start, start + timedelta(hours=1)):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
        if stop == "server":
            mesh.kill("ingestion")
            mesh.start("ingestion")
        else:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGINT)
        await asyncio.to_thread(process.join, 60)
        said = log.read_text()
        if stop == "server":
            assert process.exitcode == 0, said
        else:
            assert process.exitcode == 130, said
            assert "run the same command again" in said
            earlier = re.search(r"([0-9,]+) readings had been stored", await Command(mesh, capsys).load(file, places))
            assert earlier is not None
            assert int(earlier[1].replace(",", "")) >= 5000
        found = await readings(mesh, start, start + timedelta(hours=rows // 2))
    assert len(found) == rows, said
    assert {one.revision for one in found} == {1}
    last = {("중구", "종로구")[n % 2]: 20 + n % 7 for n in range(rows - 2, rows)}
    assert {one.station.station_id: one.pm10_ug_m3 for one in found[-2:]} == last


MG_M3_PER_PPM = {"o3": 1.963, "no2": 1.881, "co": 1.145, "so2": 2.619}
"""At 25 °C and 1013 hPa, as the tables of the WHO have them."""


@dataclass(frozen=True)
class Recorded:
    """What a file says of one station's hour."""

    cells: Mapping[str, float | None]
    beijing: bool

    @property
    def says_something(self) -> bool:
        return any(cell is not None and not math.isnan(cell) for cell in self.cells.values())

    def agrees(self, reading: reading_pb2.Reading) -> bool:
        """Each value is there, in our units, or is flagged with the number that it has."""
        values = {field.name: value for field, value in reading.ListFields()}
        flagged = {pollutant_pb2.Pollutant.Name(flag.pollutant).lower(): flag.raw_value for flag in reading.flags}
        for name, cell in self.cells.items():
            field = f"{name}_ug_m3" if name.startswith("pm") else f"{name}_ppm"
            got = values.get(field, flagged.get(name))
            wanted = None if cell is None or math.isnan(cell) else cell
            if wanted is not None and self.beijing and name in MG_M3_PER_PPM:
                wanted /= 1000 * MG_M3_PER_PPM[name]
            if (wanted is not None) and got != pytest.approx(wanted, abs=1e-4, rel=2e-3):
                return False
        return True


def cut_down(file: Path, target: Path, rows: int) -> dict[tuple[str, datetime], Recorded]:
    """Writes some rows of a recording, and returns what they say by station and hour."""
    table = parquet.read_table(file)
    table = table.take(np.sort(np.random.default_rng(7).choice(table.num_rows, rows, replace=False)))
    parquet.write_table(table, target)
    zone = timezone(timedelta(hours=8 if "time_cst" in table.column_names else 9))
    return {
        (row.get("station", "도심평균"), row.get("time_kst", row.get("time_cst")).replace(tzinfo=zone)): Recorded(
            {name: row[name] for name in ("pm25", "pm10", *MG_M3_PER_PPM) if name in row}, "time_cst" in row
        )
        for row in table.to_pylist()
    }


@pytest.mark.real_data
async def test_every_recording_at_hand_can_be_loaded(
    shared: MeshProcesses, command: Command, tmp_path: Path, real_data: Path
) -> None:
    places = tmp_path / "more.csv"
    # The Beijing file does not say where its stations stand; the average of downtown Seoul stands nowhere.
    beijing = parquet.read_table(real_data / "air" / "beijing_prsa_hourly_2013_2017.parquet", columns=["station"])
    names = [*beijing["station"].unique().to_pylist(), "도심평균"]
    places.write_text(
        "station,lat,lon\n" + "".join(f"{name},{39 + n / 10},{116 + n / 10}\n" for n, name in enumerate(names))
    )
    files = sorted((real_data / "air").glob("*.parquet"))
    assert len(files) == 7
    for file in files:
        recorded = cut_down(file, tmp_path / file.name, 300)
        cut = tmp_path / file.name
        if "beijing" in file.name:
            said = await command.load(cut, places, feed="beijing")
        elif "downtown" in file.name:
            said = await command.load(cut, places, feed="average", station="도심평균")
        else:
            said = await command.load(cut, real_data / "air" / "korea_stations.csv", correct=True)
        hours = [hour for _, hour in recorded]
        stored = {
            (one.station.station_id, one.measured_at.ToDatetime(UTC)): one
            for one in await readings(shared, min(hours), max(hours) + timedelta(hours=1))
        }
        held = {key: value for key, value in recorded.items() if value.says_something}
        absent = [key for key in held if key not in stored]
        assert all(f"station {station} is not in the list" in said for station, _ in absent), said
        assert len(absent) < 10
        assert [(held[key], stored[key]) for key in held if key in stored and not held[key].agrees(stored[key])] == []
