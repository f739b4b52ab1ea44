"""The stream of readings: what has changed since a token, then each change as it comes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from air.status import DataStatus
from ingestion.collection import Collector
from ingestion.freshness import data_status
from ingestion.reading import StoredReading
from ingestion.store.readings import Coverage, ReadingStore
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.resume_token import ResumeToken, UnknownResumeToken

_READINGS_AN_ELEMENT: Final = 500


@dataclass(frozen=True, slots=True)
class Element:
    """Readings, or none in a heartbeat; the token stands for all that came up to here."""

    token: ResumeToken
    readings: Sequence[StoredReading]
    status: DataStatus


class StatusBoard:
    """Tells how current the collection is, without asking the database each time."""

    def __init__(
        self, store: ReadingStore, collector: Collector, bell: Bell, clock: Clock, keep_seconds: float
    ) -> None:
        self._store = store
        self._collector = collector
        self._bell = bell
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._coverage = Coverage()
        self._read_at: tuple[int, float] | None = None

    async def status(self) -> DataStatus:
        """The status now. Raises DatabaseUnavailable."""
        rings, now = self._bell.rings, time.monotonic()
        # The bell does not tell of what another replica has stored: that is seen when the time is up.
        if self._read_at is None or self._read_at[0] != rings or now - self._read_at[1] > self._keep_seconds:
            self._coverage = await self._store.coverage()
            self._read_at = rings, now
        return data_status(self._coverage, self._collector.outage, self._clock())


class ReadingStream:
    """Follows the log of changes for as many clients as ask; each reads at the pace at which it is read."""

    def __init__(self, store: ReadingStore, board: StatusBoard, bell: Bell, heartbeat_seconds: float) -> None:
        self._store = store
        self._board = board
        self._bell = bell
        self._heartbeat_seconds = heartbeat_seconds

    async def follow(self, token: str, measured_after: datetime | None = None) -> AsyncGenerator[Element, None]:
        """All changes after the token, without end; the first element comes at once, if only as a heartbeat.

        Raises InvalidResumeToken, or UnknownResumeToken when the token belongs to another log or a later state of it.
        """
        head = await self._store.head()
        position = ResumeToken.position(token, head.epoch)
        if position > head.sequence:
            # The database was set back, say from a backup: the numbers ahead will be given to other changes.
            raise UnknownResumeToken
        while not self._bell.closed:
            rings = self._bell.rings
            changes = await self._store.changes(position, _READINGS_AN_ELEMENT, measured_after=measured_after)
            if changes:
                position = changes[-1].sequence
            yield Element(ResumeToken(head.epoch, position), changes, await self._board.status())
            if len(changes) < _READINGS_AN_ELEMENT:
                # When the time is up the log is read again: another replica may have written to it.
                await self._bell.wait(rings, self._heartbeat_seconds)
