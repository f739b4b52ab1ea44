from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from air.geodesy import distance_m
from air.places import Point
from router.places.gazetteer import Gazetteer, gather
from router.places.index import OWN, PlaceIndex
from router.places.place import Kind
from router.places.store import DamagedPlacesFile, NoSuchPlacesFile, PlacesFile, UnknownPlacesFormat, save
from tests.router.places.named_town import FAR_SHOP, NEAR_SHOP, STATION, named_town


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    return gather(named_town().write(tmp_path_factory.mktemp("town") / "town.osm.pbf"))


@pytest.fixture(scope="module")
def file(gazetteer: Gazetteer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("places") / "town.places"
    save(gazetteer, path)
    return path


@pytest.fixture(scope="module")
def index(file: Path) -> Iterator[PlaceIndex]:
    with closing(PlaceIndex(PlacesFile.open(file))) as index:
        yield index


def names(index: PlaceIndex, typed: str, near: Point | None = None, *kinds: Kind) -> list[str]:
    return [found.place.name for found in index.search(typed, near, 10, kinds)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("강남", "강남"),
        ("강남역", "강남"),
        ("ㄱㄴㅇ", "강남"),
        ("ㄱㄴ", "강남"),
        ("강ㄴㅇ", "강남"),
        ("강나", "강남"),
        ("Gangnam", "강남"),
        ("GANGNAM station", "강남"),
        ("gnagnam", "강남"),
        ("rkdska", "강남"),
        ("rsd", "강남"),
        ("강낭역", "강남"),
        ("\u1100\u1161\u11bc\u1102\u1161\u11b7", "강남"),
        ("도산", "도산공원"),
        ("공원", "도산공원"),
        ("dosan prak", "도산공원"),
        ("서울시 초등학교", "서울초등학교"),
        ("서울 특별시", "서울"),
        ("ㅈㄹ", "종로"),
        ("세종로 7", "세종로 7"),
        ("7 세종로", "세종로 7"),
    ],
)
def test_what_people_type_finds_what_they_mean(index: PlaceIndex, typed: str, first: str) -> None:
    assert names(index, typed)[0] == first


@pytest.mark.parametrize("typed", ["", " ?! ", "부산", "ㅎㅎㅎ", "xyzzy", "ㅏㅏ", "🚌", "'\" OR 1=1 --", "%", "*"])
def test_what_is_not_there_is_not_found(index: PlaceIndex, typed: str) -> None:
    assert names(index, typed) == []


def test_the_nearer_of_two_with_one_name_comes_first(index: PlaceIndex) -> None:
    for near, other in ((NEAR_SHOP, FAR_SHOP), (FAR_SHOP, NEAR_SHOP)):
        first, second = index.search("gs25", Point(*near), 10)
        assert first.place.point == Point(*near)
        assert first.distance_m == pytest.approx(0, abs=0.1)
        assert (first.match_score, first.source) == (1.0, OWN)
        assert second.place.point == Point(*other)
        assert second.distance_m == pytest.approx(distance_m(*map(np.array, (*near, *other))))


def test_a_search_is_of_the_kinds_asked_for_and_no_longer_than_asked_for(index: PlaceIndex) -> None:
    assert names(index, "강남", None, Kind.STOP) == ["강남역앞"]
    assert names(index, "ㅅ", None, Kind.AREA, Kind.SCHOOL) == ["서울", "서초구", "서울초등학교"]
    assert len(index.search("서울", None, 1)) == 1


def test_what_is_one_on_the_ground_is_found_once(index: PlaceIndex) -> None:
    assert [found.place.kind for found in index.search("강남", None, 10)] == [Kind.STATION, Kind.STOP]
    streets = index.search("종로", None, 10, [Kind.STREET])
    assert sorted(round(found.place.point.latitude, 1) for found in streets) == [36.0, 36.5]


def test_a_place_says_where_it_lies(index: PlaceIndex) -> None:
    addresses = {typed: index.search(typed, None, 1)[0].place.address for typed in ("gs25", "서초구", "서울", "강남")}
    assert addresses == {"gs25": "서울 서초구 종로 12", "서초구": "서울", "서울": "", "강남": "서울 서초구"}
    (far, *_) = (found.place for found in index.search("종로", Point(36.5, 127.5), 1))
    assert far.address == ""


def test_the_nearest_places_are_those_of_all_places(index: PlaceIndex, gazetteer: Gazetteer) -> None:
    named = [place for place in gazetteer.places if place.kind is not Kind.STREET]
    where = np.array([(place.point.latitude, place.point.longitude) for place in named])
    for point in (Point(*STATION), Point(36.0052, 127.0049), Point(36.0205, 127.0195)):
        metres = distance_m(np.array(point.latitude), np.array(point.longitude), where[:, 0], where[:, 1])
        expected = sorted(round(each, 3) for each in metres if each <= 1_000)[:5]
        found = index.nearby(point)
        assert [round(each.distance_m or 0.0, 3) for each in found] == expected
        assert expected
        assert {each.match_score for each in found} == {None}
    assert index.nearby(Point(37.0, 127.0)) == []


def test_the_street_at_a_point(index: PlaceIndex) -> None:
    for point, street, metres in (
        # 0.001° north of a street, and beside another.
        (Point(36.003, 127.001), "종로", 111.2),
        (Point(36.0079, 126.9951), "그 길", 9.0),
    ):
        there = index.street_at(point)
        assert there is not None
        assert there[0] == street
        assert there[1] == pytest.approx(metres, abs=0.1)
    assert index.street_at(Point(36.02, 127.02)) is None


def test_another_files_format_and_damage_are_told_apart(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    with pytest.raises(NoSuchPlacesFile, match="import the OpenStreetMap extract again"):
        PlacesFile.open(tmp_path / "none.places")
    bad = tmp_path / "bad.places"
    for content in (b"", b"no database", whole[: len(whole) // 2], whole[:4096]):
        bad.write_bytes(content)
        with pytest.raises(DamagedPlacesFile, match=r"bad\.places"):
            PlacesFile.open(bad)
    bad.unlink()
    with closing(sqlite3.connect(bad)) as database:
        database.execute("CREATE TABLE place (id)")
    with pytest.raises(DamagedPlacesFile):
        PlacesFile.open(bad)
    bad.write_bytes(whole)
    with closing(sqlite3.connect(bad)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(UnknownPlacesFormat, match="format 99"):
        PlacesFile.open(bad)


def test_an_extract_without_names_makes_a_file_without_places(tmp_path: Path) -> None:
    drawing = named_town()
    nameless = type(drawing)(drawing.places, [([1, 2], {"highway": "residential"})])
    save(gather(nameless.write(tmp_path / "nameless.osm.pbf")), tmp_path / "nameless.places")
    with closing(PlaceIndex(PlacesFile.open(tmp_path / "nameless.places"))) as index:
        assert names(index, "강남") == []
        assert index.nearby(Point(*STATION)) == []
        assert index.street_at(Point(*STATION)) is None
