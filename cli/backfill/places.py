"""The places of stations, from a list in CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from air.places import Network, Point, Station
from cli.backfill.files import Cell, Cells, open_file
from cli.backfill.layouts import LATITUDES, LONGITUDES
from cli.failure import CommandFailed

_STATIONS: Final = ("station", "station_id")
_NETWORK: Final = "network"
_LONGEST_ID: Final = 20
_POLE: Final = 90.0
_ANTIMERIDIAN: Final = 180.0
# As AirKorea names them; its names carry additions, such as 국가배경농도(도서).
_NETWORKS: Final = {
    "도시대기": Network.URBAN,
    "도로변대기": Network.ROADSIDE,
    "교외대기": Network.SUBURBAN,
    "항만": Network.PORT,
    "국가배경농도": Network.BACKGROUND,
    **{network.value: network for network in Network},
}


class NoPlace(Exception):
    """This is no place of a station; its text says why."""


def read_places(file: Path) -> dict[str, Station]:
    """The stations of a list by their ids: columns station, lat, lon, and network if there is one.

    Raises CommandFailed, which names the line that is wrong.
    """
    table = open_file(file)
    columns = [_one_of(names, table.columns, file) for names in (_STATIONS, LATITUDES, LONGITUDES)]
    if _NETWORK in table.columns:
        columns.append(_NETWORK)
    stations: dict[str, Station] = {}
    for number, cells in enumerate(table.rows(columns), start=1):
        try:
            station = _station(cells)
        except NoPlace as error:
            raise CommandFailed(f"{file}, row {number}: {error}.") from error
        stations[station.station_id] = station
    return stations


def _station(cells: Cells | None) -> Station:
    if cells is None:
        raise NoPlace("not as many fields as columns")
    name, latitude, longitude, *network = cells
    return place_station(str(name or "").strip(), latitude, longitude, str(network[0] or "") if network else "")


def place_station(station_id: str, latitude: Cell, longitude: Cell, network: str = "") -> Station:
    """A station where a row says it stands. Raises NoPlace."""
    if not 0 < len(station_id) <= _LONGEST_ID:
        raise NoPlace(f"station {station_id!r} has not 1 to {_LONGEST_ID} characters")
    point = Point(_degrees(latitude, _POLE, "latitude"), _degrees(longitude, _ANTIMERIDIAN, "longitude"))
    return Station(station_id, station_id, point, _network(network))


def _degrees(cell: Cell, limit: float, name: str) -> float:
    try:
        degrees = float(cell) if isinstance(cell, str | int | float) else math.nan
    except ValueError:
        degrees = math.nan
    if not -limit <= degrees <= limit:
        raise NoPlace(f"{cell!r} is no {name}")
    return degrees


def _network(words: str) -> Network:
    words = words.strip().upper()
    return next((network for name, network in _NETWORKS.items() if words.startswith(name)), Network.UNSPECIFIED)


def _one_of(names: Sequence[str], columns: Sequence[str], file: Path) -> str:
    column = next((name for name in names if name in columns), None)
    if column is None:
        raise CommandFailed(f"{file} lists no places: it has no column {' or '.join(names)}.")
    return column
