"""Files of recorded hours (Parquet) as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from mesh.errors import InvalidInput
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.scale import INPUT_POLLUTANTS

Floats = NDArray[np.float64]

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


def read_hours(
    path: Path,
    *,
    station: str | None = None,
    pollutants: Sequence[Pollutant] = FORECAST_POLLUTANTS,
    time: str = _TIME,
) -> Hours:
    """The hours of a file with the columns station, time_kst (Korea's clock, no zone), and the pollutants (`pm25` …).

    Args:
        path: A file of Parquet. Other columns are ignored.
        station: The station of all rows, where the file does not say whose they are.
        pollutants: Those to read, in the order of the pollutant axis.
        time: The column of the time. Another clock than Korea's is taken for it: hours keep their place in the day.

    Raises:
        HoursUnusable: What the file lacks.
    """
    columns = [pollutant.value.lower() for pollutant in pollutants]
    table = read_columns(path, [time, *columns] if station is not None else [_STATION, time, *columns])
    hour = hours_of(path, table, time)
    first, count = int(hour.min()), int(hour.max() - hour.min()) + 1
    stations, place = ((station,), np.zeros(len(hour), np.int64)) if station is not None else _stations(table)
    values = np.full((count, len(stations), len(columns)), np.nan)
    for axis, column in enumerate(columns):
        values[hour - first, place, axis] = numbers(path, table, column)
    return Hours(stations, first, values)


def read_labels(path: Path, column: str) -> dict[str, str]:
    """What a column says of each station; of the last row, where rows differ. Raises HoursUnusable."""
    table = read_columns(path, [_STATION, column])
    pairs = table.group_by([_STATION, column]).aggregate([])
    return dict(zip(pairs[_STATION].to_pylist(), pairs[column].to_pylist(), strict=True))


def hours_of(path: Path, table: pa.Table, column: str) -> NDArray[np.int64]:
    """A column of local times in hours since 1970-01-01T00Z. Raises HoursUnusable."""
    type_of_time = table.schema.field(column).type
    if not pa.types.is_timestamp(type_of_time) or type_of_time.tz is not None:
        raise HoursUnusable(path, f"{column} must be a timestamp of Korea's clock, without a zone")
    if table[column].null_count:
        raise HoursUnusable(path, f"{column} is missing in {table[column].null_count} rows")
    hour: NDArray[np.int64] = table[column].to_numpy().astype("datetime64[h]").astype(np.int64) - LOCAL_OFFSET_HOURS
    count = int(hour.max() - hour.min()) + 1
    if count > _LONGEST_HOURS:
        raise HoursUnusable(path, f"from its first hour to its last are {count} hours: one of them must be wrong")
    return hour


def read_columns(path: Path, columns: Sequence[str], *, also: Sequence[str] = ()) -> pa.Table:
    """These columns of a file that has one row or more, and those `also` that it has. Raises HoursUnusable."""
    try:
        names = pq.read_schema(path).names
        check_columns(path, columns, names)
        table = pq.read_table(path, columns=[*columns, *(column for column in also if column in names)])
    except (pa.ArrowException, OSError) as error:
        raise HoursUnusable(path, " ".join(str(error).split()).rstrip(".")) from error
    if not table.num_rows:
        raise HoursUnusable(path, "it has no rows")
    return table


def check_columns(path: Path, wanted: Sequence[str], names: Sequence[str]) -> None:
    """Raises HoursUnusable where a file with columns of these names lacks one that is wanted."""
    lacking = [column for column in wanted if column not in names]
    if lacking:
        raise HoursUnusable(path, f"it has no column {', '.join(lacking)}")


def pollutants_of(path: Path) -> tuple[Pollutant, ...]:
    """What a file of hours can be read for: with CO and SO2 if it has both. Raises HoursUnusable."""
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise HoursUnusable(path, " ".join(str(error).split()).rstrip(".")) from error
    return INPUT_POLLUTANTS if {"co", "so2"} <= {*names} else FORECAST_POLLUTANTS


def numbers(path: Path, table: pa.Table, column: str) -> Floats:
    """A column of numbers, NaN where there is none. Raises HoursUnusable."""
    try:
        values: Floats = table[column].cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise HoursUnusable(path, f"{column} does not hold numbers") from error
    return values


def _stations(table: pa.Table) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names of stations, sorted, and the place among them of each row; no name is a name, too."""
    # Words are many and names are few: only these become Python's.
    words = table[_STATION].cast(pa.string()).fill_null("").dictionary_encode().combine_chunks()
    names, place = np.unique(np.array(words.dictionary.to_pylist(), dtype=np.str_), return_inverse=True)
    return tuple(names.tolist()), place[words.indices.to_numpy()]
