"""Judges rows on their way into the store, by the hours before them and the stations around."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from air.index import grade_of
from ingestion.intake import PlacedRow
from ingestion.quality.cleaning import measurement_of
from ingestion.quality.judging import CONTEXT_HOURS
from ingestion.quality.neighbours import Box
from ingestion.quality.observations import Hours, Observations, hour_number, hour_time, observations
from ingestion.quality.window import judge_among
from ingestion.reading import Reading
from ingestion.store.quality import ContextStore
from mesh.clock import Clock

_AN_HOUR: Final = timedelta(hours=1)
# What one question to the store and one grid may hold, in station-hours.
_MOST_CELLS: Final = 400_000
_MOST_CONTEXT: Final = 250_000
# In longer stretches, which are history and come by station, the stations around are left out.
_LONGEST_WITH_ALL: Final = 7 * 24


class JudgeInContext:
    """Judges each row by what the store holds around it, and by the rows that come with it.

    Args:
        store: Where that is.
        clock: What time it is, to tell what arrives late; None for history, whose arrival says nothing of it.
    """

    def __init__(self, store: ContextStore, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock

    async def judge(self, rows: Sequence[PlacedRow]) -> Sequence[Reading]:
        """The readings that the rows make, one each, in their order. Raises DatabaseUnavailable."""
        now = None if self._clock is None else self._clock()
        readings: dict[int, Reading] = {}
        for stretch in _stretches(rows):
            some = [rows[number] for number in stretch.around]
            batch = await asyncio.to_thread(_observed, some)
            context = await self._context(batch)
            judged = await asyncio.to_thread(_readings, some, batch, context, now)
            readings |= {n: reading for n, reading in zip(stretch.around, judged, strict=True) if n in stretch.numbers}
        return [readings[number] for number in range(len(rows))]

    async def _context(self, batch: Observations) -> Observations:
        first, last = int(batch.hours.min()), int(batch.hours.max())
        # The hour after a late row may be there already: it tells a spike.
        start, end = hour_time(first - CONTEXT_HOURS), hour_time(last + 2)
        context = None
        if last - first < _LONGEST_WITH_ALL:
            places = batch.places.values()
            box = Box.around([place.latitude for place in places], [place.longitude for place in places])
            context = await self._store.between(start, end, box=box, limit=_MOST_CONTEXT)
        if context is None:
            context = await self._store.between(start, end, station_ids=set(batch.stations))
        assert context is not None, "only a limited question is left unanswered"  # noqa: S101 - narrows the type
        return context


def _observed(rows: Sequence[PlacedRow]) -> Observations:
    return observations((placed.station, placed.row) for placed in rows)


def _readings(
    rows: Sequence[PlacedRow], batch: Observations, context: Observations, now: datetime | None
) -> list[Reading]:
    lateness = np.full(len(rows), np.nan)
    if now is not None:
        lateness[:] = [(now - placed.row.measured_at) / _AN_HOUR for placed in rows]
    judged = judge_among(batch, context, lateness)
    return [
        Reading(placed.station, placed.row.measured_at, measurement_of(_indexed(placed, index).row, verdicts))
        for placed, verdicts, index in zip(rows, judged.verdicts.tolist(), judged.index.tolist(), strict=True)
    ]


def _indexed(placed: PlacedRow, index: float) -> PlacedRow:
    """The row with the index by its formula where the network gave none."""
    row = placed.row
    if row.air_quality_index is not None or np.isnan(index):
        return placed
    return PlacedRow(placed.station, replace(row, air_quality_index=round(index), grade=grade_of(index)))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows that are judged together, by their numbers; and those that bear on them as well."""

    numbers: frozenset[int]
    around: Sequence[int]


def _stretches(rows: Sequence[PlacedRow]) -> Iterator[_Stretch]:
    """Rows in pieces that fit into memory, however far apart their hours are."""
    hours: Hours = np.array([hour_number(placed.row.measured_at) for placed in rows], dtype=np.int64)
    stations = len({placed.station.station_id for placed in rows})
    longest = max(CONTEXT_HOURS, _MOST_CELLS // max(stations, 1))
    order = np.argsort(hours, kind="stable")
    ordered = hours[order]
    start = 0
    while start < len(order):
        reach = np.searchsorted(ordered, ordered[start] + longest)
        # What comes after a long pause owes nothing to what was before, and what lies between is not worth reading.
        pauses = np.flatnonzero(np.diff(ordered[start:reach]) > _LONGEST_WITH_ALL)
        end = start + int(pauses[0]) + 1 if len(pauses) else int(reach)
        before = int(np.searchsorted(ordered, ordered[start] - CONTEXT_HOURS))
        after = int(np.searchsorted(ordered, ordered[end - 1] + 2))
        yield _Stretch(frozenset(order[start:end].tolist()), order[before:after].tolist())
        start = end
