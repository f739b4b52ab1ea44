"""Uploads: batches of readings from a network that pushes, each stored for good before the next is taken."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter

from air.places import Station
from ingestion.intake import Judge, PlacedRow
from ingestion.station import ListedStation
from ingestion.store.readings import ReadingStore, Saved
from ingestion.store.stations import StationStore
from ingestion.store.uploads import UploadStore
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.errors import InvalidInput

_log: Final = structlog.stdlib.get_logger("upload")

_ROWS: Final = Counter("cleanair_uploaded_rows", "Rows uploaded.", ["feed", "outcome"])

MOST_REJECTIONS: Final = 20
_CLOCK_TOLERANCE: Final = timedelta(minutes=10)
# A reading older than this tells where its station stood, not where it stands.
_PRESENT: Final = timedelta(days=1)
_LONG_SECONDS: Final = 3600.0
_LONGEST_NAME: Final = 100
_LONGEST_ID: Final = 20
_HIGHEST_INDEX: Final = 500
# Before the first automatic networks: such a label is a fault, and would make room for centuries of months.
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class UploadBatch:
    """A part of an upload; see `UploadReadingsRequest`. With `keep_known`, what is known stays as it is."""

    upload_id: str
    sequence: int
    feed: str
    rows: Sequence[PlacedRow]
    keep_known: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reading that was refused, the batch that it came in, and why."""

    sequence: int
    station_id: str
    reason: str


@dataclass(slots=True)
class Uploaded:
    """What has become of an upload so far. All batches up to `acknowledged` are stored for good."""

    acknowledged: int = 0
    new: int = 0
    corrected: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def add(self, sequence: int, saved: Saved, rejections: Sequence[Rejection]) -> None:
        """Counts a batch that has been stored."""
        self.acknowledged = sequence
        self.new += saved.new
        self.corrected += saved.corrected
        self.unchanged += saved.unchanged
        self.rejected += len(rejections)
        self.rejections += rejections[: MOST_REJECTIONS - len(self.rejections)]


class MixedUpload(InvalidInput):
    """A batch that names another upload or feed than the first one of its call."""

    reason = "MIXED_UPLOAD"


class UploadGap(InvalidInput):
    """A batch is missing before this one."""

    reason = "UPLOAD_GAP"

    def __init__(self, expected: int) -> None:
        super().__init__(
            f"batches are missing: the next is {expected}; GetUpload tells where an upload stands",
            field="sequence",
            metadata={"expected_sequence": str(expected)},
        )


class Uploader:
    """Takes uploads.

    Args:
        store: Where readings are kept.
        stations: Whose station is whose.
        uploads: How far each upload has come.
        judge: Says what each value is worth.
        bell: Rung when something new is stored; closed when the server drains.
        clock: What time it is.
    """

    def __init__(
        self,
        store: ReadingStore,
        stations: StationStore,
        uploads: UploadStore,
        judge: Judge,
        bell: Bell,
        clock: Clock,
    ) -> None:
        self._store = store
        self._stations = stations
        self._uploads = uploads
        self._judge = judge
        self._bell = bell
        self._clock = clock

    async def acknowledged(self, upload_id: str) -> int:
        """Up to which batch an upload is stored for good; 0 when there is none. Raises DatabaseUnavailable."""
        return await self._uploads.acknowledged(upload_id)

    async def take(self, batches: AsyncIterator[UploadBatch]) -> Uploaded:
        """Stores batch after batch, until they end or the server drains; what is acknowledged already is passed over.

        The next batch is not asked for before the last is stored, so that a fast sender waits.

        Raises UploadGap, MixedUpload, UploadTaken or DatabaseUnavailable; what was acknowledged before stays so.
        """
        uploaded = Uploaded()
        first: UploadBatch | None = None
        owned = _OwnedStations(self._stations, self._clock)
        async with aclosing(_until_closed(batches, self._bell)) as taken:
            async for batch in taken:
                if first is None:
                    first = batch
                    uploaded.acknowledged = await self._uploads.acknowledged(batch.upload_id)
                elif (batch.upload_id, batch.feed) != (first.upload_id, first.feed):
                    raise MixedUpload("one call takes one upload of one feed: open another call", field="upload_id")
                if batch.sequence > uploaded.acknowledged + 1:
                    raise UploadGap(uploaded.acknowledged + 1)
                if batch.sequence > uploaded.acknowledged:
                    await self._take(batch, owned, uploaded)
        return uploaded

    async def _take(self, batch: UploadBatch, owned: _OwnedStations, uploaded: Uploaded) -> None:
        now = self._clock()
        rejections: list[Rejection] = []
        # A batch may repeat an hour: the last row of a station and hour stands.
        usable: dict[tuple[str, datetime], PlacedRow] = {}
        for row in batch.rows:
            fault = _fault(row, now)
            if fault is None:
                usable[row.station.station_id, row.row.measured_at] = row
            else:
                rejections.append(Rejection(batch.sequence, row.station.station_id, fault))
        present = [one.station for one in usable.values() if one.row.measured_at > now - _PRESENT]
        foreign = await owned.foreign(batch.feed, present)
        foreign |= await owned.foreign(batch.feed, [one.station for one in usable.values()], is_past=True)
        for key in [key for key in usable if key[0] in foreign]:
            del usable[key]
            rejections.append(Rejection(batch.sequence, key[0], "the station belongs to another feed"))
        readings = await self._judge.judge(list(usable.values())) if usable else []
        acknowledge = self._uploads.acknowledge(batch.upload_id, batch.feed, batch.sequence, now)
        saved = await self._store.save(readings, now, keep_known=batch.keep_known, also=acknowledge)
        if saved.new or saved.corrected:
            self._bell.ring()
        uploaded.add(batch.sequence, saved, rejections)
        self._account(batch, saved, rejections)

    def _account(self, batch: UploadBatch, saved: Saved, rejections: Sequence[Rejection]) -> None:
        outcomes = {"new": saved.new, "corrected": saved.corrected, "unchanged": saved.unchanged}
        for outcome, count in {**outcomes, "rejected": len(rejections)}.items():
            _ROWS.labels(batch.feed, outcome).inc(count)
        if rejections:
            _log.warning(
                "readings rejected", upload=batch.upload_id, feed=batch.feed, count=len(rejections), first=rejections[0]
            )


class _OwnedStations:
    """Which stations belong to another feed; looked up once a call for each."""

    def __init__(self, store: StationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[str, Station] = {}
        self._foreign: set[str] = set()

    async def foreign(self, feed: str, stations: Sequence[Station], *, is_past: bool = False) -> set[str]:
        """Those that belong to another feed; the others are the feed's from now on. Raises DatabaseUnavailable.

        Where they stood in the past does not move those that are known.
        """
        news = {
            station.station_id: station
            for station in stations
            if (self._seen.get(station.station_id) != station if not is_past else station.station_id not in self._seen)
        }
        if news:
            listed = [ListedStation(one) for one in news.values()]
            changes = await self._store.observe(feed, listed, self._clock(), is_past=is_past)
            self._foreign |= set(changes.foreign)
            self._seen |= news
        return self._foreign


def _fault(placed: PlacedRow, now: datetime) -> str | None:
    """Why a row cannot be used; None when it can."""
    station, row = placed.station, placed.row
    place = station.location.latitude, station.location.longitude
    hour = row.measured_at.replace(minute=0, second=0, microsecond=0)
    numbers = [raw.number for raw in row.raw.values() if raw.number is not None]
    index = row.air_quality_index
    faults = (
        (not 1 <= len(station.station_id) <= _LONGEST_ID, f"station_id must have 1 to {_LONGEST_ID} characters"),
        (len(station.display_name) > _LONGEST_NAME, f"display_name must have {_LONGEST_NAME} characters at most"),
        (not all(map(math.isfinite, place)), "the station has no location"),
        (row.measured_at != hour, "measured_at is not on the hour"),
        (row.measured_at > now + _CLOCK_TOLERANCE, "measured_at is in the future"),
        (row.measured_at < _EARLIEST, f"measured_at is before {_EARLIEST.year}"),
        (not all(map(math.isfinite, numbers)), "values must be finite numbers"),
        (index is not None and not 0 <= index <= _HIGHEST_INDEX, f"air_quality_index must be 0 to {_HIGHEST_INDEX}"),
    )
    return next((reason for is_fault, reason in faults if is_fault), None)


async def _until_closed(batches: AsyncIterator[UploadBatch], bell: Bell) -> AsyncGenerator[UploadBatch, None]:
    """The batches, for as long as the server does not drain."""
    closed = asyncio.create_task(_closed(bell))
    try:
        while not bell.closed:
            following = asyncio.ensure_future(anext(batches, None))
            try:
                await asyncio.wait({following, closed}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            if following.cancelled() or (batch := following.result()) is None:
                return
            yield batch
    finally:
        closed.cancel()
        await asyncio.wait({closed})


async def _closed(bell: Bell) -> None:
    while not bell.closed:
        await bell.wait(bell.rings, _LONG_SECONDS)
