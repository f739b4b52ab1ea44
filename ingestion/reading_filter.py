"""Which readings a subscriber wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Point
from air.pollutants import Pollutant
from ingestion.change import POLLUTANTS, Batch, Index


@dataclass(frozen=True, slots=True)
class Region:
    """A box of latitude and longitude, its edges included."""

    southwest: Point
    northeast: Point


@dataclass(frozen=True, slots=True)
class Taken:
    """What a filter took from a batch.

    Attributes:
        parts: The encoded readings; joined, they are those of an element.
        count: How many they are.
        position: The sequence up to which the batch has been looked at.
    """

    parts: tuple[bytes, ...]
    count: int
    position: int


@dataclass(frozen=True, slots=True)
class ReadingFilter:
    """What a reading must be to be sent; see `StreamReadingsRequest`. Empty and None let everything through.

    Attributes:
        measured_after: Of later hours than this.
        station_ids: Of one of these stations.
        region: From within this region.
        pollutants: Tells something of one of these. What it tells of others is not taken off here.
    """

    measured_after: datetime | None = None
    station_ids: frozenset[str] = frozenset()
    region: Region | None = None
    pollutants: frozenset[Pollutant] = frozenset()

    def take(self, batch: Batch, position: int, limit: int) -> Taken:
        """The first `limit` readings wanted of those after the position."""
        start = batch.place_after(position)
        if self == ALL:
            stop = min(start + limit, len(batch))
            parts = (batch.bytes_between(start, stop),)
            return Taken(parts, stop - start, int(batch.index["sequence"][stop - 1]))
        chosen = start + np.flatnonzero(self._wanted(batch.index[start:]))
        position = batch.last
        if len(chosen) > limit:
            chosen = chosen[:limit]
            position = int(batch.index["sequence"][chosen[-1]])
        return Taken(_parts(batch, chosen), len(chosen), position)

    def _wanted(self, index: Index) -> NDArray[np.bool_]:
        wanted = np.ones(len(index), dtype=np.bool_)
        if self.measured_after is not None:
            wanted &= index["hour"] > self.measured_after.timestamp()
        if self.region is not None:
            low, high = self.region.southwest, self.region.northeast
            latitude, longitude = index["latitude"], index["longitude"]
            wanted &= (low.latitude <= latitude) & (latitude <= high.latitude)
            wanted &= (low.longitude <= longitude) & (longitude <= high.longitude)
        if self.pollutants:
            bits = sum(1 << POLLUTANTS.index(pollutant) for pollutant in self.pollutants)
            wanted &= (index["pollutants"] & bits) != 0
        if self.station_ids:
            ids = self.station_ids
            wanted &= np.fromiter((station in ids for station in index["station_id"].tolist()), np.bool_, len(index))
        return wanted


ALL: Final = ReadingFilter()
"""Lets everything through."""


def _parts(batch: Batch, rows: NDArray[np.int64]) -> tuple[bytes, ...]:
    """The bytes of rows, in as few pieces as they lie in."""
    if not len(rows):
        return ()
    breaks = np.flatnonzero(np.diff(rows) != 1)
    starts = rows[np.concatenate([[0], breaks + 1])].tolist()
    stops = (rows[np.concatenate([breaks, [len(rows) - 1]])] + 1).tolist()
    return tuple(batch.bytes_between(start, stop) for start, stop in zip(starts, stops, strict=True))
