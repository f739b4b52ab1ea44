"""Which of the ways for people on foot a wheelchair can take, after the OpenStreetMap wiki's "Wheelchair routing"."""

from __future__ import annotations

from typing import Final

from router.graph.permission import Tags
from router.graph.slope import grade_percent

STEEPEST_PERCENT: Final = 6
"""A way that is steeper is barred; the bound that DIN 18040-1 sets for ramps."""

WHEELCHAIR_KEYS: Final = (
    *("wheelchair", "ramp:wheelchair", "incline", "surface", "smoothness", "tracktype", "sac_scale"),
)
"""All the keys that are looked at here."""

_OPEN: Final = frozenset({"yes", "designated"})
_LOOSE: Final = frozenset(
    {
        *("dirt", "earth", "grass", "gravel", "ground", "ice", "mud", "pebblestone", "rock", "sand", "snow", "stone"),
        *("stepping_stones", "unhewn_cobblestone", "unpaved", "woodchips"),
    }
)
_ROUGH: Final = frozenset({"bad", "very_bad", "horrible", "very_horrible", "impassable"})
_UNPAVED_TRACKS: Final = frozenset({"grade3", "grade4", "grade5"})


def can_roll(tags: Tags) -> bool:
    """Whether a wheelchair can take a way that people may walk.

    What was tried (`wheelchair=yes` or `no`) decides. Else steps without a ramp for wheelchairs, steep ways, loose or
    rough ground and mountain paths are barred.
    """
    said = tags.get("wheelchair", "")
    if said in _OPEN or said == "no":
        return said != "no"
    if tags.get("highway", "") == "steps":
        return tags.get("ramp:wheelchair", "") == "yes"
    return (
        abs(grade_percent(tags)) <= STEEPEST_PERCENT
        and tags.get("surface", "") not in _LOOSE
        and tags.get("smoothness", "") not in _ROUGH
        and tags.get("tracktype", "") not in _UNPAVED_TRACKS
        and not tags.get("sac_scale", "")
    )
