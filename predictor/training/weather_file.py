"""Files of recorded weather, a station's hours in the layout of KMA's surface observations, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from predictor.models.weather_input import FORESEEN
from predictor.training.hourly_file import HoursUnusable, hours_of, numbers, read_columns

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]

_TIME: Final = "time_kst"
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


def read_weather(path: Path) -> RecordedWeather:
    """The weather of a file, Parquet or CSV.

    Its columns are time_kst (Korea's clock, no zone), temp_c, rh_pct, wind_ms, wind_dir_deg (where it comes from; 0 is
    calm), precip_mm (nothing is no rain) and cloud_tenths.

    Raises HoursUnusable, which says what the file lacks.
    """
    columns = [_TIME, *_COLUMNS]
    table = _read_csv(path, columns) if path.suffix.lower() == ".csv" else read_columns(path, columns)
    hour = hours_of(path, table, _TIME)
    temperature, humidity, speed, direction, rain, cloud = (numbers(path, table, column) for column in _COLUMNS)
    values = np.full((int(hour.max() - hour.min()) + 1, FORESEEN), np.nan, dtype=np.float32)
    east, north = wind_towards(speed, direction)
    values[hour - hour.min()] = np.stack(
        [temperature, humidity, east, north, speed, np.nan_to_num(rain), cloud], axis=-1
    )
    return RecordedWeather(int(hour.min()), values)


def wind_towards(speed: Wide, direction: Wide) -> tuple[Wide, Wide]:
    """The wind's components towards the east and the north, from its speed and the degrees that it comes from.

    Without a speed above 0 or without a direction there is calm; without a speed nothing is known.
    """
    angle = np.radians(direction)
    moving = (speed > 0) & np.isfinite(angle)
    calm = np.where(np.isfinite(speed), 0.0, np.nan)
    return np.where(moving, -speed * np.sin(angle), calm), np.where(moving, -speed * np.cos(angle), calm)


def _read_csv(path: Path, columns: list[str]) -> pa.Table:
    try:
        table = pc.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise HoursUnusable(path, " ".join(str(error).split()).rstrip(".")) from error
    lacking = [column for column in columns if column not in table.column_names]
    if lacking:
        raise HoursUnusable(path, f"it has no column {', '.join(lacking)}")
    if not table.num_rows:
        raise HoursUnusable(path, "it has no rows")
    return table.select(columns)
