"""The names of the simulated city: stations, schools and hospitals, and what all names are in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulation.city_plan import DISTRICT_NAMES, DistrictPlan

_LATIN: Final = dict(DISTRICT_NAMES)
_WORDS: Final = {
    "강변자전거길": "Riverside Bike Path",
    "강변산책로": "Riverside Walk",
    "강변북로": "North Riverside Road",
    "강변남로": "South Riverside Road",
    "외곽순환로": "Ring Road",
    "대로": "Boulevard",
    "대교": "Bridge",
    "보행교": "Footbridge",
    "공원": "Park",
    "산": "Hill",
    "강": "River",
    "역": "Station",
    "초등학교": "Elementary School",
    "병원": "Hospital",
    "구": "District",
    "로": "Road",
    "길": "Street",
}
_NAME: Final = re.compile(rf"모의({'|'.join(_LATIN)}|\d+)?({'|'.join(_WORDS)}) ?(\d*)")


@dataclass(frozen=True, slots=True)
class Sight:
    """A place with a name that is a point: its tags, and where it is, metres east and north of the centre."""

    tags: tuple[tuple[str, str], ...]
    x: float
    y: float


_SIGHTS: Final = (
    ("역", ("railway", "station"), 0.0, 0.0),
    ("초등학교", ("amenity", "school"), 260.0, -190.0),
    ("병원", ("amenity", "hospital"), -310.0, 220.0),
)
"""What every district has, and how far from its centre."""


def in_english(name: str) -> str:
    """A name of the city in English: 모의가람로 3 is Simulated Garam Road 3."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is no name of the simulated city.")
    of, kind, number = match.groups()
    return " ".join(part for part in ("Simulated", _LATIN.get(of, of), _WORDS[kind], number) if part)


def sights(districts: Sequence[DistrictPlan]) -> list[Sight]:
    """The stations, schools and hospitals."""
    return [
        Sight((feature, ("name", f"모의{district.name}{kind}")), district.x + east, district.y + north)
        for district in districts
        for kind, feature, east, north in _SIGHTS
    ]
