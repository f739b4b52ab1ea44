"""The Korean comprehensive air-quality index (통합대기환경지수, CAI) from hourly concentrations.

Breakpoints: Korea Environment Corporation, airkorea.or.kr; Ip = (I_hi - I_lo) / (B_hi - B_lo) · (C - B_lo) + I_lo.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from air.pollutants import Pollutant


class Grade(StrEnum):
    """The four grades of the index."""

    GOOD = "GOOD"
    MODERATE = "MODERATE"
    UNHEALTHY = "UNHEALTHY"
    VERY_UNHEALTHY = "VERY_UNHEALTHY"


_INDEX_BANDS: Final = ((0, 50), (51, 100), (101, 250), (251, 500))
_GRADES: Final = tuple(Grade)
_ADDED: Final = (0, 0, 50, 75)
"""What is added when none, one, two, three or more pollutants are at 나쁨 or worse."""
_BREAKPOINTS: Final[Mapping[Pollutant, tuple[tuple[float, float], ...]]] = {
    Pollutant.SO2: ((0, 0.020), (0.021, 0.050), (0.051, 0.150), (0.151, 1.0)),
    Pollutant.CO: ((0, 2.0), (2.01, 9.0), (9.01, 15.0), (15.01, 50.0)),
    Pollutant.O3: ((0, 0.030), (0.031, 0.090), (0.091, 0.150), (0.151, 0.6)),
    Pollutant.NO2: ((0, 0.030), (0.031, 0.060), (0.061, 0.200), (0.201, 2.0)),
    Pollutant.PM10: ((0, 30), (31, 80), (81, 150), (151, 600)),
    Pollutant.PM25: ((0, 15), (16, 35), (36, 75), (76, 500)),
}


def sub_index(pollutant: Pollutant, concentration: float) -> float:
    """The index of one pollutant, 0 to 500; `concentration` in the pollutant's unit. Between two bands it is linear."""
    bands = _BREAKPOINTS[pollutant]
    for (low, high), (index_low, index_high) in zip(bands, _INDEX_BANDS, strict=True):
        if concentration <= high:
            # Between the end of one band and the start of the next the formula runs below index_low: hold it there.
            index = (index_high - index_low) / (high - low) * (concentration - low) + index_low
            return max(index, float(index_low))
    return float(_INDEX_BANDS[-1][1])


def index_of_hour(concentrations: Mapping[Pollutant, float]) -> float:
    """The highest sub-index of one hour's concentrations, plus 50 when two are at 101 or worse, 75 when three are."""
    indices = [sub_index(pollutant, value) for pollutant, value in concentrations.items()]
    unhealthy = sum(index >= _INDEX_BANDS[2][0] for index in indices)
    return min(max(indices, default=0.0) + _ADDED[min(unhealthy, len(_ADDED) - 1)], 500.0)


def grade_of(index: float) -> Grade:
    """The grade of an index."""
    for grade, (_, high) in zip(_GRADES, _INDEX_BANDS, strict=True):
        if round(index) <= high:
            return grade
    return Grade.VERY_UNHEALTHY
