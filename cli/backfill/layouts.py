"""The layouts of files that can be loaded, recognised by their columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo
from typing import Final

from air.korea import KST
from air.pollutants import Pollutant
from cli.failure import CommandFailed

_CHINA: Final = timezone(timedelta(hours=8), "China")
_LOWER: Final[Mapping[Pollutant, str]] = {pollutant: pollutant.value.lower() for pollutant in Pollutant}
_UPPER: Final[Mapping[Pollutant, str]] = {pollutant: pollutant.value for pollutant in Pollutant}

LATITUDES: Final = ("lat", "latitude")
"""What a column of latitudes is called, in any layout."""

LONGITUDES: Final = ("lon", "longitude")
"""What a column of longitudes is called, in any layout."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column of a file holds what. One row is one station's hour, labelled by the end of the hour.

    Attributes:
        name: What it is, for people.
        time: The column of the hour; a file that has it is of this layout.
        zone: The zone of hours that do not say their own; None where they must.
        station: The column of the station.
        values: The column of each pollutant; a file need not have all.
        gases_in_ug_m3: True when gases are in µg/m³ rather than ppm.
        flags: The column of the network's word on each value.
        row_flag: The column of a word on all of a row's values.
        row_flag_of_good: The word in that column that speaks against nothing.
        index: The column of the Korean index.
    """

    name: str
    time: str
    zone: tzinfo | None
    station: str = "station"
    values: Mapping[Pollutant, str] = field(default_factory=lambda: _LOWER)
    gases_in_ug_m3: bool = False
    flags: Mapping[Pollutant, str] = field(default_factory=dict)
    row_flag: str = ""
    row_flag_of_good: str = "ok"
    index: str = ""


LAYOUTS: Final = (
    Layout(
        "hours of Korea",
        time="time_kst",
        zone=KST,
        flags={pollutant: f"{column}_flag" for pollutant, column in _LOWER.items()},
        row_flag="flag",
        index="khai",
    ),
    # The Beijing Multi-Site Air-Quality data (PRSA) of the UCI repository.
    Layout("hours of China, gases in µg/m³", time="time_cst", zone=_CHINA, gases_in_ug_m3=True),
    # AirKorea's audited yearly files (최종확정 측정자료): hours are written 2021010101 to 2021010124.
    Layout("AirKorea's audited hours", time="측정일시", zone=KST, station="측정소명", values=_UPPER),
    Layout("hours with their zone", time="measured_at", zone=None),
)


def recognise(columns: Collection[str], file: str) -> Layout:
    """The layout of a file with these columns. Raises CommandFailed, which says what a file must have."""
    layout = next((layout for layout in LAYOUTS if layout.time in columns), None)
    if layout is None:
        times = ", ".join(f"{layout.time} ({layout.name})" for layout in LAYOUTS)
        raise CommandFailed(f"{file} is of no known layout: it has none of the columns {times}.")
    if not any(column in columns for column in layout.values.values()):
        raise CommandFailed(
            f"{file} has no column of a pollutant: one at least of {', '.join(layout.values.values())}."
        )
    return layout
