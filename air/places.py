"""Points, and the stations that stand on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the Earth's surface, WGS 84, in degrees."""

    latitude: float
    longitude: float


class Network(StrEnum):
    """What a station is there to measure."""

    UNSPECIFIED = "UNSPECIFIED"
    URBAN = "URBAN"
    ROADSIDE = "ROADSIDE"
    SUBURBAN = "SUBURBAN"
    PORT = "PORT"
    BACKGROUND = "BACKGROUND"


@dataclass(frozen=True, slots=True)
class Station:
    """A place where air is measured. `station_id` is the name under which its network serves it."""

    station_id: str
    display_name: str
    location: Point
    network: Network = Network.UNSPECIFIED
    simulated: bool = False
