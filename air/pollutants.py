"""The pollutants of the Korean ambient air standard and their units."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Pollutant(StrEnum):
    """A pollutant. A bare concentration is in its network's unit: µg/m³ for particles, ppm for gases."""

    PM25 = "PM25"
    PM10 = "PM10"
    O3 = "O3"
    NO2 = "NO2"
    CO = "CO"
    SO2 = "SO2"


FORECAST_POLLUTANTS: Final = (Pollutant.PM25, Pollutant.PM10, Pollutant.O3, Pollutant.NO2)
"""What is forecast, in the order of every pollutant axis."""

MOLAR_MASS_G: Final = {Pollutant.O3: 47.998, Pollutant.NO2: 46.006, Pollutant.CO: 28.010, Pollutant.SO2: 64.066}
"""g/mol, from the IUPAC atomic weights."""

MOLAR_VOLUME_L: Final = 24.465
"""Litres that a mole of ideal gas fills at 25 °C and 1013.25 hPa, the reference state of the WHO guidelines."""

WHO_GUIDELINE_UG_M3: Final = {
    Pollutant.PM25: 15.0,
    Pollutant.PM10: 45.0,
    Pollutant.O3: 100.0,
    Pollutant.NO2: 25.0,
}
"""WHO global air quality guidelines 2021, µg/m³: 24 h means; for O3 the daily maximum 8 h mean."""


def ug_m3_per_unit(pollutant: Pollutant) -> float:
    """What one unit of the network (µg/m³ or ppm) is in µg/m³, at 25 °C and 1013.25 hPa."""
    mass = MOLAR_MASS_G.get(pollutant)
    return 1.0 if mass is None else 1000.0 * mass / MOLAR_VOLUME_L
