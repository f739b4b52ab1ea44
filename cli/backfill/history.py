"""A file of history, ready to be uploaded: what it is called there, and its readings in batches."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire

from air.places import Station
from cli.backfill.files import TableFile, digest, open_file
from cli.backfill.layouts import recognise
from cli.backfill.rows import RowReader, UnreadableRow
from cli.failure import CommandFailed

READINGS_A_BATCH: Final = 5000
"""What one message may hold."""

_WAY_OF_CUTTING: Final = 1
"""Grows when the same file would be cut into other batches than before."""

_REASONS_KEPT: Final = 20
_NAMES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Options:
    """How files are to be taken.

    Attributes:
        places: Where stations stand.
        places_file: Where that was read; None when nothing was.
        feed: The feed whose stations they are.
        correct: True when the file wins over what is known.
        station: The station of all rows, where a file has no column of it.
    """

    places: Mapping[str, Station]
    places_file: Path | None
    feed: str
    correct: bool
    station: str | None


@dataclass
class LeftOut:
    """Rows that are not sent.

    Attributes:
        unreadable: Rows that cannot be used.
        empty: Rows that hold neither a value nor a flag.
        reasons: Why rows cannot be used: the first row with each reason, and how many have it; the first reasons only.
    """

    unreadable: int = 0
    empty: int = 0
    reasons: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, row: int, reason: str) -> None:
        """Counts a row that cannot be used."""
        self.unreadable += 1
        first, count = self.reasons.get(reason, (row, 0))
        if count or len(self.reasons) < _REASONS_KEPT:
            self.reasons[reason] = (first, count + 1)


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes in one message: its place in the upload, its readings, and how many rows of the file it ends."""

    sequence: int
    readings: Sequence[wire.UploadedReading]
    rows: int


class History:
    """One file that has been looked over.

    Attributes:
        path: The file.
        rows: How many rows it has.
        upload_id: What the upload is called: the same for the same content and options, so that it can go on.
        left_out: Grows as batches are made.
    """

    def __init__(self, table: TableFile, options: Options) -> None:
        self._table = table
        self.path: Final = table.path
        layout = recognise(table.columns, str(table.path))
        if options.station is None and layout.station not in table.columns:
            raise CommandFailed(
                f"{table.path} has no column {layout.station}: if it is all of one station, name that with --station."
            )
        self._reader = RowReader(table.columns, layout, options.places, options.station)
        names = self._names(layout.station, options.station)
        self.rows: Final = names.total()
        self._require_places(names, options)
        self.upload_id: Final = _upload_id(table.path, options)
        self.left_out: Final = LeftOut()

    def batches(self) -> Iterator[Batch]:
        """All readings in order, cut the same way each time. Raises CommandFailed when the file cannot be read on."""
        readings: list[wire.UploadedReading] = []
        sequence = number = 0
        for number, cells in enumerate(self._table.rows(self._reader.columns), start=1):
            try:
                reading = self._reader.read(cells)
            except UnreadableRow as error:
                self.left_out.add(number, str(error))
                continue
            if reading is None:
                self.left_out.empty += 1
                continue
            readings.append(reading)
            if len(readings) == READINGS_A_BATCH:
                sequence += 1
                yield Batch(sequence, readings, number)
                readings = []
        if readings:
            yield Batch(sequence + 1, readings, number)

    def _names(self, column: str, station: str | None) -> Counter[str]:
        """How many rows each station has."""
        if station is not None:
            return Counter({station: sum(1 for _ in self._table.rows([]))})
        rows = self._table.rows([column])
        return Counter("" if cells is None or cells[0] is None else str(cells[0]).strip() for cells in rows)

    def _require_places(self, names: Counter[str], options: Options) -> None:
        """Fails when no station at all has a place: that is a list that lacks, not a few that do."""
        if not self.rows:
            raise CommandFailed(f"{self.path} has no row.")
        if self._reader.places_rows or any(name in options.places for name in names):
            return
        shown = ", ".join(list(names)[:_NAMES_SHOWN])
        if options.places_file is None:
            raise CommandFailed(
                f"{self.path} does not say where its stations ({shown} …) stand: list them with --stations."
            )
        raise CommandFailed(f"None of the stations of {self.path} ({shown} …) is in {options.places_file}.")


def prepare(path: Path, options: Options) -> History:
    """A file that can be loaded. Raises CommandFailed, which says why it cannot."""
    return History(open_file(path), options)


def _upload_id(path: Path, options: Options) -> str:
    places = sorted(
        (place.station_id, place.location.latitude, place.location.longitude, place.network.value)
        for place in options.places.values()
    )
    way = [_WAY_OF_CUTTING, READINGS_A_BATCH, digest(path), places, options.feed, options.correct, options.station]
    return f"backfill-{hashlib.sha256(json.dumps(way).encode()).hexdigest()[:40]}"
