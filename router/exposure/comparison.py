"""What one way saves of the dose against another, and whether that is more than the figures may err by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.interpolation import NORMAL_90
from router.exposure.along import INHALED, LEVEL, PLACE, ROAD, ROADS, Exposure, kept_on
from router.exposure.street import Features
from router.search.compiled import compiled
from router.search.kernel import Ints

FORECAST_SECONDS: Final = 6 * 3600.0
"""How alike a forecast errs at two hours falls by e over this time between them: `make bench ARGS=interpolation`."""

STATIONS_M: Final = 2500.0
"""How alike what lies between stations is at two places falls by e over this distance: the differences of stations grow
so with theirs, by `make bench ARGS=interpolation`."""

_MOST_PARTS: Final = 20


class Difference(StrEnum):
    """What a difference in dose between two ways is worth."""

    MEANINGFUL_DIFFERENCE = "MEANINGFUL_DIFFERENCE"
    NO_MEANINGFUL_DIFFERENCE = "NO_MEANINGFUL_DIFFERENCE"


@dataclass(frozen=True, slots=True)
class SavedDose:
    """What one way saves against another, of the dose weighed by guidelines.

    Attributes:
        fraction: The share that is saved; negative when it is more.
        lower: Its 80 % interval's lower end.
        upper: Its 80 % interval's upper end.
        difference: Whether the interval leaves 0 out.
    """

    fraction: float
    lower: float
    upper: float
    difference: Difference


_NOTHING_SAVED: Final = SavedDose(0.0, 0.0, 0.0, Difference.NO_MEANINGFUL_DIFFERENCE)


class _Inhaled(Protocol):
    """What a comparison takes of an exposure, or of several."""

    @property
    def arcs(self) -> Ints: ...
    @property
    def errors(self) -> Floats: ...
    @property
    def weighed(self) -> Floats: ...
    @property
    def midway(self) -> float: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Tour:
    arcs: Ints
    errors: Floats
    weighed: Floats
    midway: float


def compare(exposure: Exposure, other: Exposure) -> SavedDose | None:
    """What a way saves against another of the same traveller; None when no weighed pollutant is known on both.

    The forecast's error is common to both and leaves their ratio alone, but for its share of each pollutant and the
    time between them; so is what all roads err by, but for how much of them each way has. What lies between stations
    is the less alike the farther the ways are apart; a road's own air is common where both use an arc.
    """
    if exposure is other:
        return _NOTHING_SAVED if np.any(exposure.weighed[:, INHALED] > 0.0) else None
    return compare_tours([exposure], [other])


def compare_tours(exposures: Sequence[Exposure], others: Sequence[Exposure]) -> SavedDose | None:
    """What several ways, one after the other, save together against several others; one at least on either side."""
    ours, theirs = _together(exposures), _together(others)
    fraction, deviation = _compare(
        ours.arcs,
        ours.errors,
        ours.weighed,
        theirs.arcs,
        theirs.errors,
        theirs.weighed,
        exposures[0].streets.kept,
        exposures[0].streets.cell,
        exposures[0].streets.middle_m,
        math.exp(-abs(ours.midway - theirs.midway) / FORECAST_SECONDS),
    )
    if math.isnan(fraction):
        return None
    apart = math.exp(NORMAL_90 * deviation)
    lower, upper = 1.0 - (1.0 - fraction) * apart, 1.0 - (1.0 - fraction) / apart
    meaningful = lower > 0.0 or upper < 0.0
    difference = Difference.MEANINGFUL_DIFFERENCE if meaningful else Difference.NO_MEANINGFUL_DIFFERENCE
    return SavedDose(fraction, lower, upper, difference)


def _together(exposures: Sequence[Exposure]) -> _Inhaled:
    if len(exposures) == 1:
        return exposures[0]
    weighed = np.stack([exposure.weighed for exposure in exposures])
    # What is not known of a part is not known of the whole.
    known: NDArray[np.bool_] = weighed[:, :, INHALED].min(axis=0) > 0.0
    return _Tour(
        np.concatenate([exposure.arcs for exposure in exposures]),
        np.concatenate([exposure.errors for exposure in exposures]),
        np.where(known[:, None], weighed.sum(axis=0), 0.0),
        sum(exposure.midway for exposure in exposures) / len(exposures),
    )


@compiled
def _compare(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays; compare is its one caller
    arcs: Ints,
    errors: Floats,
    weighed: Floats,
    other_arcs: Ints,
    other_errors: Floats,
    other_weighed: Floats,
    kept: Features,
    cell: Ints,
    middle_m: Floats,
    likeness: float,
) -> tuple[float, float]:
    """The share saved, and the standard deviation of the logarithm of what is left; NaN where one is unknown."""
    known, count, ours, theirs = _in_both(weighed, other_weighed)
    if count == 0:
        return np.nan, np.nan
    in_other, only_in_other = _shared(arcs, other_arcs)
    own, others = np.empty(len(arcs)), np.empty(len(other_arcs))
    variance = 0.0
    for row in range(count):
        pollutant = known[row]
        for column in (LEVEL, ROADS):
            a, b = weighed[pollutant, column] / ours, other_weighed[pollutant, column] / theirs
            variance += a * a + b * b - 2.0 * likeness * a * b
        for place in range(len(arcs)):
            own[place] = errors[place, pollutant, ROAD] / ours
            if in_other[place] >= 0:
                own[place] -= other_errors[in_other[place], pollutant, ROAD] / theirs
        for place in range(len(other_arcs)):
            others[place] = only_in_other[place] * other_errors[place, pollutant, ROAD] / theirs
        variance += _variance_along(arcs, own, kept) + _variance_along(other_arcs, others, kept)
    where = np.empty(len(arcs) + len(other_arcs), dtype=np.int32)
    parts = np.zeros((len(where), count))
    placed = _add_parts(where, parts, 0, arcs, errors, known, 1.0 / ours, cell)
    placed = _add_parts(where, parts, placed, other_arcs, other_errors, known, -1.0 / theirs, cell)
    variance += _variance_over(where, parts, placed, middle_m)
    return 1.0 - ours / theirs, math.sqrt(max(variance, 0.0))


@compiled
def _in_both(weighed: Floats, other_weighed: Floats) -> tuple[Ints, int, float, float]:
    """The pollutants that are known on both ways, how many, and what is inhaled of them on either."""
    known = np.empty(len(weighed), dtype=np.int32)
    count = 0
    ours = theirs = 0.0
    for pollutant in range(len(weighed)):
        if weighed[pollutant, INHALED] > 0.0 and other_weighed[pollutant, INHALED] > 0.0:
            known[count] = pollutant
            count += 1
            ours += weighed[pollutant, INHALED]
            theirs += other_weighed[pollutant, INHALED]
    return known, count, ours, theirs


@compiled
def _add_parts(  # noqa: PLR0913, PLR0917 - likewise
    where: Ints, parts: Floats, count: int, arcs: Ints, errors: Floats, known: Ints, times: float, cell: Ints
) -> int:
    """Adds the errors of places along a way, summed up for each run of arcs in one cell; returns how many parts are.

    A long way has parts of several cells: they number some twenty at most.
    """
    begun = start = 0
    for place in range(len(arcs)):
        here = cell[arcs[place]]
        if begun == 0 or (here != where[count - 1] and place - start >= len(arcs) // _MOST_PARTS):
            where[count] = here
            start = place
            begun += 1
            count += 1
        for column in range(parts.shape[1]):
            parts[count - 1, column] += times * errors[place, known[column], PLACE]
    return count


@compiled
def _variance_over(where: Ints, parts: Floats, count: int, middle_m: Floats) -> float:
    """Of the sum of errors in cells (float64[count, pollutant]), the less alike the farther they are apart."""
    variance = 0.0
    for one in range(count):
        for column in range(parts.shape[1]):
            variance += parts[one, column] * parts[one, column]
        for other in range(one):
            east = middle_m[where[one], 0] - middle_m[where[other], 0]
            north = middle_m[where[one], 1] - middle_m[where[other], 1]
            alike = math.exp(-math.sqrt(north * north + east * east) / STATIONS_M)
            for column in range(parts.shape[1]):
                variance += 2.0 * parts[one, column] * parts[other, column] * alike
    return variance


@compiled
def _variance_along(arcs: Ints, deviation: Floats, kept: Features) -> float:
    """Of the sum of errors along a way (float64[k]), which are the less alike the farther they are apart."""
    variance = carry = 0.0
    for place in range(len(arcs)):
        carry *= kept_on(arcs, place, kept)
        variance += deviation[place] * (deviation[place] + 2.0 * carry)
        carry += deviation[place]
    return variance


@compiled
def _shared(arcs: Ints, other_arcs: Ints) -> tuple[Ints, Floats]:
    """Where each arc stands on the other way, int32[k], -1 where it does not; and 1 for arcs of the other alone."""
    table = _places(other_arcs)
    in_other = np.empty(len(arcs), dtype=np.int32)
    alone = np.ones(len(other_arcs))
    for place in range(len(arcs)):
        in_other[place] = _look_up(table, other_arcs, arcs[place])
        if in_other[place] >= 0:
            alone[in_other[place]] = 0.0
    return in_other, alone


@compiled
def _places(arcs: Ints) -> Ints:
    """A table of hashes, int32[2^b], of where each arc stands on a way; -1 where none does."""
    size = 4
    while size < 2 * len(arcs):
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    for place in range(len(arcs)):
        slot = arcs[place] & (size - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        table[slot] = place
    return table


@compiled
def _look_up(table: Ints, arcs: Ints, arc: int) -> int:
    """Where an arc stands on the way that the table is of; -1 where it is not on it."""
    slot = arc & (len(table) - 1)
    while table[slot] >= 0 and arcs[table[slot]] != arc:
        slot = (slot + 1) & (len(table) - 1)
    return int(table[slot])
