from __future__ import annotations

import pytest

from router.graph.graph import ANYONE, Access, RoadClass
from router.graph.tags import HIGHWAYS, RULE_KEYS, WayRule, is_closed_barrier, is_park, way_rule

FOOT, BIKE, NOBODY = Access.FOOT, Access.BIKE, Access(0)
FORTH, BACK, BOTH = (ANYONE, FOOT), (FOOT, ANYONE), (ANYONE, ANYONE)


@pytest.mark.parametrize(
    ("tags", "road_class", "forward", "backward"),
    [
        ("highway=residential", RoadClass.LOCAL, *BOTH),
        ("highway=primary", RoadClass.ARTERIAL, *BOTH),
        ("highway=secondary_link", RoadClass.COLLECTOR, *BOTH),
        ("highway=service", RoadClass.SERVICE, *BOTH),
        ("highway=footway", RoadClass.FOOTWAY, FOOT, FOOT),
        ("highway=footway bicycle=designated", RoadClass.FOOTWAY, *BOTH),
        ("highway=pedestrian area=yes", RoadClass.FOOTWAY, FOOT, FOOT),
        ("highway=cycleway", RoadClass.CYCLEWAY, *BOTH),
        ("highway=cycleway foot=no", RoadClass.CYCLEWAY, BIKE, BIKE),
        ("highway=steps", RoadClass.STEPS, FOOT, FOOT),
        ("highway=path bicycle=dismount", RoadClass.FOOTWAY, FOOT, FOOT),
        # Roads without a pavement for people, unless the tags say so.
        ("highway=trunk", RoadClass.ARTERIAL, BIKE, BIKE),
        ("highway=trunk sidewalk=both", RoadClass.ARTERIAL, *BOTH),
        ("highway=trunk sidewalk:left=yes", RoadClass.ARTERIAL, *BOTH),
        ("highway=trunk foot=yes", RoadClass.ARTERIAL, *BOTH),
        ("highway=motorway foot=yes", RoadClass.ARTERIAL, FOOT, FOOT),
        ("highway=primary motorroad=yes foot=yes", RoadClass.ARTERIAL, FOOT, FOOT),
        # One-ways bind bicycles, not people on foot.
        ("highway=residential oneway=yes", RoadClass.LOCAL, *FORTH),
        ("highway=residential oneway=1", RoadClass.LOCAL, *FORTH),
        ("highway=residential oneway=-1", RoadClass.LOCAL, *BACK),
        ("highway=residential oneway=no", RoadClass.LOCAL, *BOTH),
        ("highway=residential oneway=yes oneway:bicycle=no", RoadClass.LOCAL, *BOTH),
        ("highway=residential oneway=yes cycleway=opposite_lane", RoadClass.LOCAL, *BOTH),
        ("highway=residential oneway=yes cycleway:left=opposite_track", RoadClass.LOCAL, *BOTH),
        ("highway=residential oneway:bicycle=yes", RoadClass.LOCAL, *FORTH),
        ("highway=tertiary junction=roundabout", RoadClass.COLLECTOR, *FORTH),
        ("highway=tertiary oneway=reversible", RoadClass.COLLECTOR, FOOT, FOOT),
        ("highway=residential bicycle:backward=no", RoadClass.LOCAL, *FORTH),
        ("highway=residential oneway:foot=yes", RoadClass.LOCAL, ANYONE, BIKE),
        ("highway=steps conveying=forward", RoadClass.STEPS, FOOT, NOBODY),
        ("highway=steps conveying=backward", RoadClass.STEPS, NOBODY, FOOT),
        # The mode's own tag goes before the wider one.
        ("highway=service access=private foot=yes", RoadClass.SERVICE, FOOT, FOOT),
        ("highway=service access=no bicycle=permissive", RoadClass.SERVICE, BIKE, BIKE),
        ("highway=residential foot=no", RoadClass.LOCAL, BIKE, BIKE),
        ("highway=primary bicycle=use_sidepath", RoadClass.ARTERIAL, FOOT, FOOT),
        ("highway=residential vehicle=no", RoadClass.LOCAL, FOOT, FOOT),
        ("highway=track vehicle=private", RoadClass.SERVICE, FOOT, FOOT),
        ("highway=residential access=destination", RoadClass.LOCAL, *BOTH),
        # A wider permission opens nothing that the kind of street closes.
        ("highway=footway access=yes", RoadClass.FOOTWAY, FOOT, FOOT),
    ],
)
def test_a_way_is_open_to_whom_its_tags_say(
    tags: str, road_class: RoadClass, forward: Access, backward: Access
) -> None:
    assert way_rule(_parsed(tags)) == WayRule(road_class, forward, backward)


@pytest.mark.parametrize(
    "tags",
    [
        "highway=motorway",
        "highway=construction",
        "highway=proposed",
        "highway=raceway",
        "highway=bus_stop",
        "highway=service access=private",
        "highway=residential access=no",
        "highway=footway foot=private",
        "highway=busway",
        "highway=primary motorroad=yes",
        "highway=footway area=yes",
        "waterway=river",
    ],
)
def test_a_way_that_nobody_may_use_is_none(tags: str) -> None:
    assert way_rule(_parsed(tags)) is None


@pytest.mark.parametrize("highway", sorted(HIGHWAYS))
def test_every_kind_of_street_opens_to_those_named_by_its_own_tag(highway: str) -> None:
    rule = way_rule({"highway": highway, "foot": "designated", "bicycle": "designated", "oneway": "no"})
    assert rule == WayRule(HIGHWAYS[highway][0], ANYONE, ANYONE)


def test_a_rule_looks_only_at_the_keys_it_declares() -> None:
    class Noted(dict[str, str]):
        asked: set[str]

        def get(self, key: str, default: str | None = None, /) -> str:  # type: ignore[override]
            # A dictionary's own overloads answer None too; the rules always give a default.
            self.asked.add(key)
            return super().get(key) or default or ""

    for highway in HIGHWAYS:
        tags = Noted(highway=highway, foot="yes", bicycle="yes")
        tags.asked = set()
        way_rule(tags)
        assert tags.asked <= set(RULE_KEYS)


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ("barrier=gate access=private", "closed"),
        ("barrier=gate access=no foot=yes", "open"),
        ("barrier=bollard", "open"),
        ("barrier=lift_gate vehicle=no", "open"),
        ("barrier=gate foot=no bicycle=no", "closed"),
        ("access=private", "open"),
    ],
)
def test_a_barrier_is_closed_when_neither_foot_nor_bike_may_pass(tags: str, closed: str) -> None:
    assert is_closed_barrier(_parsed(tags)) is (closed == "closed")


def test_parks_and_gardens_are_parks() -> None:
    assert is_park({"leisure": "park"})
    assert is_park({"leisure": "garden"})
    assert not is_park({"leisure": "pitch"})


def _parsed(tags: str) -> dict[str, str]:
    return dict(tag.split("=", 1) for tag in tags.split())
