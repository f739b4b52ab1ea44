"""What the tags of OpenStreetMap say about who may use a way, in which direction, and what kind of street it is.

After the OpenStreetMap wiki's "Key:access", "Key:oneway:bicycle" and "OSM tags for routing/Access restrictions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router.graph.graph import ANYONE, Access, RoadClass

SIMULATED_TAG: Final = "cleanair:simulated"
"""`yes` on a way of a simulated city; no such street exists."""

NOBODY: Final = Access(0)

Tags = Mapping[str, str]
"""The tags of a way or a node."""


@dataclass(frozen=True, slots=True)
class WayRule:
    """What kind of street a way is, and who may use it along its direction and against it."""

    road_class: RoadClass
    forward: Access
    backward: Access


HIGHWAYS: Final[Mapping[str, tuple[RoadClass, Access]]] = {
    "motorway": (RoadClass.ARTERIAL, NOBODY),
    "motorway_link": (RoadClass.ARTERIAL, NOBODY),
    "trunk": (RoadClass.ARTERIAL, Access.BIKE),
    "trunk_link": (RoadClass.ARTERIAL, Access.BIKE),
    "primary": (RoadClass.ARTERIAL, ANYONE),
    "primary_link": (RoadClass.ARTERIAL, ANYONE),
    "secondary": (RoadClass.COLLECTOR, ANYONE),
    "secondary_link": (RoadClass.COLLECTOR, ANYONE),
    "tertiary": (RoadClass.COLLECTOR, ANYONE),
    "tertiary_link": (RoadClass.COLLECTOR, ANYONE),
    "busway": (RoadClass.COLLECTOR, NOBODY),
    "residential": (RoadClass.LOCAL, ANYONE),
    "unclassified": (RoadClass.LOCAL, ANYONE),
    "living_street": (RoadClass.LOCAL, ANYONE),
    "road": (RoadClass.LOCAL, ANYONE),
    "service": (RoadClass.SERVICE, ANYONE),
    "track": (RoadClass.SERVICE, ANYONE),
    "path": (RoadClass.FOOTWAY, ANYONE),
    "footway": (RoadClass.FOOTWAY, Access.FOOT),
    "pedestrian": (RoadClass.FOOTWAY, Access.FOOT),
    "bridleway": (RoadClass.FOOTWAY, Access.FOOT),
    "corridor": (RoadClass.FOOTWAY, Access.FOOT),
    "platform": (RoadClass.FOOTWAY, Access.FOOT),
    "crossing": (RoadClass.FOOTWAY, Access.FOOT),
    "cycleway": (RoadClass.CYCLEWAY, ANYONE),
    "steps": (RoadClass.STEPS, Access.FOOT),
}
"""The class of each value of `highway`, and who may use it unless other tags say more; other values are no street."""

_OPEN: Final = frozenset(
    {"yes", "designated", "permissive", "official", "destination", "customers", "optional_sidepath"}
)
_CLOSED: Final = frozenset({"no", "private", "permit", "military", "emergency", "use_sidepath", "dismount"})
_SIDEWALK: Final = frozenset({"yes", "both", "left", "right"})
_FORWARD_ONLY: Final = frozenset({"yes", "true", "1"})
_BACKWARD_ONLY: Final = frozenset({"-1", "reverse"})
_ROUNDABOUTS: Final = frozenset({"roundabout", "circular"})
_PARKS: Final = frozenset({"park", "garden", "nature_reserve"})


RULE_KEYS: Final = (
    "highway",
    "area",
    "motorroad",
    "access",
    "vehicle",
    "foot",
    "foot:forward",
    "foot:backward",
    "oneway:foot",
    "conveying",
    "bicycle",
    "bicycle:forward",
    "bicycle:backward",
    "oneway:bicycle",
    "oneway",
    "junction",
    "cycleway",
    "cycleway:left",
    "cycleway:right",
    "cycleway:both",
    "sidewalk",
    "sidewalk:left",
    "sidewalk:right",
    "sidewalk:both",
)
"""All that `way_rule` looks at: ways with equal values of these have equal rules."""


def way_rule(tags: Tags) -> WayRule | None:
    """What the tags of a way say; None where it is no street, or neither foot nor bike may use it."""
    highway = tags.get("highway", "")
    known = HIGHWAYS.get(highway)
    # The area of a square is walked along its outline; any other area only repeats the streets through it.
    if known is None or (tags.get("area", "") == "yes" and highway != "pedestrian"):
        return None
    road_class, allowed = known
    if allowed is not ANYONE and road_class is RoadClass.ARTERIAL and _has_sidewalk(tags):
        allowed |= Access.FOOT
    if tags.get("motorroad", "") == "yes":
        allowed = NOBODY
    forward = backward = NOBODY
    if _may(Access.FOOT in allowed, tags, "foot", "access"):
        along, against = _foot_directions(tags)
        forward |= Access.FOOT if along else NOBODY
        backward |= Access.FOOT if against else NOBODY
    if _may(Access.BIKE in allowed, tags, "bicycle", "vehicle", "access"):
        along, against = _bike_directions(tags, highway)
        forward |= Access.BIKE if along else NOBODY
        backward |= Access.BIKE if against else NOBODY
    return WayRule(road_class, forward, backward) if forward or backward else None


def is_park(tags: Tags) -> bool:
    """Whether a closed way with these tags is the outline of a park."""
    return tags.get("leisure", "") in _PARKS


def is_closed_barrier(tags: Tags) -> bool:
    """Whether neither foot nor bike may pass a node with these tags: a gate that is private, for instance."""
    return bool(tags.get("barrier", "")) and not (
        _may(True, tags, "foot", "access") or _may(True, tags, "bicycle", "vehicle", "access")
    )


def _may(by_default: bool, tags: Tags, own: str, *wider: str) -> bool:  # noqa: FBT001 - reads as a sentence
    """The mode's own tag decides; a wider one (`access`) closes, but opens nothing that the kind of street closes."""
    value = tags.get(own, "")
    if value in _OPEN:
        return True
    if value in _CLOSED:
        return False
    for key in wider:
        value = tags.get(key, "")
        if value:
            return by_default and value not in _CLOSED
    return by_default


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
        oneway = "no" if contraflow else tags.get("oneway", "")
    if not oneway and (tags.get("junction", "") in _ROUNDABOUTS or highway.startswith("motorway")):
        oneway = "yes"
    if oneway == "reversible":
        return False, False
    along = oneway not in _BACKWARD_ONLY and tags.get("bicycle:forward", "") != "no"
    against = oneway not in _FORWARD_ONLY and tags.get("bicycle:backward", "") != "no"
    return along, against
