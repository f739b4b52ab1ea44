"""Files of recorded weather, a station's hours in the layout of KMA's surface observations, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from predictor.models.weather_input import FORESEEN
from predictor.training.hourly_file import HoursUnusable, check_columns, hours_of, numbers, read_columns

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Wide = NDArray[np.float64]

_TIME, _ISSUED = "time_kst", "issued_kst"
_COLUMNS: Final = ("temp_c", "rh_pct", "wind_ms", "wind_dir_deg", "precip_mm", "cloud_tenths")


@dataclass(frozen=True, slots=True, eq=False)
class RecordedWeather:
    """The weather of one place, hour by hour.

    Attributes:
        first_hour: The first hour, in hours since 1970-01-01T00Z.
        values: As `weather_input.FORESEEN`, (hours, FORESEEN), NaN where nothing was observed.
    """

    first_hour: int
    values: Floats

    def between(self, first_hour: int, hours: int) -> Floats:
        """So many hours from the first, NaN where the recording has none of them."""
        values = np.full((hours, FORESEEN), np.nan, dtype=np.float32)
        start, end = max(first_hour, self.first_hour), min(first_hour + hours, self.first_hour + len(self.values))
        if start < end:
            values[start - first_hour : end - first_hour] = self.values[start - self.first_hour : end - self.first_hour]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class WeatherForecasts:
    """Forecasts of the weather of one place: by valid hour when each was issued, ascending, and what it said."""

    by_valid_hour: Mapping[int, tuple[list[int], Floats]]

    def of(self, valid_hour: int) -> tuple[list[int], Floats]:
        """The issue hours of those of an hour, and what they said, (issues, FORESEEN); hours since 1970-01-01T00Z."""
        return self.by_valid_hour.get(valid_hour, ([], np.empty((0, FORESEEN), np.float32)))


def read_weather(path: Path) -> RecordedWeather:
    """The weather that a file says was observed; Parquet or CSV.

    Its columns are time_kst (Korea's clock, no zone), temp_c, rh_pct, wind_ms, wind_dir_deg (where it comes from; 0 is
    calm), precip_mm (nothing is no rain) and cloud_tenths. Rows with an issued_kst, if there is such a column, are
    forecasts, and left out.

    Raises HoursUnusable, which says what the file lacks.
    """
    table = _read(path)
    if _ISSUED in table.column_names:
        table = table.filter(pc.is_null(table[_ISSUED]))
    if not table.num_rows:
        raise HoursUnusable(path, "it has no rows of what was observed")
    hour = hours_of(path, table, _TIME)
    values = np.full((int(hour.max() - hour.min()) + 1, FORESEEN), np.nan, dtype=np.float32)
    values[hour - hour.min()] = _values(path, table)
    return RecordedWeather(int(hour.min()), values)


def read_weather_forecasts(path: Path) -> WeatherForecasts | None:
    """The forecasts of a file of that layout, its rows with an issued_kst; None where it has none. Raises likewise."""
    table = _read(path)
    if _ISSUED not in table.column_names:
        return None
    table = table.filter(pc.is_valid(table[_ISSUED]))
    if not table.num_rows:
        return None
    issued, valid, values = hours_of(path, table, _ISSUED), hours_of(path, table, _TIME), _values(path, table)
    order = np.lexsort((issued, valid))
    hours, starts = np.unique(valid[order], return_index=True)
    groups = np.split(order, starts[1:])
    return WeatherForecasts(
        {int(hour): (issued[own].tolist(), values[own]) for hour, own in zip(hours, groups, strict=True)}
    )


def wind_towards(speed: Wide, direction: Wide) -> tuple[Wide, Wide]:
    """The wind's components towards the east and the north, from its speed and the degrees that it comes from.

    Without a speed above 0 or without a direction there is calm; without a speed nothing is known.
    """
    angle = np.radians(direction)
    moving = (speed > 0) & np.isfinite(angle)
    calm = np.where(np.isfinite(speed), 0.0, np.nan)
    return np.where(moving, -speed * np.sin(angle), calm), np.where(moving, -speed * np.cos(angle), calm)


def _values(path: Path, table: pa.Table) -> Floats:
    """The rows as `weather_input.FORESEEN` tells them, (rows, FORESEEN)."""
    temperature, humidity, speed, direction, rain, cloud = (numbers(path, table, column) for column in _COLUMNS)
    columns = [temperature, humidity, *wind_towards(speed, direction), speed, np.nan_to_num(rain), cloud]
    return np.stack(columns, axis=-1).astype(np.float32)


def _read(path: Path) -> pa.Table:
    wanted = [_TIME, *_COLUMNS]
    if path.suffix.lower() != ".csv":
        return read_columns(path, wanted, also=(_ISSUED,))
    try:
        table = pyarrow.csv.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise HoursUnusable(path, " ".join(str(error).split()).rstrip(".")) from error
    check_columns(path, wanted, table.column_names)
    if not table.num_rows:
        raise HoursUnusable(path, "it has no rows")
    return table
