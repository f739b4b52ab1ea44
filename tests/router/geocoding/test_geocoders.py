from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from pydantic import SecretStr

from air.places import Point
from mesh.cache import InProcessCache
from router.geocoding.geocoder import Geocoder, GeocoderUnavailable, UnknownGeocoder, Wanted
from router.geocoding.opening import open_geocoder
from router.geocoding.politeness import Pace
from router.places.place import Kind
from router.settings import RouterSettings
from simulation.geocoding_servers import KnownPlace, nominatim_server, photon_server
from simulation.json_server import JsonAnswer, JsonServer

STATION = KnownPlace("강남역", "Gangnam", "railway", "station", "강남대로", "서울", 37.4979, 127.0276)
STREET = KnownPlace("테헤란로", "Teheran-ro", "highway", "primary", "테헤란로", "서울", 37.5, 127.036)
SERVERS: dict[str, Callable[[list[KnownPlace]], JsonServer]] = {"nominatim": nominatim_server, "photon": photon_server}
HERE = Point(37.498, 127.0275)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, JsonServer]]:
    with SERVERS[request.param]([STATION, STREET]) as server:
        yield request.param, server


def settings(service: str, url: str, *, pause: float = 0.0, deadline: float = 5.0) -> RouterSettings:
    return RouterSettings(
        geocoder=service, geocoder_url=url, geocoder_pause_seconds=pause, geocoder_deadline_seconds=deadline
    )


def opened(service: str, url: str, *, pause: float = 0.0, deadline: float = 5.0) -> Geocoder:
    geocoder = open_geocoder(settings(service, url, pause=pause, deadline=deadline), InProcessCache())
    assert geocoder is not None
    assert geocoder.name == service
    return geocoder


async def test_it_knows_places_by_name(server: tuple[str, JsonServer]) -> None:
    service, asked = server
    geocoder = opened(service, asked.url)
    (place,) = await geocoder.search(Wanted("강남역", None, 5))
    assert (place.name, place.kind, place.point) == ("강남역", Kind.STATION, Point(37.4979, 127.0276))
    assert "강남대로" in place.address
    assert [place.kind for place in await geocoder.search(Wanted("테헤란로", HERE, 5))] == [Kind.STREET]
    assert await geocoder.search(Wanted("부산역", None, 5)) == []
    assert ("viewbox" if service == "nominatim" else "lat=37.498") in asked.requests[1][0]


async def test_it_knows_what_is_at_a_point(server: tuple[str, JsonServer]) -> None:
    service, asked = server
    geocoder = opened(service, asked.url)
    assert [place.name for place in await geocoder.reverse(HERE)] == ["강남역"]
    assert await geocoder.reverse(Point(-80.0, 0.0)) == []


async def test_nothing_is_asked_twice(server: tuple[str, JsonServer]) -> None:
    service, asked = server
    geocoder = opened(service, asked.url)
    answers = [await geocoder.search(Wanted(text, HERE, 5)) for text in ("강남역", " 강남역 ", "강남역")]
    assert answers[0] == answers[1] == answers[2] != []
    assert await geocoder.reverse(HERE) == await geocoder.reverse(Point(37.498_000_1, 127.0275))
    assert len(asked.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        JsonAnswer({"error": "busy"}, HTTPStatus.TOO_MANY_REQUESTS),
        JsonAnswer({}, HTTPStatus.INTERNAL_SERVER_ERROR),
        JsonAnswer("<html>"),
        JsonAnswer([{"lat": "north"}]),
        JsonAnswer({"features": [{"properties": None}]}),
    ],
)
async def test_what_cannot_be_read_is_no_answer(server: tuple[str, JsonServer], fault: JsonAnswer) -> None:
    service, asked = server
    asked.faults.append(fault)
    geocoder = opened(service, asked.url)
    with pytest.raises(GeocoderUnavailable, match=service):
        await geocoder.search(Wanted("강남역", None, 5))
    assert await geocoder.search(Wanted("강남역", None, 5)), "a failure is not remembered"


async def test_one_that_hangs_is_not_waited_for() -> None:
    never = threading.Event()
    with nominatim_server([STATION]) as asked:
        asked.faults.append(JsonAnswer([], delay=never))
        with pytest.raises(GeocoderUnavailable):
            await opened("nominatim", asked.url, deadline=0.05).search(Wanted("강남역", None, 5))
        never.set()


async def test_one_that_is_not_there() -> None:
    with nominatim_server([]) as gone:
        url = gone.url
    with pytest.raises(GeocoderUnavailable):
        await opened("nominatim", url).reverse(HERE)


async def test_questions_leave_at_a_pace_and_too_many_are_turned_away() -> None:
    pace = Pace(0.05, patience_seconds=0.12)
    clock = asyncio.get_running_loop()
    began = clock.time()
    turns = await asyncio.gather(*(pace.turn() for _ in range(5)), return_exceptions=True)
    assert [isinstance(turn, GeocoderUnavailable) for turn in turns] == [False, False, False, True, True]
    assert clock.time() - began >= 0.1


def test_none_is_opened_where_none_is_named() -> None:
    assert open_geocoder(RouterSettings(), InProcessCache()) is None


@pytest.mark.parametrize(
    ("service", "said"), [("atlas", "nominatim"), ("opencage", "CLEANAIR_GEOCODER_KEY"), ("tomtom", "api_key")]
)
def test_one_that_cannot_be_opened_says_what_it_needs(service: str, said: str) -> None:
    with pytest.raises(UnknownGeocoder, match=said):
        open_geocoder(RouterSettings(geocoder=service), InProcessCache())


def test_any_that_needs_a_key_takes_the_one_that_is_set() -> None:
    for service in ("opencage", "tomtom", "mapbox", "maptiler"):
        assert open_geocoder(RouterSettings(geocoder=service, geocoder_key=SecretStr("a key")), InProcessCache())
