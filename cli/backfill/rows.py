"""One row of a file as the reading that is uploaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import reading_pb2
from cleanair.type.v1 import pollutant_pb2, station_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from air.places import Station
from air.pollutants import Pollutant, ug_m3_per_unit
from cli.backfill.files import Cell, Cells
from cli.backfill.layouts import LATITUDES, LONGITUDES, Layout
from cli.backfill.places import NoPlace, place_station
from mesh.wire import pollutant_to_wire, station_to_wire

_FIELDS: Final[Mapping[Pollutant, str]] = {
    Pollutant.PM25: "pm25_ug_m3",
    Pollutant.PM10: "pm10_ug_m3",
    Pollutant.O3: "o3_ppm",
    Pollutant.NO2: "no2_ppm",
    Pollutant.CO: "co_ppm",
    Pollutant.SO2: "so2_ppm",
}
_NOTHING: Final = frozenset({"", "-", "nan", "na", "null", "none"})
_HIGHEST_INDEX: Final = 500
_COMPACT_HOUR: Final = len("2021010124")
_DAY: Final = len("2021-01-01")


class UnreadableRow(Exception):
    """The row says nothing that could be used; its text says why."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a row holds one pollutant.

    Attributes:
        column: The column of the value.
        flag: The column of the network's word on it; empty where there is none.
        field: The field of the message.
        pollutant: The pollutant, as messages have it.
        divisor: What turns the file's unit into the network's.
    """

    column: str
    flag: str
    field: str
    pollutant: pollutant_pb2.Pollutant.ValueType
    divisor: float


class RowReader:
    """Reads rows of one file.

    Args:
        columns: The columns of the file.
        layout: What they hold.
        places: Where stations stand that the file itself does not place.
        station: The station of all rows, where the file has no column of it.
    """

    def __init__(
        self, columns: Sequence[str], layout: Layout, places: Mapping[str, Station], station: str | None
    ) -> None:
        self._layout = layout
        self._station = station
        self._stations = {name: station_to_wire(place) for name, place in places.items()}
        self._slots = [
            _Slot(
                column,
                flag if (flag := layout.flags.get(pollutant, "")) in columns else "",
                _FIELDS[pollutant],
                pollutant_to_wire(pollutant),
                ug_m3_per_unit(pollutant) if layout.gases_in_ug_m3 else 1.0,
            )
            for pollutant, column in layout.values.items()
            if column in columns
        ]
        self._latitude = next((name for name in LATITUDES if name in columns), "")
        self._longitude = next((name for name in LONGITUDES if name in columns), "")
        self._index = layout.index if layout.index in columns else ""
        self._row_flag = layout.row_flag if layout.row_flag in columns else ""
        wanted = {layout.time, layout.station if station is None else "", self._index, self._row_flag}
        wanted |= {slot.column for slot in self._slots} | {slot.flag for slot in self._slots}
        wanted |= {self._latitude, self._longitude} if self.places_rows else set()
        self.columns: Final = [column for column in columns if column in wanted]
        """The columns that it reads, in the order in which `read` expects their cells."""

    @property
    def places_rows(self) -> bool:
        """True when the file itself says where its stations stand."""
        return bool(self._latitude and self._longitude)

    def read(self, cells: Cells | None) -> wire.UploadedReading | None:
        """The reading of a row; None when it holds neither a value nor a flag.

        Raises UnreadableRow.
        """
        if cells is None:
            raise UnreadableRow("not as many fields as columns")
        row = dict(zip(self.columns, cells, strict=True))
        values: dict[str, float] = {}
        flags: list[reading_pb2.InstrumentFlag] = []
        of_all = _text(row[self._row_flag]) if self._row_flag else ""
        if of_all == self._layout.row_flag_of_good:
            of_all = ""
        for slot in self._slots:
            number = _number(row[slot.column], slot.column)
            if number is not None:
                values[slot.field] = number / slot.divisor
            # A word on the whole row is about what is lacking in it.
            word = (_text(row[slot.flag]) if slot.flag else "") or (of_all if number is None else "")
            if word:
                flags.append(reading_pb2.InstrumentFlag(pollutant=slot.pollutant, text=word))
        if not values and not flags:
            return None
        return wire.UploadedReading(
            station=self._station_of(row),
            measured_at=_hour(row[self._layout.time], self._layout.time, self._layout.zone),
            air_quality_index=_index(row[self._index], self._index) if self._index else None,
            flags=flags,
            **values,
        )

    def _station_of(self, row: Mapping[str, Cell]) -> station_pb2.Station:
        name = self._station if self._station is not None else _text(row[self._layout.station])
        known = self._stations.get(name)
        if known is not None:
            return known
        if not self.places_rows:
            raise UnreadableRow(f"station {name} is not in the list of stations" if name else "no station")
        try:
            place = station_to_wire(place_station(name, row[self._latitude], row[self._longitude]))
        except NoPlace as error:
            raise UnreadableRow(str(error)) from error
        # The first place stands for all its rows: a station that wanders is none.
        self._stations[name] = place
        return place


def _text(cell: Cell) -> str:
    # A column of whole numbers in which some lack comes as fractions.
    whole = int(cell) if isinstance(cell, float) and cell.is_integer() else cell
    return "" if whole is None else str(whole).strip()


def _number(cell: Cell, column: str) -> float | None:
    """A cell's number; None for none, and for the words that mean none."""
    if isinstance(cell, float) and math.isfinite(cell):
        return cell
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _NOTHING):
        return None
    try:
        number = float(cell) if isinstance(cell, str | int | float) else math.inf
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise UnreadableRow(f"{column} {cell!r} is no number")
    return None if math.isnan(number) else number


def _index(cell: Cell, column: str) -> int | None:
    number = _number(cell, column)
    if number is None:
        return None
    if not 0 <= number <= _HIGHEST_INDEX:
        raise UnreadableRow(f"{column} {cell!r} is no index")
    return round(number)


def _hour(cell: Cell, column: str, zone: tzinfo | None) -> Timestamp:
    try:
        time = cell if isinstance(cell, datetime) else _time(_text(cell))
    except (ValueError, OverflowError) as error:
        raise UnreadableRow(f"{column} {cell!r} is no time") from error
    if time.tzinfo is None:
        if zone is None:
            raise UnreadableRow(f"{column} {cell!r} does not say its zone: write it like 2025-01-01T08:00+09:00")
        time = time.replace(tzinfo=zone)
    if time.minute or time.second or time.microsecond:
        raise UnreadableRow(f"{column} {cell!r} is not on the hour")
    return Timestamp(seconds=int(time.timestamp()))


def _time(text: str) -> datetime:
    """ISO 8601, or `YYYYMMDDHH`; hour 24 is the next day's midnight. Raises ValueError or OverflowError."""
    if len(text) == _COMPACT_HOUR and text.isdecimal():
        return datetime.strptime(text[:8], "%Y%m%d") + timedelta(hours=_hour_of_day(text[8:]))  # noqa: DTZ007 - set later
    if text[_DAY + 1 : _DAY + 3] == "24":
        return datetime.fromisoformat(f"{text[: _DAY + 1]}00{text[_DAY + 3 :]}") + timedelta(days=1)
    return datetime.fromisoformat(text)


def _hour_of_day(text: str) -> int:
    hour = int(text)
    if hour > 24:  # noqa: PLR2004 - hours of a day
        raise ValueError(text)
    return hour
