"""What the tags of OpenStreetMap say about who may use a way, in which direction, and what kind of street it is.

After the OpenStreetMap wiki's "Key:access", "Key:oneway", "Key:oneway:bicycle" and "OSM tags for routing/Access
restrictions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router.graph.graph import Access, RoadClass
from router.graph.permission import PERMISSION_KEYS, Tags, may_cycle, may_drive, may_walk
from router.graph.slope import grade_percent
from router.graph.speed_limits import SPEED_KEYS, speed_limit_kmh
from router.graph.wheelchair import WHEELCHAIR_KEYS, can_roll

SIMULATED_TAG: Final = "cleanair:simulated"
"""`yes` on a way of a simulated city; no such street exists."""

NOBODY: Final = Access(0)

_FOOT_AND_BIKE: Final = Access.FOOT | Access.BIKE
_ALL: Final = _FOOT_AND_BIKE | Access.CAR


@dataclass(frozen=True, slots=True)
class WayRule:
    """What kind of street a way is, and who may use it along its direction and against it.

    Attributes:
        road_class: The kind.
        forward: Who may use it along its direction.
        backward: Who may use it against its direction.
        speed_limit_kmh: How fast one may drive.
        grade_percent: Metres that it rises over a hundred along its direction; 0 where that is not known.
    """

    road_class: RoadClass
    forward: Access
    backward: Access
    speed_limit_kmh: int
    grade_percent: int


HIGHWAYS: Final[Mapping[str, tuple[RoadClass, Access]]] = {
    "motorway": (RoadClass.ARTERIAL, Access.CAR),
    "motorway_link": (RoadClass.ARTERIAL, Access.CAR),
    "trunk": (RoadClass.ARTERIAL, Access.BIKE | Access.CAR),
    "trunk_link": (RoadClass.ARTERIAL, Access.BIKE | Access.CAR),
    "primary": (RoadClass.ARTERIAL, _ALL),
    "primary_link": (RoadClass.ARTERIAL, _ALL),
    "secondary": (RoadClass.COLLECTOR, _ALL),
    "secondary_link": (RoadClass.COLLECTOR, _ALL),
    "tertiary": (RoadClass.COLLECTOR, _ALL),
    "tertiary_link": (RoadClass.COLLECTOR, _ALL),
    "busway": (RoadClass.COLLECTOR, NOBODY),
    "residential": (RoadClass.LOCAL, _ALL),
    "unclassified": (RoadClass.LOCAL, _ALL),
    "living_street": (RoadClass.LOCAL, _ALL),
    "road": (RoadClass.LOCAL, _ALL),
    "service": (RoadClass.SERVICE, _ALL),
    "track": (RoadClass.SERVICE, _FOOT_AND_BIKE),
    "path": (RoadClass.FOOTWAY, _FOOT_AND_BIKE),
    "footway": (RoadClass.FOOTWAY, Access.FOOT),
    "pedestrian": (RoadClass.FOOTWAY, Access.FOOT),
    "bridleway": (RoadClass.FOOTWAY, Access.FOOT),
    "corridor": (RoadClass.FOOTWAY, Access.FOOT),
    "platform": (RoadClass.FOOTWAY, Access.FOOT),
    "crossing": (RoadClass.FOOTWAY, Access.FOOT),
    "cycleway": (RoadClass.CYCLEWAY, _FOOT_AND_BIKE),
    "steps": (RoadClass.STEPS, Access.FOOT),
}
"""The class of each value of `highway`, and who may use it unless other tags say more; other values are no street.

A wheelchair may go where people on foot may and `router.graph.wheelchair` sees no hindrance."""

_SIDEWALK: Final = frozenset({"yes", "both", "left", "right"})
_FORWARD_ONLY: Final = frozenset({"yes", "true", "1"})
_BACKWARD_ONLY: Final = frozenset({"-1", "reverse"})
_ROUNDABOUTS: Final = frozenset({"roundabout", "circular"})

RULE_KEYS: Final = tuple(
    dict.fromkeys(
        (
            *PERMISSION_KEYS,
            *SPEED_KEYS,
            *WHEELCHAIR_KEYS,
            *("highway", "area", "motorroad", "conveying", "junction"),
            *("foot:forward", "foot:backward", "bicycle:forward", "bicycle:backward"),
            *("oneway", "oneway:foot", "oneway:bicycle", "oneway:motor_vehicle"),
            *("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"),
            *("sidewalk", "sidewalk:left", "sidewalk:right", "sidewalk:both"),
        )
    )
)
"""All that `way_rule` looks at: ways with equal values of these have equal rules."""


def way_rule(tags: Tags) -> WayRule | None:
    """What the tags of a way say; None where it is no street, or nobody may use it."""
    highway = tags.get("highway", "")
    known = HIGHWAYS.get(highway)
    # The area of a square is walked along its outline; any other area only repeats the streets through it.
    if known is None or (tags.get("area", "") == "yes" and highway != "pedestrian"):
        return None
    road_class, allowed = known
    if road_class is RoadClass.ARTERIAL and _has_sidewalk(tags):
        allowed |= Access.FOOT
    if tags.get("motorroad", "") == "yes":
        allowed &= Access.CAR
    forward = backward = NOBODY
    for modes, (along, against) in _directions(tags, highway, allowed):
        forward |= modes if along else NOBODY
        backward |= modes if against else NOBODY
    if not (forward or backward):
        return None
    return WayRule(road_class, forward, backward, speed_limit_kmh(tags), grade_percent(tags))


def _directions(tags: Tags, highway: str, allowed: Access) -> list[tuple[Access, tuple[bool, bool]]]:
    """Modes that may use the way, and whether along and against it."""
    found = []
    if may_walk(tags, by_default=Access.FOOT in allowed):
        who = Access.FOOT | Access.WHEELCHAIR if can_roll(tags) else Access.FOOT
        found.append((who, _foot_directions(tags)))
    if may_cycle(tags, by_default=Access.BIKE in allowed):
        found.append((Access.BIKE, _bike_directions(tags, highway)))
    if may_drive(tags, by_default=Access.CAR in allowed):
        found.append((Access.CAR, _car_directions(tags, highway)))
    return found


def _has_sidewalk(tags: Tags) -> bool:
    return tags.get("sidewalk", "") in _SIDEWALK or any(
        tags.get(f"sidewalk:{side}", "") == "yes" for side in ("both", "left", "right")
    )


def _foot_directions(tags: Tags) -> tuple[bool, bool]:
    """Along and against the way. `oneway` is for vehicles; an escalator and `oneway:foot` bind people on foot."""
    oneway = tags.get("oneway:foot", "")
    conveying = tags.get("conveying", "")
    along = not (oneway in _BACKWARD_ONLY or conveying == "backward" or tags.get("foot:forward", "") == "no")
    against = not (oneway in _FORWARD_ONLY or conveying == "forward" or tags.get("foot:backward", "") == "no")
    return along, against


def _bike_directions(tags: Tags, highway: str) -> tuple[bool, bool]:
    """Along and against the way: the bicycle's own tags first, then contraflow lanes, then the one-way of all."""
    oneway = tags.get("oneway:bicycle", "")
    if not oneway:
        lanes = (tags.get(key, "") for key in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"))
        contraflow = any(lane.startswith("opposite") for lane in lanes)
        oneway = "no" if contraflow else _oneway(tags, highway)
    along, against = _both_but(oneway)
    return (
        along and tags.get("bicycle:forward", "") != "no",
        against and tags.get("bicycle:backward", "") != "no",
    )


def _car_directions(tags: Tags, highway: str) -> tuple[bool, bool]:
    return _both_but(tags.get("oneway:motor_vehicle", "") or _oneway(tags, highway))


def _oneway(tags: Tags, highway: str) -> str:
    """The one-way of all vehicles; roundabouts and motorways are one without a tag."""
    implied = tags.get("junction", "") in _ROUNDABOUTS or highway.startswith("motorway")
    return tags.get("oneway", "") or ("yes" if implied else "")


def _both_but(oneway: str) -> tuple[bool, bool]:
    """Along and against the way; neither where the direction changes with the hour."""
    if oneway == "reversible":
        return False, False
    return oneway not in _BACKWARD_ONLY, oneway not in _FORWARD_ONLY
