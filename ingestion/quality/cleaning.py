"""Judges raw values: which may be used, and why the others may not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from air.pollutants import Pollutant
from ingestion.reading import InstrumentFlag, Measurement, RawMeasurement, RawValue

HIGHEST: Final[Mapping[Pollutant, float]] = {
    # Above the strongest dust storms on record in Korea (some 3300 µg/m³ in an hour), below what only a fault gives.
    Pollutant.PM10: 5000.0,
    # The range of the beta gauges in use.
    Pollutant.PM25: 1000.0,
    # Twice and more what was ever measured in ambient air; historical records hold faults of 5.3 (O3) and 71.7 (CO).
    Pollutant.O3: 1.0,
    Pollutant.NO2: 2.0,
    Pollutant.CO: 50.0,
    Pollutant.SO2: 2.0,
}
"""The highest credible hourly value, in the pollutant's unit."""

DECIMALS: Final[Mapping[Pollutant, int]] = {
    Pollutant.PM25: 2,
    Pollutant.PM10: 2,
    Pollutant.O3: 4,
    Pollutant.NO2: 4,
    Pollutant.CO: 4,
    Pollutant.SO2: 4,
}
"""How many decimals are kept: the network publishes gases to 0.0001 ppm at best, particles to 1 µg/m³."""

OUT_OF_RANGE: Final = "cleanair: out of range"
"""Our own word on a value that no ambient air holds, told from the network's words by its prefix."""


def judge(row: RawMeasurement) -> Measurement:
    """The values of a row that may be used. A flag wins over a number; what is set aside is kept with its flag."""
    values: dict[Pollutant, float] = {}
    flags: list[InstrumentFlag] = []
    for pollutant in Pollutant:
        raw = row.raw.get(pollutant, RawValue())
        text = raw.flag or _fault(pollutant, raw.number)
        if text is not None:
            flags.append(InstrumentFlag(pollutant, text, raw.number))
        elif raw.number is not None:
            # Adding 0.0 turns the -0.0 that rounding may leave into 0.0.
            values[pollutant] = round(raw.number, DECIMALS[pollutant]) + 0.0
    return Measurement(values, tuple(flags), row.air_quality_index, row.grade)


def _fault(pollutant: Pollutant, number: float | None) -> str | None:
    if number is None or (math.isfinite(number) and 0.0 <= number <= HIGHEST[pollutant]):
        return None
    return OUT_OF_RANGE
