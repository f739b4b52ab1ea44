"""The Korean index written out once more, a number at a time, as a person would reckon it: the oracle of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from air.pollutants import Pollutant

_TABLE = """
SO2   0 .020   .021 .050   .051 .150   .151 1
CO    0 2      2.01 9      9.01 15     15.01 50
O3    0 .030   .031 .090   .091 .150   .151 .6
NO2   0 .030   .031 .060   .061 .200   .201 2
PM10  0 30     31 80       81 150      151 600
PM25  0 15     16 35       36 75       76 500
"""
_BANDS = {
    Pollutant(name): [(Fraction(low), Fraction(high)) for low, high in zip(ends[::2], ends[1::2], strict=True)]
    for name, *ends in (line.split() for line in _TABLE.strip().splitlines())
}
_INDICES = [(0, 50), (51, 100), (101, 250), (251, 500)]
_M = {Pollutant.PM10: 70, Pollutant.PM25: 30}


def index_by_hand(hours: Sequence[Mapping[Pollutant, float | None]]) -> int | None:
    """The index of the last of these hours, twelve at most; None when there is none."""
    now = hours[-1]
    counted: dict[Pollutant, Fraction] = {}
    for pollutant in Pollutant:
        if pollutant in _M:
            mean = _foreseen([hour.get(pollutant) for hour in hours], _M[pollutant])
            if mean is None:
                return None
            counted[pollutant] = Fraction(_half_up(mean))
        elif (value := now.get(pollutant)) is not None:
            counted[pollutant] = Fraction(str(value))
        elif pollutant in {Pollutant.O3, Pollutant.NO2}:
            return None
    parts = [_part(pollutant, value) for pollutant, value in counted.items()]
    bad = len([part for part in parts if part >= 101])
    return _half_up(min(Fraction(500), max(parts) + (75 if bad >= 3 else 50 if bad == 2 else 0)))


def _foreseen(values: Sequence[float | None], threshold: int) -> Fraction | None:
    known = [None if value is None else Fraction(str(value)) for value in values[-12:]]
    twelve = [value for value in known if value is not None]
    four = [value for value in known[-4:] if value is not None]
    if len(twelve) < 9 or len(four) < 3:
        return None
    c12 = sum(twelve, Fraction(0)) / len(twelve)
    weighed = [
        value * 3 / 4 if value >= threshold and Fraction(9, 10) * c12 <= value <= Fraction(17, 10) * c12 else value
        for value in four
    ]
    c4 = sum(weighed, Fraction(0)) / len(weighed)
    return (c12 * 12 + c4 * 12) / 24


def _part(pollutant: Pollutant, value: Fraction) -> Fraction:
    for (low, high), (index_low, index_high) in zip(_BANDS[pollutant], _INDICES, strict=True):
        if value <= high:
            part = Fraction(index_high - index_low) / (high - low) * (value - low) + index_low
            return max(part, Fraction(index_low))
    return Fraction(500)


def _half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))
