"""Recorded hours of real air as arrays, screened, with the hours that belong to training, tuning and testing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.hourly_file import Hours, read_hours
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
    hours = read_hours(folder / "seoul_downtown_avg_air_hourly_2018_2022.parquet", station="downtown")
    year = _local(hours.first_hour, len(hours.values)).astype("datetime64[Y]").astype(np.int64) + 1970
    part = np.select([year <= _LAST_YEAR_TRAINED, year <= _LAST_YEAR_TUNED], [TRAIN, TUNE], TEST)
    return Recording("downtown mean, 2022", hours.first_hour, screened(hours.values), part, 25.0)


def load_2017(folder: Path) -> Recording:
    """25 stations, January to October 2017, split within each month."""
    return _by_day_of_month("25 stations, 2017", read_hours(folder / "seoul_air_hourly_2017_25stations.parquet"))


def load_2025(folder: Path) -> Recording:
    """40 stations as AirKorea published them, April 2025 to January 2026, a quarter of the hours missing."""
    path = folder / "seoul_airkorea_hourly_20250421_20260115.parquet"
    return _by_day_of_month("40 stations, 2025", read_hours(path))


def _by_day_of_month(name: str, hours: Hours) -> Recording:
    local = _local(hours.first_hour, len(hours.values))
    day = (local.astype("datetime64[D]") - local.astype("datetime64[M]")).astype(np.int64) + 1
    part = np.select([day <= _LAST_DAY_TRAINED, day <= _LAST_DAY_TUNED], [TRAIN, TUNE], TEST)
    return Recording(name, hours.first_hour, screened(hours.values), part, 25.0 / len(hours.stations))


def _local(first_hour: int, hours: int) -> NDArray[np.datetime64]:
    return (first_hour + LOCAL_OFFSET_HOURS + np.arange(hours)).astype("datetime64[h]")
