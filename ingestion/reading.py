"""Readings: what one station measured in one hour, from the network's raw row to the judged and stored form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from air.index import Grade
from air.places import Station
from air.pollutants import Pollutant
from ingestion.quality.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RawValue:
    """What a row says of one pollutant: a number in the pollutant's unit, the instrument's flag, both or neither."""

    number: float | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class RawMeasurement:
    """One readable row of a source, before anyone has judged its values."""

    station_id: str
    measured_at: datetime
    raw: Mapping[Pollutant, RawValue]
    air_quality_index: int | None = None
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class InstrumentFlag:
    """Why the value of one pollutant is absent, and the value that came with the flag, if any."""

    pollutant: Pollutant
    text: str
    raw_value: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """The content of a reading: the values that may be used, and a word on those that may not.

    Attributes:
        values: Concentrations in the pollutant's unit, rounded to what the store keeps; absent and failed ones are left
            out.
        flags: The words on those left out, with what was measured all the same.
        air_quality_index: 0 to 500, as published; where the network gives none, by its formula.
        verdicts: What each value is worth. A pollutant without one has not been judged.
    """

    values: Mapping[Pollutant, float]
    flags: tuple[InstrumentFlag, ...] = ()
    air_quality_index: int | None = None
    grade: Grade | None = None
    verdicts: Mapping[Pollutant, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one station measured in the hour that ends at `measured_at` (aware, UTC)."""

    station: Station
    measured_at: datetime
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading as it is kept.

    Attributes:
        revision: 1 when first stored, one more at each correction.
        sequence: Its place in the order of changes; a correction moves it to the end.
    """

    reading: Reading
    revision: int
    sequence: int


def raw_number(measurement: Measurement, pollutant: Pollutant) -> float | None:
    """What was measured, whatever it is worth; None when nothing was."""
    if pollutant in measurement.values:
        return measurement.values[pollutant]
    return next((flag.raw_value for flag in measurement.flags if flag.pollutant is pollutant), None)
