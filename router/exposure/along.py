"""What is inhaled along a way, each of its arcs in the hour in which it is reached."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.interpolation import NORMAL_90
from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant
from router.exposure.background import DEVIATION, SHIFT_UG_M3, WEIGHED
from router.exposure.concentration import StreetAir
from router.exposure.dose import Dose
from router.exposure.field import LOWER, MEAN, MEDIAN, STATISTICS, UPPER
from router.exposure.hourly import HourlyAir
from router.exposure.score import score_of
from router.exposure.street import Features, ratio_on
from router.search.compiled import compiled
from router.search.kernel import Ints

_SECONDS_AN_HOUR: Final = 3600.0
_POLLUTANTS: Final = len(FORECAST_POLLUTANTS)
_SHARE: Final = np.array([1.0 / WHO_GUIDELINE_UG_M3[p] if p in WEIGHED else 0.0 for p in FORECAST_POLLUTANTS])
_SHIFT: Final = SHIFT_UG_M3.copy()
_OWN_SPREAD, _SHARED_SPREAD = 2, 3

# The columns of the sums over a way, by pollutant: behind the statistics the errors of places and of all roads, which
# are the same all along, the variance of the roads' own, and what that carries on from one arc to the next.
_PLACES, _ROADS, _OWN, _CARRY, _SUMS = (len(STATISTICS) + column for column in range(5))
_LOAD, _TAKEN = 0, 1

# The columns of what is found by pollutant, and of the row behind them.
_MEAN, _LOWER, _UPPER, _INHALED, _LEVEL, _BY_ROADS, _FOUND = range(7)
_WHOLE_LOAD, _WHOLE_TAKEN = 3, 4
_LEAST_SECONDS: Final = 1e-9

PLACE, ROAD = 0, 1
"""The columns of `Exposure.errors`."""

INHALED, LEVEL, ROADS = 0, 1, 2
"""The columns of `Exposure.weighed`."""


class Score(NamedTuple):
    """The air on the way as a score, with its 80 % interval as if all pollutants erred together.

    Attributes:
        value: 0, worst, to 100.
        lower: The interval's lower end.
        upper: Its upper end.
    """

    value: float
    lower: float
    upper: float


class Exposure(NamedTuple):
    """What is inhaled on a way; a tuple as doses are, for the same reason.

    Attributes:
        doses: By pollutant; empty when the air is unknown.
        load: Seconds times the air's load, summed along the way, whatever that load rests on.
        score: Of the mean concentrations; None when the air is unknown.
        midway: The time halfway, in seconds since 1970.
        arcs: int32[k], the way's arcs.
        streets: What they are arcs of.
        weighed: float64[pollutant, 3], of each weighed pollutant, 0 of others: seconds times shares of its guideline,
            summed (INHALED), and the standard deviations of that by the forecast (LEVEL) and by all roads (ROADS).
        errors: float64[k, pollutant, 2], on each arc: the deviations by what lies between stations (PLACE) and by the
            road's own air (ROAD).
    """

    doses: tuple[Dose, ...]
    load: float
    score: Score | None
    midway: float
    arcs: Ints
    streets: StreetAir
    weighed: Floats
    errors: Floats


def exposure_along(
    air: HourlyAir, arcs: Ints, seconds: Floats, departure: datetime, ventilation_m3_h: float
) -> Exposure:
    """What is inhaled on arcs (int32[k]) that take `seconds` each (float64[k]), the first from the departure on.

    Each arc is in the hour in which it is begun; after the last hour that is known, that one goes on. When nothing is
    known of the hour of departure, the air is unknown.
    """
    streets = air.streets
    hour, left = air.hour_of(departure)
    background = air.background(hour)
    if hour is None or background is None:
        hour, left, background = 0, math.inf, streets.nothing
    known = background.known
    sums, whole = np.zeros((_POLLUTANTS, _SUMS)), np.zeros(2)
    errors, found = np.empty((len(arcs), _POLLUTANTS, 2)), np.empty((_POLLUTANTS + 1, _FOUND))
    done = 0
    while True:
        done = _along(
            arcs,
            done,
            seconds,
            left,
            background.by_cell,
            background.street,
            background.load,
            streets.cell,
            streets.features,
            streets.kept,
            sums,
            whole,
            errors,
            found,
        )
        if done == len(arcs):
            break
        hour, left = hour + 1, left + _SECONDS_AN_HOUR
        background = air.after(hour, background)
    return _exposure(known, found, departure, ventilation_m3_h, arcs, streets, errors)


def _exposure(
    known: tuple[Pollutant, ...],
    found: Floats,
    departure: datetime,
    ventilation_m3_h: float,
    arcs: Ints,
    streets: StreetAir,
    errors: Floats,
) -> Exposure:
    *rows, (score, lower, upper, load, taken, *_) = found.tolist()
    breathed = ventilation_m3_h / _SECONDS_AN_HOUR * taken
    doses = tuple(
        Dose(
            pollutant,
            row[_MEAN] * breathed,
            row[_LOWER] * breathed,
            row[_UPPER] * breathed,
            row[_MEAN],
            row[_LOWER],
            row[_UPPER],
        )
        for pollutant, row in zip(FORECAST_POLLUTANTS, rows, strict=True)
        if pollutant in known
    )
    return Exposure(
        doses=doses,
        load=load,
        score=Score(score, lower, upper) if known else None,
        midway=departure.timestamp() + taken / 2,
        arcs=arcs,
        streets=streets,
        weighed=found[:_POLLUTANTS, _INHALED:].copy(),
        errors=errors,
    )


@compiled
def kept_on(arcs: Ints, place: int, kept: Features) -> float:
    """How alike what is the road's own is on an arc of a way and on the one before, from middle to middle."""
    return float(kept[arcs[place]] * kept[arcs[place - 1]]) if place > 0 else 0.0


@compiled
def _along(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays; exposure_along is its one caller
    arcs: Ints,
    done: int,
    seconds: Floats,
    left: float,
    by_cell: NDArray[np.float32],
    street: Floats,
    load: Floats,
    cell: Ints,
    features: Features,
    kept: Features,
    sums: Floats,
    whole: Floats,
    errors: Floats,
    found: Floats,
) -> int:
    """Adds the arcs from `done` on that are begun before `left` seconds are over; returns the first that is not.

    With the last one, it works out what is found.
    """
    for place in range(done, len(arcs)):
        if whole[_TAKEN] >= left:
            return place
        arc = arcs[place]
        here = cell[arc]
        taken = seconds[place]
        influence = features[arc, 0]
        alike = kept_on(arcs, place, kept)
        whole[_TAKEN] += taken
        whole[_LOAD] += taken * (load[here, 0] + load[here, 1] * influence + load[here, 2] * features[arc, 1])
        for pollutant in range(_POLLUTANTS):
            if np.isnan(sums[pollutant, MEAN]):
                continue  # what is not known of one arc is not known of the way
            times = taken * ratio_on(features, arc, street, pollutant)
            air, total = by_cell[here, pollutant], sums[pollutant]
            inhaled = times * air[MEAN]
            between = (inhaled + taken * _SHIFT[pollutant]) * air[DEVIATION]
            own = inhaled * influence * street[pollutant, _OWN_SPREAD]
            carry = total[_CARRY] * alike
            total[LOWER] += times * air[LOWER]
            total[MEDIAN] += times * air[MEDIAN]
            total[UPPER] += times * air[UPPER]
            total[MEAN] += inhaled
            total[_PLACES] += between
            total[_ROADS] += inhaled * influence * street[pollutant, _SHARED_SPREAD]
            total[_OWN] += own * (own + 2.0 * carry)
            total[_CARRY] = carry + own
            if _SHARE[pollutant] > 0.0:
                errors[place, pollutant, PLACE] = _SHARE[pollutant] * between
                errors[place, pollutant, ROAD] = _SHARE[pollutant] * own
    _work_out(sums, whole, found)
    return len(arcs)


@compiled
def _work_out(sums: Floats, whole: Floats, found: Floats) -> None:
    """From sums to concentrations with their intervals, and to scores.

    Variances of independent errors are added on each side of the median, on the scale of ln(x + shift), as in
    `air.interpolation.widened`. The interval holds the mean in any case.
    """
    taken = max(whole[_TAKEN], _LEAST_SECONDS)
    for pollutant in range(_POLLUTANTS):
        shift = _SHIFT[pollutant]
        mean = sums[pollutant, MEAN] / taken
        low = np.log(sums[pollutant, LOWER] / taken + shift)
        middle = np.log(sums[pollutant, MEDIAN] / taken + shift)
        high = np.log(sums[pollutant, UPPER] / taken + shift)
        added = sums[pollutant, _PLACES] ** 2 + sums[pollutant, _ROADS] ** 2 + sums[pollutant, _OWN]
        added *= (NORMAL_90 / (taken * (mean + shift))) ** 2
        lower = max(np.exp(middle - np.sqrt((middle - low) ** 2 + added)) - shift, 0.0)
        upper = np.exp(middle + np.sqrt((high - middle) ** 2 + added)) - shift
        found[pollutant, _MEAN] = mean
        found[pollutant, _LOWER] = min(lower, mean)
        found[pollutant, _UPPER] = max(upper, mean)
        share = 0.0 if np.isnan(mean) else _SHARE[pollutant]
        known = share > 0.0
        found[pollutant, _INHALED] = share * taken * mean if known else 0.0
        found[pollutant, _LEVEL] = share * taken * (mean + shift) * (high - low) / (2.0 * NORMAL_90) if known else 0.0
        found[pollutant, _BY_ROADS] = share * sums[pollutant, _ROADS] if known else 0.0
    for column in range(_INHALED):
        # Cleaner air has the higher score.
        found[_POLLUTANTS, (_MEAN, _UPPER, _LOWER)[column]] = score_of(found[:_POLLUTANTS, column])
    found[_POLLUTANTS, _WHOLE_LOAD] = whole[_LOAD]
    found[_POLLUTANTS, _WHOLE_TAKEN] = whole[_TAKEN]
