"""Readings as rows of their table, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias, TypedDict, cast

from sqlalchemy import RowMapping

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from ingestion.quality.verdict import Verdict
from ingestion.reading import InstrumentFlag, Measurement, Reading, StoredReading

VALUES: Final[Mapping[Pollutant, str]] = {pollutant: pollutant.value.lower() for pollutant in Pollutant}
"""The column of each pollutant's value."""

VERDICTS: Final[Mapping[Pollutant, str]] = {pollutant: f"{column}_verdict" for pollutant, column in VALUES.items()}
"""The column of each pollutant's verdict."""

STAGED: Final = (
    *("station_id", "station_name", "latitude", "longitude", "network", "simulated", "measured_at"),
    *VALUES.values(),
    *VERDICTS.values(),
    *("air_quality_index", "grade", "flags"),
)
"""The columns that a reading fills, in the order of `to_row`."""

_NO_FLAGS: Final = "[]"

Cell: TypeAlias = str | float | bool | datetime | None


class _Flag(TypedDict):
    pollutant: str
    text: str
    rawValue: float | None


def to_row(reading: Reading) -> tuple[Cell, ...]:
    """The cells of a reading; its flags as JSON."""
    station, measurement = reading.station, reading.measurement
    location, values, verdicts = station.location, measurement.values, measurement.verdicts
    return (
        station.station_id,
        station.display_name,
        location.latitude,
        location.longitude,
        station.network.value,
        station.simulated,
        reading.measured_at,
        *[values.get(pollutant) for pollutant in VALUES],
        *[verdicts.get(pollutant) for pollutant in VERDICTS],
        measurement.air_quality_index,
        None if measurement.grade is None else measurement.grade.value,
        _flags_to_json(measurement.flags) if measurement.flags else _NO_FLAGS,
    )


def from_row(row: RowMapping) -> StoredReading:
    """The reading in a row."""
    station = Station(
        station_id=row["station_id"],
        display_name=row["station_name"],
        location=Point(float(row["latitude"]), float(row["longitude"])),
        network=Network(row["network"]),
        simulated=row["simulated"],
    )
    measurement = Measurement(
        values={pollutant: float(row[column]) for pollutant, column in VALUES.items() if row[column] is not None},
        flags=flags_of(row["flags"]),
        air_quality_index=row["air_quality_index"],
        grade=None if row["grade"] is None else Grade(row["grade"]),
        verdicts={p: Verdict(row[column]) for p, column in VERDICTS.items() if row[column] is not None},
    )
    return StoredReading(Reading(station, row["measured_at"], measurement), row["revision"], row["sequence"])


def flags_of(cell: object) -> tuple[InstrumentFlag, ...]:
    """The flags in a cell, once its JSON has been read."""
    flags = cast(list[_Flag], cell)
    return tuple(InstrumentFlag(Pollutant(flag["pollutant"]), flag["text"], flag["rawValue"]) for flag in flags)


def _flags_to_json(flags: tuple[InstrumentFlag, ...]) -> str:
    items: list[_Flag] = [
        {"pollutant": flag.pollutant.value, "text": flag.text, "rawValue": flag.raw_value} for flag in flags
    ]
    return json.dumps(items)
