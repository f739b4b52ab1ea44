from __future__ import annotations

import pytest

from router.graph.barriers import stopped_by
from router.graph.graph import ANYONE, Access, RoadClass
from router.graph.green import is_green, is_park
from router.graph.slope import grade_percent
from router.graph.speed_limits import speed_limit_kmh
from router.graph.tags import HIGHWAYS, RULE_KEYS, way_rule


@pytest.mark.parametrize(
    ("tags", "road_class", "forward", "backward"),
    [
        ("highway=residential", RoadClass.LOCAL, "fbwc", "fbwc"),
        ("highway=primary", RoadClass.ARTERIAL, "fbwc", "fbwc"),
        ("highway=secondary_link", RoadClass.COLLECTOR, "fbwc", "fbwc"),
        ("highway=service", RoadClass.SERVICE, "fbwc", "fbwc"),
        ("highway=footway", RoadClass.FOOTWAY, "fw", "fw"),
        ("highway=footway bicycle=designated", RoadClass.FOOTWAY, "fbw", "fbw"),
        ("highway=pedestrian area=yes", RoadClass.FOOTWAY, "fw", "fw"),
        ("highway=cycleway", RoadClass.CYCLEWAY, "fbw", "fbw"),
        ("highway=cycleway foot=no", RoadClass.CYCLEWAY, "b", "b"),
        ("highway=steps", RoadClass.STEPS, "f", "f"),
        ("highway=path bicycle=dismount", RoadClass.FOOTWAY, "fw", "fw"),
        # Roads without a pavement for people, unless the tags say so.
        ("highway=trunk", RoadClass.ARTERIAL, "bc", "bc"),
        ("highway=trunk sidewalk=both", RoadClass.ARTERIAL, "fbwc", "fbwc"),
        ("highway=trunk sidewalk:left=yes", RoadClass.ARTERIAL, "fbwc", "fbwc"),
        ("highway=trunk foot=yes", RoadClass.ARTERIAL, "fbwc", "fbwc"),
        ("highway=motorway foot=yes", RoadClass.ARTERIAL, "fwc", "fw"),
        ("highway=primary motorroad=yes foot=yes", RoadClass.ARTERIAL, "fwc", "fwc"),
        # One-ways bind vehicles, not people on foot.
        ("highway=residential oneway=yes", RoadClass.LOCAL, "fbwc", "fw"),
        ("highway=residential oneway=1", RoadClass.LOCAL, "fbwc", "fw"),
        ("highway=residential oneway=-1", RoadClass.LOCAL, "fw", "fbwc"),
        ("highway=residential oneway=no", RoadClass.LOCAL, "fbwc", "fbwc"),
        ("highway=residential oneway=yes oneway:bicycle=no", RoadClass.LOCAL, "fbwc", "fbw"),
        ("highway=residential oneway=yes cycleway=opposite_lane", RoadClass.LOCAL, "fbwc", "fbw"),
        ("highway=residential oneway=yes cycleway:left=opposite_track", RoadClass.LOCAL, "fbwc", "fbw"),
        ("highway=residential oneway:bicycle=yes", RoadClass.LOCAL, "fbwc", "fwc"),
        ("highway=tertiary junction=roundabout", RoadClass.COLLECTOR, "fbwc", "fw"),
        ("highway=tertiary oneway=reversible", RoadClass.COLLECTOR, "fw", "fw"),
        ("highway=residential bicycle:backward=no", RoadClass.LOCAL, "fbwc", "fwc"),
        ("highway=residential oneway:foot=yes", RoadClass.LOCAL, "fbwc", "bc"),
        ("highway=steps conveying=forward", RoadClass.STEPS, "f", ""),
        ("highway=steps conveying=backward", RoadClass.STEPS, "", "f"),
        # The mode's own tag goes before the wider one.
        ("highway=service access=private foot=yes", RoadClass.SERVICE, "fw", "fw"),
        ("highway=service access=no bicycle=permissive", RoadClass.SERVICE, "b", "b"),
        ("highway=residential foot=no", RoadClass.LOCAL, "bc", "bc"),
        ("highway=primary bicycle=use_sidepath", RoadClass.ARTERIAL, "fwc", "fwc"),
        ("highway=residential vehicle=no", RoadClass.LOCAL, "fw", "fw"),
        ("highway=track vehicle=private", RoadClass.SERVICE, "fw", "fw"),
        ("highway=residential access=destination", RoadClass.LOCAL, "fbwc", "fbwc"),
        # A wider permission opens nothing that the kind of street closes.
        ("highway=footway access=yes", RoadClass.FOOTWAY, "fw", "fw"),
        # Cars.
        ("highway=motorway", RoadClass.ARTERIAL, "c", ""),
        ("highway=motorway oneway=no", RoadClass.ARTERIAL, "c", "c"),
        ("highway=primary motorroad=yes", RoadClass.ARTERIAL, "c", "c"),
        ("highway=residential motor_vehicle=no", RoadClass.LOCAL, "fbw", "fbw"),
        ("highway=residential motor_vehicle=no motorcar=yes", RoadClass.LOCAL, "fbwc", "fbwc"),
        ("highway=residential motor_vehicle=delivery", RoadClass.LOCAL, "fbw", "fbw"),
        ("highway=pedestrian motor_vehicle=permissive", RoadClass.FOOTWAY, "fwc", "fwc"),
        ("highway=residential oneway=yes oneway:motor_vehicle=no", RoadClass.LOCAL, "fbwc", "fwc"),
        # Wheelchairs go where people walk, but for steps, steep, loose and rough ways; what was tried decides.
        ("highway=steps ramp:wheelchair=yes", RoadClass.STEPS, "fw", "fw"),
        ("highway=footway incline=7%", RoadClass.FOOTWAY, "f", "f"),
        ("highway=footway incline=-7%", RoadClass.FOOTWAY, "f", "f"),
        ("highway=footway incline=6%", RoadClass.FOOTWAY, "fw", "fw"),
        ("highway=footway incline=7% wheelchair=yes", RoadClass.FOOTWAY, "fw", "fw"),
        ("highway=footway surface=gravel", RoadClass.FOOTWAY, "f", "f"),
        ("highway=footway surface=compacted", RoadClass.FOOTWAY, "fw", "fw"),
        ("highway=residential smoothness=very_bad", RoadClass.LOCAL, "fbc", "fbc"),
        ("highway=track tracktype=grade4", RoadClass.SERVICE, "fb", "fb"),
        ("highway=path sac_scale=hiking", RoadClass.FOOTWAY, "fb", "fb"),
        ("highway=footway wheelchair=no", RoadClass.FOOTWAY, "f", "f"),
        ("highway=residential foot=no wheelchair=yes", RoadClass.LOCAL, "bc", "bc"),
    ],
)
def test_a_way_is_open_to_whom_its_tags_say(tags: str, road_class: RoadClass, forward: str, backward: str) -> None:
    rule = way_rule(_parsed(tags))
    assert rule is not None
    assert (rule.road_class, rule.forward, rule.backward) == (road_class, _access(forward), _access(backward))


@pytest.mark.parametrize(
    "tags",
    [
        "highway=construction",
        "highway=proposed",
        "highway=raceway",
        "highway=bus_stop",
        "highway=service access=private",
        "highway=residential access=no",
        "highway=footway foot=private",
        "highway=busway",
        "highway=footway area=yes",
        "waterway=river",
    ],
)
def test_a_way_that_nobody_may_use_is_none(tags: str) -> None:
    assert way_rule(_parsed(tags)) is None


@pytest.mark.parametrize("highway", sorted(HIGHWAYS))
def test_every_kind_of_street_opens_to_those_named_by_its_own_tag(highway: str) -> None:
    modes = dict.fromkeys(("foot", "bicycle", "motorcar", "wheelchair"), "designated")
    rule = way_rule({"highway": highway, "oneway": "no", **modes})
    assert rule is not None
    assert (rule.road_class, rule.forward, rule.backward) == (HIGHWAYS[highway][0], ANYONE, ANYONE)


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
    ("tags", "stopped"),
    [
        ("barrier=gate", ""),
        ("barrier=gate access=private", "fbwc"),
        ("barrier=gate access=no foot=yes", "bc"),
        ("barrier=gate foot=no bicycle=no", "fbw"),
        ("barrier=bollard", "c"),
        ("barrier=bollard motor_vehicle=yes", ""),
        ("barrier=block", "c"),
        ("barrier=lift_gate vehicle=no", "bc"),
        ("barrier=cycle_barrier", "wc"),
        ("barrier=cycle_barrier wheelchair=yes", "c"),
        ("barrier=stile", "bwc"),
        ("barrier=turnstile", "bwc"),
        ("barrier=kissing_gate bicycle=yes", "wc"),
        ("barrier=kerb kerb=raised", "w"),
        ("barrier=kerb kerb=lowered", ""),
        ("barrier=gate wheelchair=no", "w"),
        ("access=private", ""),
    ],
)
def test_a_barrier_stops_whom_its_kind_and_its_tags_say(tags: str, stopped: str) -> None:
    assert stopped_by(_parsed(tags)) == _access(stopped)


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ("highway=primary", 50),
        ("highway=residential", 30),
        ("highway=motorway", 100),
        ("highway=footway", 20),
        ("highway=residential maxspeed=50", 50),
        ("highway=primary maxspeed=30_mph", 48),
        ("highway=primary maxspeed=60;80", 60),
        ("highway=motorway maxspeed=none", 130),
        ("highway=residential maxspeed=KR:urban", 50),
        ("highway=residential source:maxspeed=FI:zone30", 30),
        ("highway=residential zone:maxspeed=DE:20", 20),
        ("highway=residential maxspeed=walk", 10),
        ("highway=residential maxspeed=signals", 30),
        ("highway=residential maxspeed=0", 5),
        ("highway=residential maxspeed=999", 130),
    ],
)
def test_a_speed_limit_is_what_a_tag_says_or_what_such_streets_have(tags: str, kmh: int) -> None:
    assert speed_limit_kmh(_parsed(tags)) == kmh


@pytest.mark.parametrize(
    ("incline", "percent"),
    [("5%", 5), ("-5 %", -5), ("7.5%", 8), ("5,4%", 5), ("10°", 18), ("90°", 100), ("up", 0), ("steep", 10), ("", 0)],
)
def test_a_grade_is_known_where_a_number_is_given(incline: str, percent: int) -> None:
    assert grade_percent({"incline": incline}) == percent


def test_parks_and_gardens_are_parks() -> None:
    assert is_park({"leisure": "park"})
    assert is_park({"leisure": "garden"})
    assert not is_park({"leisure": "pitch"})


def test_woods_and_parks_are_green_and_car_parks_are_not() -> None:
    assert is_green({"natural": "wood"})
    assert is_green({"leisure": "park"})
    assert not is_green({"amenity": "parking", "landuse": "commercial"})


def _parsed(tags: str) -> dict[str, str]:
    pairs = (tag.split("=", 1) for tag in tags.split())
    return {key: value.replace("_mph", " mph") for key, value in pairs}


def _access(letters: str) -> Access:
    """Who is meant, by first letters: on foot, by bike, in a wheelchair, by car."""
    by_letter = dict(zip("fbwc", Access, strict=True))
    return Access(sum(by_letter[letter] for letter in letters))
