"""Changes of the log: rows as they are read to be streamed, and batches of them, encoded once for all who follow."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from air.pollutants import Pollutant
from ingestion.reading import InstrumentFlag

Integers = NDArray[np.int64]
Index = NDArray[np.void]

POLLUTANTS: Final = tuple(Pollutant)
"""In the order of the bits of `pollutants` in a batch's index."""


class Change(NamedTuple):
    """One change: the reading that a row holds, flat, for millions of them are read. Fields as in `StoredReading`."""

    station_id: str
    station_name: str
    latitude: float
    longitude: float
    network: str
    simulated: bool
    pm25: float | None
    pm10: float | None
    o3: float | None
    no2: float | None
    co: float | None
    so2: float | None
    pm25_verdict: int | None
    pm10_verdict: int | None
    o3_verdict: int | None
    no2_verdict: int | None
    co_verdict: int | None
    so2_verdict: int | None
    air_quality_index: int | None
    grade: str | None
    revision: int
    sequence: int
    measured_at: datetime
    flags: tuple[InstrumentFlag, ...]


class Codec(Protocol):
    """Turns changes into bytes for subscribers."""

    def encode(self, changes: Sequence[Change]) -> list[bytes]:
        """Each change by itself, so that any of them joined are the readings of an element."""

    def narrow(self, readings: bytes, pollutants: frozenset[Pollutant]) -> bytes:
        """Encoded readings again, with nothing on other pollutants."""


class UnreadableBatch(ValueError):
    """The bytes are no batch of this version."""


_INDEX: Final = np.dtype(
    [
        ("sequence", "<i8"),
        ("end", "<i8"),
        ("hour", "<i8"),
        ("latitude", "<f8"),
        ("longitude", "<f8"),
        ("pollutants", "u1"),
        ("station_id", "<U20"),
    ]
)
_ALL_TOLD: Final = (1 << len(POLLUTANTS)) - 1
_HEADER: Final = struct.Struct("<4sqq")
_MAGIC: Final = b"CAB1"


@dataclass(frozen=True, slots=True)
class Batch:
    """All changes from one place of the log to another, encoded.

    Attributes:
        after: It holds every change after this sequence, up to its last.
        index: A row a change: its sequence, where its bytes end in `body`, its hour (seconds since 1970), its place and
            station, and a bit for each pollutant that it tells something of.
        body: The encoded readings, one after the other.
    """

    after: int
    index: Index
    body: bytes

    @classmethod
    def of(cls, after: int, changes: Sequence[Change], encoded: Sequence[bytes]) -> Self:
        """The batch of these changes, of which there is one at least, with the bytes of each."""
        index = np.empty(len(changes), dtype=_INDEX)
        index["sequence"] = [change.sequence for change in changes]
        index["end"] = np.cumsum([len(one) for one in encoded])
        index["hour"] = [int(change.measured_at.timestamp()) for change in changes]
        index["latitude"] = [change.latitude for change in changes]
        index["longitude"] = [change.longitude for change in changes]
        index["pollutants"] = [_told(change) for change in changes]
        index["station_id"] = [change.station_id for change in changes]
        return cls(after, index, b"".join(encoded))

    @property
    def last(self) -> int:
        """The sequence of its last change."""
        return int(self.index["sequence"][-1])

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes."""
        return self.index.nbytes + len(self.body)

    def __len__(self) -> int:
        return len(self.index)

    def place_after(self, sequence: int) -> int:
        """The row of the first change after a sequence."""
        return int(np.searchsorted(self.index["sequence"], sequence, side="right"))

    def bytes_between(self, start: int, stop: int) -> bytes:
        """The readings of rows from `start` up to but without `stop`; the body itself, uncopied, where that is all."""
        ends = self.index["end"]
        first, last = int(ends[start - 1]) if start else 0, int(ends[stop - 1]) if stop else 0
        return self.body[first:last]

    def rows(self, start: int, stop: int) -> Self:
        """The batch of its rows from `start` up to but without `stop`, of which there is one at least."""
        if (start, stop) == (0, len(self)):
            return self
        index = self.index[start:stop].copy()
        skipped = int(self.index["end"][start - 1]) if start else 0
        index["end"] -= skipped
        after = int(self.index["sequence"][start - 1]) if start else self.after
        return type(self)(after, index, self.bytes_between(start, stop))

    def with_next(self, following: Self) -> Self:
        """This batch and the one that follows it, as one."""
        index = np.concatenate([self.index, following.index])
        index["end"][len(self) :] += len(self.body)
        return type(self)(self.after, index, self.body + following.body)

    def pack(self) -> bytes:
        """The batch for another process."""
        return b"".join([_HEADER.pack(_MAGIC, self.after, len(self)), self.index.tobytes(), self.body])

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """A packed batch. Raises UnreadableBatch."""
        try:
            magic, after, count = _HEADER.unpack_from(packed)
            index = np.frombuffer(packed, dtype=_INDEX, count=count, offset=_HEADER.size)
        except (struct.error, ValueError) as error:
            raise UnreadableBatch from error
        body = packed[_HEADER.size + index.nbytes :]
        if magic != _MAGIC or count < 1 or int(index["end"][-1]) != len(body):
            raise UnreadableBatch
        return cls(after, index, body)


def _told(change: Change) -> int:
    """The pollutants that a change tells something of, a bit each.

    A correction may take back a value, which is told by its absence: so it tells of all.
    """
    if change.revision > 1:
        return _ALL_TOLD
    values = change[6:12]
    if None not in values:
        return _ALL_TOLD
    bits = sum(1 << place for place, value in enumerate(values) if value is not None)
    for flag in change.flags:
        bits |= 1 << POLLUTANTS.index(flag.pollutant)
    return bits
