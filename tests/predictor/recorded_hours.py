"""Files of made-up hours in the layout of recorded ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.training.hourly_file import Hours

STATIONS: Final = ("강남대로", "종로구", "중구")
START: Final = datetime(2025, 12, 1, 1)  # noqa: DTZ001  the files have no zone
FIRST_HOUR: Final = 490_144
"""START in hours since 1970-01-01T00Z."""


def made_up_hours(count: int, *, seed: int = 3) -> Hours:
    """Air that wanders around what is usual in Seoul, with a tenth of the values missing."""
    random = np.random.default_rng(seed)
    z = np.zeros((count, len(STATIONS), len(FORECAST_POLLUTANTS)))
    for hour in range(1, count):
        z[hour] = 0.95 * z[hour - 1] + random.normal(0, 0.15, z.shape[1:])
    values = np.exp(z) * np.array([25.0, 45.0, 0.03, 0.02])
    values[random.random(values.shape) < 0.1] = np.nan
    return Hours(STATIONS, FIRST_HOUR, values)


def write_hours(hours: Hours, file: Path) -> Path:
    """A file with the hours, hours without any value left out."""
    columns: dict[str, list[object]] = {"station": [], "time_kst": []}
    numbers: list[NDArray[np.float64]] = []
    for place, station in enumerate(hours.stations):
        for row in np.flatnonzero(np.isfinite(hours.values[:, place]).any(axis=-1)).tolist():
            columns["station"].append(station)
            columns["time_kst"].append(START + timedelta(hours=row))
            numbers.append(hours.values[row, place])
    table = pa.table(columns)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        own = pa.array([number[axis] for number in numbers], type=pa.float64(), from_pandas=True)
        table = table.append_column(pollutant.value.lower(), own)
    pq.write_table(table, file)
    return file


def write_weather(count: int, file: Path) -> Path:
    """A file of observed weather of those hours, cold and windy."""
    head = "time_kst,temp_c,rh_pct,wind_ms,wind_dir_deg,precip_mm,cloud_tenths"
    lines = [f"{START + timedelta(hours=hour)},{hour % 24 / 4},55,4.5,300,,3" for hour in range(count)]
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return file


def write_stations(file: Path, names: tuple[str, ...] = STATIONS) -> Path:
    """A list of stations."""
    lines = [f"{name},37.5{place},127.0{place}" for place, name in enumerate(names)]
    file.write_text("\n".join(["station,lat,lon", *lines]) + "\n", encoding="utf-8")
    return file
