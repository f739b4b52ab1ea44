"""The Korean comprehensive air-quality index (통합대기환경지수, CAI) from hourly concentrations.

Formula and breakpoints: Korea Environment Corporation, airkorea.or.kr; Ip = (I_hi - I_lo) / (B_hi - B_lo) · (C - B_lo)
+ I_lo, where gases count by their hour and particles by a mean over 24 hours, foreseen from the last twelve.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.pollutants import Pollutant


class Grade(StrEnum):
    """The four grades of the index; the network numbers them from 1 in this order."""

    GOOD = "GOOD"
    MODERATE = "MODERATE"
    UNHEALTHY = "UNHEALTHY"
    VERY_UNHEALTHY = "VERY_UNHEALTHY"


GRADES: Final[Mapping[int, Grade]] = dict(enumerate(Grade, start=1))
"""The grades by the network's number."""

KOREAN: Final[Mapping[Grade, str]] = {
    Grade.GOOD: "좋음",
    Grade.MODERATE: "보통",
    Grade.UNHEALTHY: "나쁨",
    Grade.VERY_UNHEALTHY: "매우나쁨",
}
"""What a grade is called in Korean."""

ENGLISH: Final[Mapping[Grade, str]] = {
    Grade.GOOD: "Good",
    Grade.MODERATE: "Moderate",
    Grade.UNHEALTHY: "Unhealthy",
    Grade.VERY_UNHEALTHY: "Very unhealthy",
}
"""What a grade is called in English."""

_INDEX_BANDS: Final = ((0, 50), (51, 100), (101, 250), (251, 500))
_HIGHEST_INDEX: Final = 500.0
_UNHEALTHY: Final = 101
_ADDED: Final = np.array([0.0, 0.0, 50.0, 75.0])
"""What is added when none, one, two, three or more pollutants are at 나쁨 or worse."""
_BREAKPOINTS: Final[Mapping[Pollutant, tuple[tuple[float, float], ...]]] = {
    Pollutant.SO2: ((0, 0.020), (0.021, 0.050), (0.051, 0.150), (0.151, 1.0)),
    Pollutant.CO: ((0, 2.0), (2.01, 9.0), (9.01, 15.0), (15.01, 50.0)),
    Pollutant.O3: ((0, 0.030), (0.031, 0.090), (0.091, 0.150), (0.151, 0.6)),
    Pollutant.NO2: ((0, 0.030), (0.031, 0.060), (0.061, 0.200), (0.201, 2.0)),
    Pollutant.PM10: ((0, 30), (31, 80), (81, 150), (151, 600)),
    Pollutant.PM25: ((0, 15), (16, 35), (36, 75), (76, 500)),
}

GRADE_ENDS: Final[Mapping[Pollutant, tuple[float, ...]]] = {
    pollutant: tuple(high for _, high in bands[:-1]) for pollutant, bands in _BREAKPOINTS.items()
}
"""The highest concentration of each grade but the worst, in the pollutant's unit: more is the next grade."""

_LONG_HOURS: Final = 12
_SHORT_HOURS: Final = 4
# Three quarters of each span must be there: in the recorded year the index is published for more than 99.5 % of the
# hours with 9 of 12 and 3 of 4, and for 2 % of those with less.
_LEAST_LONG: Final = 9
_LEAST_SHORT: Final = 3
_WEIGHED_DOWN: Final = 0.75
_WEIGHED_RATIO: Final = (0.9, 1.7)
_WEIGHED_FROM: Final[Mapping[Pollutant, float]] = {Pollutant.PM10: 70.0, Pollutant.PM25: 30.0}
_NEEDED_NOW: Final = (Pollutant.O3, Pollutant.NO2)
# A tie such as 30.5, met by sums of thirds, must not fall by an error in the last bit.
_TIE: Final = 1e-9


def _knots(bands: tuple[tuple[float, float], ...]) -> tuple[Floats, Floats]:
    """The corners of the formula: between the end of one band and the start of the next it is held at the start's."""
    concentrations: list[float] = []
    indices: list[float] = []
    for (low, high), (index_low, index_high) in zip(bands, _INDEX_BANDS, strict=True):
        if concentrations:
            concentrations.append(float(np.nextafter(concentrations[-1], np.inf)))
            indices.append(index_low)
        concentrations += [low, high]
        indices += [index_low, index_high]
    return np.array(concentrations), np.array(indices)


_KNOTS: Final[Mapping[Pollutant, tuple[Floats, Floats]]] = {p: _knots(bands) for p, bands in _BREAKPOINTS.items()}


def corners(pollutant: Pollutant) -> tuple[Floats, Floats]:
    """The corners of one pollutant's index: concentrations in its unit, rising, and the index at each."""
    return _KNOTS[pollutant]


def sub_indices(pollutant: Pollutant, concentration: Floats) -> Floats:
    """The index of one pollutant, 0 to 500, by concentration in the pollutant's unit, any shape; NaN where that is."""
    indices: Floats = np.interp(concentration, *_KNOTS[pollutant])
    return indices


def sub_index(pollutant: Pollutant, concentration: float) -> float:
    """The index of one pollutant, 0 to 500; `concentration` in the pollutant's unit. Between two bands it is held."""
    return float(np.interp(concentration, *_KNOTS[pollutant]))


def index_of_hour(concentrations: Mapping[Pollutant, float]) -> float:
    """The highest sub-index of one hour's concentrations, plus 50 when two are at 101 or worse, 75 when three are.

    Of those that are given, 0 of none. It is the published index where particles are given by their foreseen mean.
    """
    if not concentrations:
        return 0.0
    return float(_combined(np.array([sub_index(pollutant, value) for pollutant, value in concentrations.items()])))


def index_of_hours(concentrations: Mapping[Pollutant, Floats]) -> Floats:
    """The index of each hour as the network publishes it: whole numbers, NaN where there is none.

    There is none without this hour's O3 and NO2, nor without the foreseen mean of both sizes of particles; SO2 and CO
    may be missing, and so may this hour's particles. Two of 674 recorded stations are published without O3 or NO2.

    Args:
        concentrations: By pollutant, hourly, oldest first: shape (hours, ...), NaN where missing. The first hours see
            less than twelve, and have an index all the same where nine are enough.
    """
    indices = {
        pollutant: sub_indices(pollutant, _rounded(foreseen_mean(pollutant, hourly)))
        if pollutant in _WEIGHED_FROM
        else sub_indices(pollutant, hourly)
        for pollutant, hourly in concentrations.items()
    }
    if not {*_NEEDED_NOW, *_WEIGHED_FROM} <= set(indices):
        return np.full_like(next(iter(concentrations.values()), np.empty(0)), np.nan)
    # Whatever may be missing counts for nothing; what must be there makes the whole NaN.
    stacked = np.stack(
        [
            found if pollutant in _NEEDED_NOW or pollutant in _WEIGHED_FROM else np.nan_to_num(found)
            for pollutant, found in indices.items()
        ]
    )
    return _rounded(_combined(stacked))


def foreseen_mean(pollutant: Pollutant, concentration: Floats) -> Floats:
    """The 24 h mean that is foreseen for particles (24시간 예측이동평균): (12 · C12 + 12 · C4) / 24, unrounded.

    C12 is the mean of the last twelve hours; C4 that of the last four, where a value from 70 (PM10) or 30 (PM2.5) on
    that is 0.9 to 1.7 times C12 counts three quarters. NaN with less than nine of twelve or three of four hours.

    Args:
        pollutant: PM10 or PM25.
        concentration: Hourly µg/m³, oldest first: shape (hours, ...), NaN where missing.
    """
    known = np.isfinite(concentration)
    hours = _sum_of_last(known.astype(np.float64), _LONG_HOURS)
    with np.errstate(invalid="ignore", divide="ignore"):
        long_mean: Floats = _sum_of_last(np.where(known, concentration, 0.0), _LONG_HOURS) / hours
        long_mean[hours < _LEAST_LONG] = np.nan
        total, count = np.zeros_like(long_mean), np.zeros_like(long_mean)
        least, most = (ratio * long_mean for ratio in _WEIGHED_RATIO)
        for back in range(min(_SHORT_HOURS, len(concentration))):
            past = concentration[: len(concentration) - back]
            # The ratio is to the mean of the hour that is judged, for all four.
            weighed = (past >= _WEIGHED_FROM[pollutant]) & (past >= least[back:]) & (past <= most[back:])
            counted = np.where(weighed, _WEIGHED_DOWN * past, past)
            there = known[: len(past)]
            total[back:] += np.where(there, counted, 0.0)
            count[back:] += there
        mean: Floats = (long_mean + total / count) / 2
    mean[count < _LEAST_SHORT] = np.nan
    return mean


def grade_of(index: float) -> Grade:
    """The grade of an index."""
    for grade, (_, high) in zip(Grade, _INDEX_BANDS, strict=True):
        if round(index) <= high:
            return grade
    return Grade.VERY_UNHEALTHY


def _combined(indices: Floats) -> Floats:
    """The highest along the first axis, and what is added for several at 나쁨 or worse; NaN where one is."""
    unhealthy = np.count_nonzero(indices >= _UNHEALTHY, axis=0)
    highest: Floats = np.minimum(indices.max(axis=0) + _ADDED[np.minimum(unhealthy, len(_ADDED) - 1)], _HIGHEST_INDEX)
    return highest


def _rounded(values: Floats) -> Floats:
    rounded: Floats = np.floor(values + 0.5 + _TIE)
    return rounded


def _sum_of_last(values: Floats, hours: int) -> Floats:
    """The sum of each hour and those before it, `hours` in all; a running sum would gather rounding errors."""
    total = np.zeros_like(values)
    for back in range(min(hours, len(values))):
        total[back:] += values[: len(values) - back]
    return total
