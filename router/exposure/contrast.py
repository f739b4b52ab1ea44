"""What stands at a kerb more than above the roofs, by pollutant and hour of the day, and what that errs by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from air.pollutants import Pollutant

CONTRAST: Final[Mapping[Pollutant, float]] = {
    Pollutant.NO2: 0.31,
    Pollutant.PM10: 0.08,
    Pollutant.O3: -0.16,
    Pollutant.PM25: 0.0,
}
"""Roadside over background, less 1.

Measured: Seoul's 15 roadside stations over its 25 urban ones, hourly, 2025-26: NO2 1.31 (0.98 to 1.65), PM10 1.08, O3
0.84, PM2.5 0.92. For PM2.5 this says that there is no contrast to be had, not that main roads are clean: we take 0, in
line with the synthesis of 41 roadside studies that finds no trend of particle mass with distance from the road (Karner
et al. 2010, 10.1021/es100008x). The ratios are averages over hours and roads: no street's own.
"""

RELIEF: Final[Mapping[Pollutant, float]] = {Pollutant.NO2: 0.15}
"""What is less amid green than above the roofs, as a share; 0 where nothing is said.

Assumed for NO2. In parks 22 % less than average was measured for particle number (von Schneidemesser et al. 2019,
Science of the Total Environment 688:691), which is traffic's own as NO2 is only in part; a year in three parks showed
no fall of NO2 within 75 m of the road (Marmett et al. 2019, 10.4236/ojap.2019.84005): the road's nearness covers that.
"""

OWN_SPREAD: Final[Mapping[Pollutant, float]] = {
    Pollutant.PM25: 0.09,
    Pollutant.PM10: 0.06,
    Pollutant.O3: 0.06,
    Pollutant.NO2: 0.15,
}
"""How one road's air differs from all roads', as a standard deviation of its logarithm."""

SHARED_SPREAD: Final[Mapping[Pollutant, float]] = {
    Pollutant.PM25: 0.03,
    Pollutant.PM10: 0.03,
    Pollutant.O3: 0.03,
    Pollutant.NO2: 0.05,
}
"""How all roads' air of one hour differs from what is usual at that hour, likewise."""


def contrast(pollutant: Pollutant, hour_of_day: int) -> float:
    """Kerb over roofs, less 1, in the hour that ends at a local hour of the day, 0 to 23."""
    _ = hour_of_day
    return CONTRAST[pollutant]
