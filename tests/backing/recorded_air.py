"""A recorded year of a national network as arrays, for tests and benches that are given the real data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from air.geodesy import Floats
from air.pollutants import Pollutant

_ROADSIDE: Final = "도로변대기"
_NATIONAL: Final = "korea_airkorea_hourly_*.parquet"
_KOREA_HOURS: Final = 9


@dataclass(frozen=True, slots=True)
class RecordedAir:
    """Hourly values of all stations.

    Attributes:
        stations: Their names, S of them.
        first_hour: In hours since 1970-01-01T00Z.
        values: By pollutant, shape (T, S): hours without a gap, oldest first, NaN where missing.
        index: The published index, shape (T, S).
        collected: Whether there was a row at all, shape (T, S).
        latitude: Shape (S,); NaN where it is not known, as for the next.
        longitude: Shape (S,).
        roadside: Shape (S,).
    """

    stations: tuple[str, ...]
    first_hour: int
    values: dict[Pollutant, Floats]
    index: Floats
    collected: NDArray[np.bool_]
    latitude: Floats
    longitude: Floats
    roadside: NDArray[np.bool_]


def recorded_air(folder: Path, before: datetime | None = None) -> RecordedAir:
    """The national recording under a folder of real data; only its hours before a time in Korea, if one is given."""
    path = next(iter(sorted((folder / "air").glob(_NATIONAL))))
    table = pq.read_table(path, filters=None if before is None else [("time_kst", "<", before)])
    names = table["station"].combine_chunks()
    stations = tuple(str(name) for name in names.dictionary.to_pylist())
    hours = table["time_kst"].combine_chunks().to_numpy().astype("datetime64[h]").astype(np.int64)
    rows, columns = hours - hours.min(), names.indices.to_numpy()

    def grid(column: str) -> Floats:
        filled: Floats = np.full((int(rows.max()) + 1, len(stations)), np.nan)
        # As float32 what was written with three decimals would not be read as it was.
        filled[rows, columns] = pc.cast(table[column], "float64").to_numpy(zero_copy_only=False)
        return filled

    collected = np.zeros((int(rows.max()) + 1, len(stations)), dtype=np.bool_)
    collected[rows, columns] = True
    with (folder / "air" / "korea_stations.csv").open(encoding="utf-8", newline="") as file:
        places = {row["station"]: row for row in csv.DictReader(file)}
    listed = [places.get(station) for station in stations]
    return RecordedAir(
        stations,
        int(hours.min()) - _KOREA_HOURS,
        {pollutant: grid(pollutant.value.lower()) for pollutant in Pollutant},
        grid("khai"),
        collected,
        np.array([np.nan if place is None else float(place["lat"]) for place in listed]),
        np.array([np.nan if place is None else float(place["lon"]) for place in listed]),
        np.array([place is not None and place["network"] == _ROADSIDE for place in listed]),
    )
