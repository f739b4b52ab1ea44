"""Judges station-hours by what is known around them: a grid of hours and stations, and back to rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.index import index_of_hours
from air.pollutants import Pollutant
from ingestion.quality.judging import Verdicts, judge_grid
from ingestion.quality.observations import NOT_JUDGED, Hours, Observations
from ingestion.quality.verdict import Check, Level

_LEVEL_PLACE: Final = 10 ** len(Check)
# A step that is laid to a spike by now is no step; all else that was found once is not taken back unseen.
_TAKEN_BACK: Final = frozenset({Check.STEP})


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of N station-hours, in their order.

    Attributes:
        verdicts: Packed, shape (N, P).
        index: The Korean index by its formula, shape (N,); NaN where there is none.
    """

    verdicts: Verdicts
    index: Floats


def judge_among(batch: Observations, context: Observations, lateness_hours: Floats) -> Judged:
    """Judges a batch by itself and its context; where both speak of a station-hour, the batch is right.

    Where the context holds the same numbers with a verdict, what that found stays found: a check that cannot be made
    again, and when the row arrived.

    Args:
        batch: What is to be judged; one station-hour once.
        context: What else is known, of the hours before, the hour after and the stations around.
        lateness_hours: From a row's hour to its arrival, shape (N,); NaN where unknown.
    """
    if not len(batch):
        return Judged(np.empty((0, len(Pollutant)), dtype=np.int32), np.empty(0))
    grid = _Grid(batch, context)
    values = np.full((*grid.shape, len(Pollutant)), np.nan)
    flagged = np.zeros(values.shape, dtype=np.bool_)
    before = np.full(values.shape, NOT_JUDGED, dtype=np.int32)
    lateness = np.full(grid.shape, np.nan)
    beside, here = grid.places(context), grid.places(batch)
    values[beside], flagged[beside], before[beside] = context.values, context.flagged, context.verdicts
    is_same = _same(values[here], batch.values) & (flagged[here] == batch.flagged)
    values[here], flagged[here], lateness[here] = batch.values, batch.flagged, lateness_hours
    places = [batch.places.get(station) or context.places[station] for station in grid.stations]
    verdicts = judge_grid(
        values,
        flagged,
        lateness,
        np.array([place.latitude for place in places]),
        np.array([place.longitude for place in places]),
        np.array([place.roadside for place in places]),
    )
    index = _index(values, verdicts)
    return Judged(settled(np.where(is_same, before[here], NOT_JUDGED), verdicts[here]), index[here])


def settled(before: Verdicts, now: Verdicts) -> Verdicts:
    """What stands of two verdicts on the same number; `NOT_JUDGED` before leaves the new one as it is."""
    standing = np.zeros_like(now)
    worst = np.full(now.shape, Level.PASS, dtype=np.int32)
    for check in Check:
        place = 10 ** (len(Check) - check)
        old, new = before // place % 10, now // place % 10
        keeps = old != NOT_JUDGED
        if check is not Check.STALE:
            keeps = keeps & (new == Level.NOT_EVALUATED) & (check not in _TAKEN_BACK)
        level = np.where(keeps, old, new)
        # Of levels that judge a value, the higher is the worse.
        worst = np.maximum(worst, np.where(level == Level.NOT_EVALUATED, Level.PASS, level))
        standing = standing * 10 + level
    missing = now // _LEVEL_PLACE == Level.MISSING
    return np.where(missing, now, worst * _LEVEL_PLACE + standing).astype(np.int32)


def _same(one: Floats, other: Floats) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return equal


def _index(values: Floats, verdicts: Verdicts) -> Floats:
    usable = np.where(verdicts // _LEVEL_PLACE <= Level.SUSPECT, values, np.nan)
    return index_of_hours({pollutant: usable[..., i] for i, pollutant in enumerate(Pollutant)})


class _Grid:
    """The hours and stations of a batch and its context."""

    def __init__(self, batch: Observations, context: Observations) -> None:
        self.stations = sorted({*batch.stations, *context.stations})
        hours: Hours = np.concatenate([batch.hours, context.hours])
        self._first = int(hours.min())
        self._column = {station: number for number, station in enumerate(self.stations)}
        self.shape = (int(hours.max()) - self._first + 1, len(self.stations))

    def places(self, rows: Observations) -> tuple[Hours, Hours]:
        """Where the rows stand."""
        columns = np.array([self._column[station] for station in rows.stations], dtype=np.int64)
        return rows.hours - self._first, columns
