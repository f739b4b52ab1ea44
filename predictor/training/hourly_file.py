"""Files of recorded hours (Parquet) as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from mesh.errors import InvalidInput
from predictor.models.calendar import LOCAL_OFFSET_HOURS

Floats = NDArray[np.float64]

COLUMNS: Final = tuple(pollutant.value.lower() for pollutant in FORECAST_POLLUTANTS)
"""What the columns of values are called, in the order of the pollutant axis."""

_TIME, _STATION = "time_kst", "station"
_LONGEST_HOURS: Final = 40 * 8766


class HoursUnusable(InvalidInput):
    """The file holds no hours that can be worked with."""

    reason = "HOURS_UNUSABLE"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}.", metadata={"file": path.name})


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """What stations measured, on a full grid.

    Attributes:
        stations: Their names, in the order of the station axis.
        first_hour: The first hour, in hours since 1970-01-01T00Z.
        values: (hours, stations, pollutants), in network units, NaN where the file has nothing.
    """

    stations: tuple[str, ...]
    first_hour: int
    values: Floats


def read_hours(path: Path, *, station: str | None = None) -> Hours:
    """The hours of a file with the columns station, time_kst (Korea's clock, no zone), pm25, pm10, o3 and no2.

    Args:
        path: A file of Parquet. Other columns are ignored.
        station: The station of all rows, where the file does not say whose they are.

    Raises:
        HoursUnusable: What the file lacks.
    """
    table = _read(path, [_TIME, *COLUMNS] if station is not None else [_STATION, _TIME, *COLUMNS])
    if not table.num_rows:
        raise HoursUnusable(path, "it has no rows")
    type_of_time = table.schema.field(_TIME).type
    if not pa.types.is_timestamp(type_of_time) or type_of_time.tz is not None:
        raise HoursUnusable(path, f"{_TIME} must be a timestamp of Korea's clock, without a zone")
    if table[_TIME].null_count:
        raise HoursUnusable(path, f"{_TIME} is missing in {table[_TIME].null_count} rows")
    hour = table[_TIME].to_numpy().astype("datetime64[h]").astype(np.int64) - LOCAL_OFFSET_HOURS
    first, count = int(hour.min()), int(hour.max() - hour.min()) + 1
    if count > _LONGEST_HOURS:
        raise HoursUnusable(path, f"from its first hour to its last are {count} hours: one of them must be wrong")
    names = [station] * table.num_rows if station is not None else table[_STATION].to_pylist()
    stations, place = np.unique(np.array([name or "" for name in names], dtype=np.str_), return_inverse=True)
    values = np.full((count, len(stations), len(COLUMNS)), np.nan)
    for axis, column in enumerate(COLUMNS):
        values[hour - first, place, axis] = _numbers(path, table, column)
    return Hours(tuple(stations.tolist()), first, values)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        lacking = [column for column in columns if column not in pq.read_schema(path).names]
        if lacking:
            raise HoursUnusable(path, f"it has no column {', '.join(lacking)}")
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise HoursUnusable(path, " ".join(str(error).split()).rstrip(".")) from error


def _numbers(path: Path, table: pa.Table, column: str) -> Floats:
    try:
        numbers: Floats = table[column].cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise HoursUnusable(path, f"{column} does not hold numbers") from error
    return numbers
