"""Stations keep the places where they have stood, over both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text

from air.places import Network, Point, Station
from ingestion.settings import IngestionSettings
from ingestion.station import ListedStation
from ingestion.store.stations import StationStore
from mesh.database import Database
from tests.backing.tables import make_tables
from tests.ingestion.wire_rows import NOW

_LATER = NOW + timedelta(days=1)
_PLACE = Point(37.564639, 126.975961)
_FAR = Point(37.59, 126.99)


@asynccontextmanager
async def _opened(folder: Path, url: str | None) -> AsyncIterator[Database]:
    settings = IngestionSettings.model_validate({"data_dir": folder, "database_url": url})
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StationStore]:
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None
    async with _opened(tmp_path, url) as database:
        yield StationStore(database)


def _listed(
    station_id: str = "중구", location: Point = _PLACE, address: str = "서울 중구 덕수궁길 15"
) -> ListedStation:
    return ListedStation(Station(station_id, station_id, location, Network.URBAN), address)


async def test_a_list_comes_back_as_it_was_and_is_new_once(store: StationStore) -> None:
    listed = [_listed("중구"), _listed("종로구", _FAR)]
    assert (await store.observe("airkorea", listed, NOW)).new == tuple(listed)
    again = await store.observe("airkorea", listed, _LATER)
    assert (again.new, again.moved, again.renamed, again.foreign) == ((), (), (), ())
    assert {place.listed for place in await store.current("airkorea")} == set(listed)
    assert {(place.feed, place.valid_from, place.valid_to) for place in await store.current()} == {
        ("airkorea", NOW, None)
    }


async def test_a_station_that_moves_keeps_its_history(store: StationStore) -> None:
    await store.observe("airkorea", [_listed()], NOW)
    (move,) = (await store.observe("airkorea", [_listed(location=_FAR)], _LATER)).moved
    assert move.station_id == "중구"
    # On the ellipsoid of WGS 84, as geopy has it, 3,076 m.
    assert move.meters == pytest.approx(3076, rel=0.003)
    places = [(p.station.location, p.valid_from, p.valid_to) for p in await store.history("중구")]
    assert places == [(_PLACE, NOW, _LATER), (_FAR, _LATER, None)]
    assert [place.station.location for place in await store.current("airkorea")] == [_FAR]


async def test_small_steps_are_no_move_and_never_add_up_to_one_unseen(store: StationStore) -> None:
    await store.observe("airkorea", [_listed()], NOW)
    step = 0.00015  # 16.7 m of latitude
    near = replace(_PLACE, latitude=_PLACE.latitude + step)
    assert (await store.observe("airkorea", [_listed(location=near)], _LATER)).moved == ()
    assert [place.station.location for place in await store.history("중구")] == [_PLACE]
    further = replace(_PLACE, latitude=_PLACE.latitude + 2 * step)
    assert len((await store.observe("airkorea", [_listed(location=further)], _LATER)).moved) == 1


async def test_a_new_address_at_the_same_place_is_no_move(store: StationStore) -> None:
    await store.observe("airkorea", [_listed()], NOW)
    changes = await store.observe("airkorea", [_listed(address="서울 중구 새길 1")], _LATER)
    assert (len(changes.renamed), changes.moved) == (1, ())
    (place,) = await store.history("중구")
    assert (place.listed.address, place.valid_from) == ("서울 중구 새길 1", NOW)


async def test_a_station_that_left_the_list_stays_where_it_was(store: StationStore) -> None:
    await store.observe("airkorea", [_listed("중구"), _listed("종로구")], NOW)
    await store.observe("airkorea", [_listed("중구")], _LATER)
    assert [place.station.station_id for place in await store.current("airkorea")] == ["종로구", "중구"]


async def test_a_station_belongs_to_the_feed_that_brought_it(store: StationStore) -> None:
    await store.observe("airkorea", [_listed()], NOW)
    changes = await store.observe("openaq", [_listed(location=_FAR), _listed("OAQ-1")], _LATER)
    assert changes.foreign == ("중구",)
    assert [place.station.station_id for place in await store.current("openaq")] == ["OAQ-1"]
    assert [place.station.location for place in await store.history("중구")] == [_PLACE]


async def test_of_two_lines_on_one_station_the_last_stands(store: StationStore) -> None:
    await store.observe("airkorea", [_listed(), _listed(location=_FAR)], NOW)
    assert [place.station.location for place in await store.history("중구")] == [_FAR]


async def test_replicas_that_observe_at_once_agree_on_one_place(store: StationStore) -> None:
    listed = [_listed(f"역{number}") for number in range(50)]
    await asyncio.gather(*(store.observe("airkorea", listed, NOW) for _ in range(4)))
    moved = [_listed(f"역{number}", _FAR) for number in range(50)]
    await asyncio.gather(*(store.observe("airkorea", moved, _LATER) for _ in range(4)))
    assert len(await store.current()) == 50
    assert len(await store.places(1000, include_past=True)) == 100


async def test_places_come_in_pages_by_station_then_time(store: StationStore) -> None:
    names = ["가", "나", "다"]
    await store.observe("airkorea", [_listed(name) for name in names], NOW)
    await store.observe("airkorea", [_listed("나", _FAR)], _LATER)
    found: list[tuple[str, bool]] = []
    after = None
    while page := await store.places(2, include_past=True, after=after):
        found += [(place.station.station_id, place.valid_to is None) for place in page]
        after = (page[-1].station.station_id, page[-1].valid_from)
    assert found == [("가", True), ("나", False), ("나", True), ("다", True)]
    assert len(await store.places(10, station_ids=["가", "나"])) == 2


async def test_postgis_finds_stations_by_their_index(tmp_path: Path, postgres_ingestion_url: str) -> None:
    near = (
        "SELECT station_id FROM stations WHERE ST_Point(longitude::double precision, latitude::double precision)"
        " && ST_MakeEnvelope(126.9, 37.5, 127.1, 37.6)"
    )
    async with _opened(tmp_path, postgres_ingestion_url) as database:
        await StationStore(database).observe("airkorea", [_listed("중구"), _listed("먼곳", Point(35.1, 129.0))], NOW)
        async with database.begin() as connection:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = "\n".join((await connection.execute(text(f"EXPLAIN {near}"))).scalars())
            assert "idx_stations_location" in plan
            assert (await connection.execute(text(near))).scalars().all() == ["중구"]
