"""How fast one may drive, after the OpenStreetMap wiki's "Key:maxspeed" and "Default speed limits"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from router.graph.permission import Tags

FASTEST_KMH: Final = 130
"""Where there is no limit."""

SPEED_KEYS: Final = ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed")
"""All the keys that are looked at here."""

_OTHERWISE_KMH: Final = 20
_BY_HIGHWAY_KMH: Final[Mapping[str, int]] = {
    "motorway": 100,
    "motorway_link": 60,
    "trunk": 80,
    "trunk_link": 50,
    "primary": 50,
    "primary_link": 50,
    "secondary": 50,
    "secondary_link": 50,
    "tertiary": 50,
    "tertiary_link": 50,
    "unclassified": 50,
    "road": 50,
    "residential": 30,
    "living_street": 20,
    "service": 20,
}
"""Where no tag says. In Korean cities 50 km/h, and 30 on side streets (since April 2021); 100 on urban motorways and
20 in parking lots and drives are assumed."""

_BY_ZONE_KMH: Final[Mapping[str, int]] = {
    "walk": 10,
    "living_street": 20,
    "bicycle_road": 30,
    "urban": 50,
    "rural": 80,
    "trunk": 80,
    "motorway": 100,
}
"""Zones as in `KR:urban` and `DE:living_street`; what countries differ in is left to a number."""

_LIMIT: Final = re.compile(r"(\d{1,3})(?:\.\d+)?\s*(km/h|kmh|kph|mph)?")
_KMH_A_MPH: Final = 1.609


def speed_limit_kmh(tags: Tags) -> int:
    """The speed limit, 5 to FASTEST_KMH; of several values the first. One for both directions."""
    for key in SPEED_KEYS:
        limit = _limit_kmh(tags.get(key, "").split(";")[0].strip())
        if limit is not None:
            return max(5, min(FASTEST_KMH, limit))
    return _BY_HIGHWAY_KMH.get(tags.get("highway", ""), _OTHERWISE_KMH)


def _limit_kmh(value: str) -> int | None:
    if value == "none":
        return FASTEST_KMH
    zone = value.rpartition(":")[2]
    if zone in _BY_ZONE_KMH:
        return _BY_ZONE_KMH[zone]
    number = _LIMIT.fullmatch(zone.removeprefix("zone"))
    if number is None:
        return None
    return round(int(number[1]) * (_KMH_A_MPH if number[2] == "mph" else 1.0))
