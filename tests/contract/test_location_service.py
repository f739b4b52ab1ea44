"""LocationService as a client sees it: on the map's own names, with a geocoder behind them, and without either."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import location_pb2, location_service_pb2_grpc
from cleanair.router.v1 import location_service_pb2 as wire
from cleanair.type.v1 import point_pb2

from air.places import Point
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire
from router.geocoding.opening import open_geocoder
from router.location_service import LocationService
from router.locations import Locations
from router.places.gazetteer import gather
from router.places.indexes import Indexes
from router.places.store import save
from router.settings import RouterSettings
from router.workers import Workers
from simulation.geocoding_servers import KnownPlace, nominatim_server
from simulation.json_server import JsonAnswer, JsonServer
from tests.contract.refusal import refusal_of
from tests.router.places.named_town import STATION, named_town

Stub: TypeAlias = "location_service_pb2_grpc.LocationServiceAsyncStub"
Kind = location_pb2.Location

BUSAN = KnownPlace("부산역", "Busan Station", "railway", "station", "중앙대로", "부산", 35.115, 129.041)
FAR_AWAY = Point(35.1151, 129.0411)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    save(gather(named_town().write(folder / "town.osm.pbf")), folder / "town.places")
    return folder


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[LocationService, grpc.aio.Server], None]:
    return location_service_pb2_grpc.add_LocationServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[location_service_pb2_grpc.LocationServiceStub]:
    return location_service_pb2_grpc.LocationServiceStub


@pytest.fixture(scope="module")
def geocoder() -> Iterator[JsonServer]:
    with nominatim_server([BUSAN]) as server:
        yield server


@pytest.fixture(scope="module")
def grpc_servicer(graphs: Path, geocoder: JsonServer) -> LocationService:
    return service(graphs, geocoder.url)


def service(graphs: Path, url: str | None) -> LocationService:
    settings = RouterSettings(
        geocoder="none" if url is None else "nominatim", geocoder_url=url, geocoder_pause_seconds=0
    )
    geocoder = open_geocoder(settings, InProcessCache())
    return LocationService(Locations(Indexes(lambda: sorted(graphs.glob("*.places"))), Workers(2, 64), geocoder))


@asynccontextmanager
async def served(servicer: LocationService, interceptors: list[grpc.aio.ServerInterceptor]) -> AsyncIterator[Stub]:
    """Another service than the module's."""
    server = grpc.aio.server(interceptors=interceptors)
    location_service_pb2_grpc.add_LocationServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield location_service_pb2_grpc.LocationServiceStub(channel)
    await server.stop(None)


def near(point: tuple[float, float]) -> point_pb2.Point:
    return point_to_wire(Point(*point))


async def test_a_place_is_found_by_its_initials(grpc_stub: Stub, geocoder: JsonServer) -> None:
    answer = await grpc_stub.SearchLocations(wire.SearchLocationsRequest(query="ㄱㄴㅇ", near=near(STATION)))
    station = answer.locations[0]
    assert (station.name, station.name_en, station.kind) == ("강남", "Gangnam", Kind.STATION)
    assert (station.address, station.source) == ("서울 서초구", "cleanair")
    assert (station.point.latitude, station.point.longitude) == STATION
    assert station.distance_meters == 0
    assert 0.9 < station.match_score < 1
    assert not geocoder.requests, "nobody else is asked for what the map knows"


async def test_without_a_point_nothing_is_said_of_distance(grpc_stub: Stub) -> None:
    answer = await grpc_stub.SearchLocations(wire.SearchLocationsRequest(query="Gangnam"))
    assert answer.locations
    assert not any(location.HasField("distance_meters") for location in answer.locations)


async def test_kinds_and_page_size_are_kept_to(grpc_stub: Stub) -> None:
    asked = wire.SearchLocationsRequest(query="서", kinds=[Kind.AREA, Kind.SCHOOL])
    assert {location.kind for location in (await grpc_stub.SearchLocations(asked)).locations} == {
        Kind.AREA,
        Kind.SCHOOL,
    }
    asked.page_size = 1
    assert len((await grpc_stub.SearchLocations(asked)).locations) == 1


async def test_the_geocoder_is_asked_for_what_the_map_does_not_know(grpc_stub: Stub) -> None:
    asked = wire.SearchLocationsRequest(query="부산역", near=near(STATION))
    (found,) = (await grpc_stub.SearchLocations(asked)).locations
    assert (found.name, found.name_en, found.kind) == ("부산역", "Busan Station", Kind.STATION)
    assert (found.source, found.match_score) == ("nominatim", 1.0)
    assert found.distance_meters == pytest.approx(208_500, rel=0.01)


async def test_what_is_at_a_point(grpc_stub: Stub) -> None:
    here = await grpc_stub.ReverseGeocode(wire.ReverseGeocodeRequest(point=near((36.0019, 127.0001))))
    assert here.street == "종로"
    assert 1 < len(here.locations) <= 5
    distances = [location.distance_meters for location in here.locations]
    assert distances == sorted(distances)
    assert distances[-1] <= 1000
    assert not any(location.HasField("match_score") for location in here.locations)


async def test_what_is_at_a_point_off_the_map_is_the_geocoders_to_say(grpc_stub: Stub) -> None:
    there = await grpc_stub.ReverseGeocode(wire.ReverseGeocodeRequest(point=point_to_wire(FAR_AWAY)))
    assert [(location.name, location.source) for location in there.locations] == [("부산역", "nominatim")]
    nowhere = await grpc_stub.ReverseGeocode(wire.ReverseGeocodeRequest(point=near((-40.0, -130.0))))
    assert nowhere == wire.ReverseGeocodeResponse()


async def test_a_geocoder_that_fails_fails_no_search(
    grpc_stub: Stub, geocoder: JsonServer, caplog: pytest.LogCaptureFixture
) -> None:
    geocoder.faults.append(JsonAnswer({}, 503))
    answer = await grpc_stub.SearchLocations(wire.SearchLocationsRequest(query="광안리"))
    assert not answer.locations
    assert "GEOCODER_UNAVAILABLE" in caplog.text


BAD: dict[str, tuple[wire.SearchLocationsRequest, str, str]] = {
    "nothing": (wire.SearchLocationsRequest(), "INVALID_INPUT", "query"),
    "too long": (wire.SearchLocationsRequest(query="가" * 101), "INVALID_INPUT", "query"),
    "no letter": (wire.SearchLocationsRequest(query=" ?! "), "NOTHING_TO_LOOK_FOR", "query"),
    "a page of none": (wire.SearchLocationsRequest(query="강남", page_size=0), "INVALID_INPUT", "page_size"),
    "a page of 51": (wire.SearchLocationsRequest(query="강남", page_size=51), "INVALID_INPUT", "page_size"),
    "near nowhere": (
        wire.SearchLocationsRequest(query="강남", near=point_pb2.Point(latitude=91, longitude=0)),
        "INVALID_INPUT",
        "near.latitude",
    ),
    "a kind that is none": (
        wire.SearchLocationsRequest(query="강남", kinds=[Kind.KIND_UNSPECIFIED]),
        "INVALID_INPUT",
        "kinds[0]",
    ),
    "a kind twice": (
        wire.SearchLocationsRequest(query="강남", kinds=[Kind.STOP, Kind.STOP]),
        "INVALID_INPUT",
        "kinds",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input(grpc_stub: Stub, case: str) -> None:
    asked, reason, field = BAD[case]
    refused = await refusal_of(grpc_stub.SearchLocations(asked))
    assert (refused.code, refused.reason, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, reason, (field,))
    assert refused.message


async def test_a_point_is_needed_to_say_what_is_there(grpc_stub: Stub) -> None:
    refused = await refusal_of(grpc_stub.ReverseGeocode(wire.ReverseGeocodeRequest()))
    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("point",))


async def test_without_an_index_it_says_what_to_run(
    tmp_path: Path, graphs: Path, grpc_interceptors: list[grpc.aio.ServerInterceptor]
) -> None:
    async with served(service(tmp_path, None), grpc_interceptors) as stub:
        for call in (
            stub.SearchLocations(wire.SearchLocationsRequest(query="강남")),
            stub.ReverseGeocode(wire.ReverseGeocodeRequest(point=near(STATION))),
        ):
            refused = await refusal_of(call)
            assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_PLACES")
            assert "cleanair graph import" in refused.message
        # A damaged one is as none; one that is put there is served from then on, and one that is gone no longer.
        (tmp_path / "town.places").write_bytes(b"no database")
        refused = await refusal_of(stub.SearchLocations(wire.SearchLocationsRequest(query="강남")))
        assert refused.reason == "NO_PLACES"
        (tmp_path / "town.places").write_bytes((graphs / "town.places").read_bytes())
        assert (await stub.SearchLocations(wire.SearchLocationsRequest(query="강남"))).locations
        (tmp_path / "town.places").unlink()
        refused = await refusal_of(stub.SearchLocations(wire.SearchLocationsRequest(query="강남")))
        assert refused.reason == "NO_PLACES"


async def test_a_geocoder_alone_is_enough(
    tmp_path: Path, geocoder: JsonServer, grpc_interceptors: list[grpc.aio.ServerInterceptor]
) -> None:
    async with served(service(tmp_path, geocoder.url), grpc_interceptors) as stub:
        (found,) = (await stub.SearchLocations(wire.SearchLocationsRequest(query="Busan Station"))).locations
        assert found.name == "부산역"


async def test_regions_that_overlap_answer_as_one(
    tmp_path: Path, graphs: Path, grpc_interceptors: list[grpc.aio.ServerInterceptor]
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.places").write_bytes((graphs / "town.places").read_bytes())
    async with served(service(tmp_path, None), grpc_interceptors) as stub:
        answer = await stub.SearchLocations(wire.SearchLocationsRequest(query="gs25", near=near(STATION), page_size=3))
        distances = [location.distance_meters for location in answer.locations]
        assert len(distances) == 2, "what both know is one"
        assert distances == sorted(distances)
        here = await stub.ReverseGeocode(wire.ReverseGeocodeRequest(point=near(STATION)))
        assert len({location.name for location in here.locations}) == len(here.locations)
