"""Recorded hours of real air as arrays, screened, with the hours that belong to training, tuning and testing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.screening import screened

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRAIN, TUNE, TEST = 0, 1, 2

_LAST_YEAR_TRAINED, _LAST_YEAR_TUNED = 2020, 2021
_LAST_DAY_TRAINED, _LAST_DAY_TUNED = 17, 21


@dataclass(frozen=True, slots=True)
class Recording:
    """One network over some months.

    Attributes:
        name: A short name for tables.
        first_hour: The first hour, in hours since 1970-01-01T00Z.
        values: (hours, stations, pollutants), in network units, NaN where nothing (sound) was measured.
        part: TRAIN, TUNE or TEST by hour; a forecast belongs to the part of its valid hour.
        weight: What one value counts in a fit, so that a mean of three stations and a network weigh alike.
    """

    name: str
    first_hour: int
    values: Floats
    part: Ints
    weight: float


def load_downtown(folder: Path) -> Recording:
    """The mean of Seoul's three downtown districts, 2018 to 2022: train to 2020, tune 2021, test 2022."""
    first_hour, values = _hourly(folder / "seoul_downtown_avg_air_hourly_2018_2022.parquet")
    year = _local(first_hour, len(values)).astype("datetime64[Y]").astype(np.int64) + 1970
    part = np.select([year <= _LAST_YEAR_TRAINED, year <= _LAST_YEAR_TUNED], [TRAIN, TUNE], TEST)
    return Recording("downtown mean, 2022", first_hour, screened(values), part, 25.0)


def load_2017(folder: Path) -> Recording:
    """25 stations, January to October 2017, split within each month."""
    return _by_day_of_month("25 stations, 2017", *_hourly(folder / "seoul_air_hourly_2017_25stations.parquet"))


def load_2025(folder: Path) -> Recording:
    """40 stations as AirKorea published them, April 2025 to January 2026, a quarter of the hours missing."""
    path = folder / "seoul_airkorea_hourly_20250421_20260115.parquet"
    return _by_day_of_month("40 stations, 2025", *_hourly(path))


def _by_day_of_month(name: str, first_hour: int, values: Floats) -> Recording:
    local = _local(first_hour, len(values))
    day = (local.astype("datetime64[D]") - local.astype("datetime64[M]")).astype(np.int64) + 1
    part = np.select([day <= _LAST_DAY_TRAINED, day <= _LAST_DAY_TUNED], [TRAIN, TUNE], TEST)
    return Recording(name, first_hour, screened(values), part, 25.0 / values.shape[1])


def _local(first_hour: int, hours: int) -> NDArray[np.datetime64]:
    return (first_hour + LOCAL_OFFSET_HOURS + np.arange(hours)).astype("datetime64[h]")


_COLUMNS: Final = tuple(pollutant.value.lower() for pollutant in FORECAST_POLLUTANTS)


def _hourly(path: Path) -> tuple[int, Floats]:
    """The first hour, and values by hour and station on a full grid; the file's clock is Korea's."""
    table = pq.read_table(path)
    hour = table["time_kst"].to_numpy().astype("datetime64[h]").astype(np.int64) - LOCAL_OFFSET_HOURS
    names = table["station"].to_pylist() if "station" in table.column_names else [""] * table.num_rows
    stations, station = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
    first = int(hour.min())
    values = np.full((int(hour.max()) - first + 1, len(stations), len(_COLUMNS)), np.nan)
    for axis, column in enumerate(_COLUMNS):
        values[hour - first, station, axis] = table[column].to_numpy(zero_copy_only=False).astype(np.float64)
    return first, values
