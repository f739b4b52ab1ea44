"""What the tags of OpenStreetMap say about a place: its names, its kind, and how likely it is meant.

After the OpenStreetMap wiki's "Map features", "Names" and "Key:place".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from router.graph.tags import HIGHWAYS
from router.places.folding import words
from router.places.place import Kind

Tags = Mapping[str, str]
"""The tags of a way or a node."""

NAME_KEYS: Final = ("name", "name:ko", "name:en")
"""What has none of these has no name."""

_OTHER_NAME_KEYS: Final = (
    *("alt_name", "short_name", "official_name", "old_name", "loc_name", "int_name"),
    *("alt_name:ko", "alt_name:en", "name:ko-Latn", "name:ko_rm"),
)

HOUSE_NUMBER: Final = "addr:housenumber"

_IN_BRACKETS: Final = re.compile(r"\s*\([^)]*\)")
_RENOWN: Final = 0.1
"""How much more important is what an encyclopedia has an article on."""


class Level(IntEnum):
    """How large an area is, for addresses."""

    NONE = 0
    TOWN = 1
    DISTRICT = 2
    QUARTER = 3


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a place is.

    Attributes:
        kind: Its kind.
        importance: How likely it is meant when its name is typed, 0 to 1.
        level: How large an area it is; NONE of what is no area.
    """

    kind: Kind
    importance: float
    level: Level = Level.NONE


_Values = Mapping[str, Meaning | None]
_ANY: Final = "*"


def _areas() -> _Values:
    sizes = {
        Level.TOWN: {"city": 1.0, "town": 0.9, "municipality": 0.85},
        Level.DISTRICT: {"borough": 0.8, "suburb": 0.75, "district": 0.8},
        Level.QUARTER: {"quarter": 0.65, "village": 0.6, "neighbourhood": 0.55, "hamlet": 0.4},
        Level.NONE: {"square": 0.5, "island": 0.5, "islet": 0.3, "locality": 0.3, "state": 0.9, "province": 0.9},
    }
    return {
        value: Meaning(Kind.AREA, importance, level)
        for level, values in sizes.items()
        for value, importance in values.items()
    }


def _all(kind: Kind, importance: float, *values: str) -> _Values:
    return dict.fromkeys(values, Meaning(kind, importance))


_FEATURES: Final[Mapping[str, _Values]] = {
    "place": _areas(),
    "railway": {
        **_all(Kind.STATION, 0.85, "station"),
        **_all(Kind.STATION, 0.6, "halt"),
        **_all(Kind.STATION, 0.3, "subway_entrance", "train_station_entrance"),
        **_all(Kind.STOP, 0.35, "tram_stop"),
    },
    "aeroway": {**_all(Kind.STATION, 0.8, "aerodrome"), **_all(Kind.STATION, 0.6, "terminal")},
    "public_transport": {
        **_all(Kind.STATION, 0.6, "station"),
        **_all(Kind.STOP, 0.25, "stop_position", "platform"),
    },
    "highway": {
        **_all(Kind.STOP, 0.3, "bus_stop"),
        **_all(Kind.OTHER, 0.3, "services", "rest_area"),
    },
    "amenity": {
        **_all(Kind.STATION, 0.6, "bus_station", "ferry_terminal"),
        **_all(Kind.SCHOOL, 0.7, "university"),
        **_all(Kind.SCHOOL, 0.6, "college"),
        **_all(Kind.SCHOOL, 0.45, "school"),
        **_all(Kind.SCHOOL, 0.25, "kindergarten"),
        **_all(Kind.HEALTH, 0.65, "hospital"),
        **_all(Kind.HEALTH, 0.3, "clinic"),
        **_all(Kind.HEALTH, 0.25, "pharmacy", "doctors", "dentist", "nursing_home", "health_post", "veterinary"),
        **_all(Kind.SHOP, 0.2, "restaurant", "cafe", "fast_food", "bar", "pub", "ice_cream", "food_court"),
        **_all(Kind.SHOP, 0.45, "marketplace"),
        **_all(Kind.SIGHT, 0.4, "theatre", "cinema", "arts_centre"),
        **_all(Kind.BUILDING, 0.5, "townhall"),
        **_all(Kind.BUILDING, 0.35, "library", "courthouse", "embassy", "community_centre", "police", "fire_station"),
        _ANY: Meaning(Kind.OTHER, 0.2),
    },
    "healthcare": {_ANY: Meaning(Kind.HEALTH, 0.3)},
    "shop": {
        **_all(Kind.SHOP, 0.5, "mall", "department_store"),
        **_all(Kind.SHOP, 0.3, "supermarket"),
        _ANY: Meaning(Kind.SHOP, 0.2),
    },
    "tourism": {
        **_all(Kind.SIGHT, 0.5, "attraction", "museum", "gallery", "zoo", "theme_park", "aquarium", "viewpoint"),
        **_all(Kind.SIGHT, 0.2, "artwork"),
        _ANY: Meaning(Kind.OTHER, 0.25),
    },
    "historic": {_ANY: Meaning(Kind.SIGHT, 0.35)},
    "leisure": {
        **_all(Kind.PARK, 0.5, "park", "nature_reserve"),
        **_all(Kind.PARK, 0.35, "garden"),
        **_all(Kind.PARK, 0.2, "playground"),
        **_all(Kind.SIGHT, 0.5, "stadium"),
        _ANY: Meaning(Kind.OTHER, 0.2),
    },
    "natural": {
        **_all(Kind.SIGHT, 0.4, "peak", "beach", "waterfall"),
        **_all(Kind.OTHER, 0.35, "water", "wood", "bay"),
    },
    "waterway": _all(Kind.OTHER, 0.35, "river", "stream", "canal"),
    "landuse": {
        **_all(Kind.BUILDING, 0.35, "residential"),
        **_all(Kind.PARK, 0.3, "recreation_ground", "village_green", "forest"),
        _ANY: Meaning(Kind.OTHER, 0.2),
    },
    "man_made": _all(Kind.SIGHT, 0.3, "bridge", "tower", "lighthouse", "pier"),
    "office": {_ANY: Meaning(Kind.BUILDING, 0.2)},
    "boundary": _all(Kind.AREA, 0.7, "administrative"),
    "craft": {_ANY: Meaning(Kind.SHOP, 0.15)},
    "building": {_ANY: Meaning(Kind.BUILDING, 0.2)},
}
"""What each value of a key means; keys before others where a place has several."""

# Laid out by rank, which the formatter would undo.
_STREET_IMPORTANCE: Final = (
    {"motorway": 0.5, "trunk": 0.5, "primary": 0.5, "secondary": 0.45, "tertiary": 0.4, "pedestrian": 0.4}
    | {"residential": 0.35, "living_street": 0.35, "unclassified": 0.3, "cycleway": 0.3}
)  # fmt: skip
_PLAIN_STREET: Final = 0.25


def meaning_of(tags: Tags) -> Meaning | None:
    """What a node or an area is; None of what nobody looks for by name. Streets are `street_importance`'s."""
    for key, values in _FEATURES.items():
        value = tags.get(key, "")
        meaning = values.get(value, values.get(_ANY)) if value and value != "no" else None
        if meaning is not None:
            known = tags.get("wikidata", "") or tags.get("wikipedia", "")
            importance = min(meaning.importance + _RENOWN, 1.0) if known else meaning.importance
            return Meaning(meaning.kind, importance, meaning.level)
    return None


def street_importance(highway: str) -> float | None:
    """How likely a street of this kind is meant when its name is typed, 0 to 1; None of what is no street."""
    if highway not in HIGHWAYS:
        return None
    return _STREET_IMPORTANCE.get(highway.removesuffix("_link"), _PLAIN_STREET)


@dataclass(frozen=True, slots=True)
class Names:
    """How a place is called.

    Attributes:
        name: As it is written there.
        name_en: In English; empty where none is known.
        spellings: All that it may be found by, folded words with a space between them, each once.
    """

    name: str
    name_en: str
    spellings: tuple[str, ...]


def names_of(tags: Tags, kind: Kind) -> Names | None:
    """The names in the tags; None where there is none that has a letter."""
    name = next((tags[key] for key in NAME_KEYS if tags.get(key, "")), "")
    name_en = tags.get("name:en", "") or (name if name.isascii() else "")
    written = [tags.get(key, "") for key in NAME_KEYS]
    for key in _OTHER_NAME_KEYS:
        if value := tags.get(key, ""):
            written.extend(value.split(";"))
    if "(" in name:
        written.append(_IN_BRACKETS.sub("", name))
    if kind is Kind.STATION:
        # Maps call a station 강남, people call it 강남역.
        written.extend(f"{each}역" for each in written[:2] if each and not each.isascii() and not each.endswith("역"))
        written.append(f"{name_en} Station" if name_en and "station" not in name_en.lower() else "")
    spellings = dict.fromkeys(" ".join(words(each)) for each in written if each)
    spellings.pop("", None)
    return Names(name, name_en, tuple(spellings)) if spellings else None


def own_address(tags: Tags) -> str:
    """Street and number as the tags give them; empty where they give none."""
    number = tags.get(HOUSE_NUMBER, "")
    street = tags.get("addr:street", "") or tags.get("addr:place", "")
    return f"{street} {number}".strip() if street else ""
