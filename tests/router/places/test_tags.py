from __future__ import annotations

import pytest

from router.places.place import Kind
from router.places.tags import Level, meaning_of, names_of, own_address, street_importance


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"railway": "station"}, Kind.STATION),
        ({"highway": "bus_stop"}, Kind.STOP),
        ({"place": "suburb"}, Kind.AREA),
        ({"boundary": "administrative"}, Kind.AREA),
        ({"leisure": "park"}, Kind.PARK),
        ({"amenity": "school", "building": "school"}, Kind.SCHOOL),
        ({"amenity": "pharmacy", "shop": "chemist"}, Kind.HEALTH),
        ({"shop": "bakery"}, Kind.SHOP),
        ({"tourism": "museum"}, Kind.SIGHT),
        ({"building": "apartments"}, Kind.BUILDING),
        ({"amenity": "bench"}, Kind.OTHER),
    ],
)
def test_what_a_place_is(tags: dict[str, str], kind: Kind) -> None:
    meaning = meaning_of(tags)
    assert meaning is not None
    assert meaning.kind is kind
    assert 0 < meaning.importance <= 1


@pytest.mark.parametrize("tags", [{}, {"barrier": "gate"}, {"building": "no"}, {"railway": "rail"}, {"place": "ocean"}])
def test_what_nobody_looks_for(tags: dict[str, str]) -> None:
    assert meaning_of(tags) is None


def test_what_has_an_article_is_meant_more_often() -> None:
    plain, known = meaning_of({"place": "town"}), meaning_of({"place": "town", "wikidata": "Q1"})
    assert plain is not None
    assert known is not None
    assert known.importance > plain.importance
    assert known.level is Level.TOWN


def test_all_names_find_a_place() -> None:
    tags = {
        "name": "서울역 (Seoul Station)",
        "name:en": "Seoul Station",
        "alt_name": "경성역;Keijo",
        "old_name": "남대문정거장",
    }
    names = names_of(tags, Kind.STATION)
    assert names is not None
    assert (names.name, names.name_en) == ("서울역 (Seoul Station)", "Seoul Station")
    assert {"서울역", "seoul station", "경성역", "keijo", "남대문정거장"} <= set(names.spellings)
    assert len(set(names.spellings)) == len(names.spellings)
    assert names_of({"name": " – "}, Kind.SHOP) is None
    assert names_of({}, Kind.SHOP) is None


def test_a_station_is_found_with_the_word_for_it() -> None:
    named = names_of({"name": "강남", "name:en": "Gangnam"}, Kind.STATION)
    assert named is not None
    assert set(named.spellings) == {"강남", "gangnam", "강남역", "gangnam station"}
    quarter = names_of({"name": "강남"}, Kind.AREA)
    assert quarter is not None
    assert quarter.spellings == ("강남",)


def test_streets_and_houses() -> None:
    importance = {kind: street_importance(kind) or 0.0 for kind in ("primary", "primary_link", "residential", "steps")}
    assert importance["primary"] == importance["primary_link"] > importance["residential"] > importance["steps"] > 0
    assert street_importance("bus_stop") is None
    assert own_address({"addr:street": "종로", "addr:housenumber": "12"}) == "종로 12"
    assert own_address({"addr:housenumber": "12"}) == ""
