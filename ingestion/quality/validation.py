"""Judges again what was judged on arrival: by now the hours after it are there, and the stations around."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import numpy as np

from ingestion.quality.cleaning import rejudged
from ingestion.quality.figures import show
from ingestion.quality.judging import CONTEXT_HOURS, Verdicts
from ingestion.quality.observations import Observations, hour_number, hour_time
from ingestion.quality.window import judge_among
from ingestion.reading import Reading
from ingestion.run import Fence
from ingestion.store.quality import ContextStore
from ingestion.store.readings import ReadingStore, Saved
from mesh.clock import Clock

VALIDATED_HOURS: Final = 24
"""The hours before now that are judged again: corrections of the network come within a day."""

_AN_HOUR: Final = timedelta(hours=1)
# Within an hour a station measures once, as a rule.
_MOST_AN_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class Validated:
    """What judging again brought.

    Attributes:
        judged: Readings looked at.
        saved: What became of those whose verdict is another now.
        rejected: None can be.
    """

    judged: int = 0
    saved: Saved = field(default_factory=Saved)
    rejected: int = 0


class Validator:
    """Judges the last day again, and stores what is found anew. A second time in the same hour changes nothing."""

    def __init__(self, readings: ReadingStore, context: ContextStore, clock: Clock) -> None:
        self._readings = readings
        self._context = context
        self._clock = clock

    async def validate(self, fence: Fence | None = None) -> Validated:
        """Judges and stores, all or nothing. Raises DatabaseUnavailable, or Fenced."""
        now = self._clock()
        first = hour_number(now) - VALIDATED_HOURS + 1
        # What is collected meanwhile is not ours to write over: it is left to the next time.
        seen = (await self._readings.head()).sequence
        known = await self._context.between(hour_time(first - CONTEXT_HOURS), now + _AN_HOUR)
        assert known is not None, "only a limited question is left unanswered"  # noqa: S101 - narrows the type
        batch = known.since(first)
        verdicts = await asyncio.to_thread(_judge, batch, known)
        changes = _changes(batch, verdicts)
        readings = [reading for hour, verdicts in changes.items() for reading in await self._hour(hour, verdicts)]
        saved = await self._readings.save(readings, now, fence=fence, seen=seen) if readings else Saved()
        show(batch, verdicts, hours=VALIDATED_HOURS, now=now.timestamp())
        return Validated(len(batch), saved)

    async def _hour(self, hour: int, verdicts: Mapping[str, Sequence[int]]) -> list[Reading]:
        """The readings of an hour under the verdicts that their stations have now."""
        stored = await self._readings.between(
            hour_time(hour), hour_time(hour + 1), _MOST_AN_HOUR * len(verdicts), station_ids=verdicts
        )
        return [_rejudged(one.reading, verdicts[one.reading.station.station_id]) for one in stored]


def _rejudged(reading: Reading, verdicts: Sequence[int]) -> Reading:
    return replace(reading, measurement=rejudged(reading.measurement, verdicts))


def _judge(batch: Observations, known: Observations) -> Verdicts:
    return judge_among(batch, known, np.full(len(batch), np.nan)).verdicts


def _changes(batch: Observations, found: Verdicts) -> Mapping[int, Mapping[str, Sequence[int]]]:
    """The verdicts that are others than those that are known, by hour and station."""
    changes: defaultdict[int, dict[str, Sequence[int]]] = defaultdict(dict)
    for row in np.flatnonzero((found != batch.verdicts).any(axis=1)).tolist():
        changes[int(batch.hours[row])][batch.stations[row]] = found[row].tolist()
    return changes
