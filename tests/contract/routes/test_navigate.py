"""Navigate as a traveller sees it: a way, progress, a new way, advice when the air changes, the arrival."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from cleanair.router.v1 import navigation_pb2 as wire
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc, traveller_pb2
from cleanair.type.v1 import data_status_pb2

from air.pollutants import Pollutant
from mesh.bell import Bell
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire, time_to_wire
from router.navigation_service import Guide
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.contract.refusal import refusal_of
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import at
from tests.router.test_navigation import road_and_park

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"
Response = wire.NavigateResponse

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
EVERY = timedelta(seconds=10)
INVALID = grpc.StatusCode.INVALID_ARGUMENT
# Next to no NO2, and so the road; then the street's own air, and so the park.
ROAD, PARK = air_of({NO2: 0.1, PM25: 60.0}), air_of({NO2: 150.0, PM25: 1.0})


class World:
    """What a test may turn: the clock, and the air."""

    def __init__(self) -> None:
        self.now = NOW
        self.news = Bell()
        self.planner = Planner([Region(road_and_park(16))], stale_after=timedelta(hours=3))
        self.planner.know(ROAD, NOW)

    def clock(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def as_at_first(world: World) -> None:
    world.now = NOW
    world.planner.know(ROAD, NOW)


@pytest.fixture(scope="module")
async def grpc_servicer(world: World) -> AsyncIterator[RouteService]:
    workers = Workers(2, 64)
    guide = Guide(world.planner, workers, world.news, clock=world.clock, heartbeat_seconds=0.2)
    yield RouteService(
        world.planner, InProcessCache(), workers, clock=world.clock, keep_for=timedelta(days=1), guide=guide
    )
    workers.close()


def journey(east_m: float = 4100, north_m: float = 0, **said: object) -> wire.NavigateRequest:
    asked = wire.Journey(origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(east_m, north_m)), **said)  # type: ignore[arg-type]
    return wire.NavigateRequest(journey=asked)


def position(east_m: float, north_m: float = 0, **said: object) -> wire.NavigateRequest:
    return wire.NavigateRequest(position=wire.Position(point=point_to_wire(at(east_m, north_m)), **said))  # type: ignore[arg-type]


class Ride:
    """A traveller's end of a stream."""

    def __init__(self, stub: Stub, world: World) -> None:
        self._world = world
        self.call = stub.Navigate()

    async def say(self, request: wire.NavigateRequest) -> Response:
        """What is answered, ten seconds later."""
        self._world.now += EVERY
        await self.call.write(request)
        return await self.hear()

    async def hear(self) -> Response:
        """The next that is no heartbeat."""
        while True:
            response = await self.call.read()
            assert isinstance(response, Response)
            if response.WhichOneof("event") is not None:
                return response


async def test_a_walk_with_noise_progresses_and_arrives(grpc_stub: Stub, world: World) -> None:
    chance = np.random.default_rng(2)
    ride = Ride(grpc_stub, world)
    begun = await ride.say(journey(600))
    assert begun.new_route.reason == Response.JOURNEY
    assert begun.new_route.route.distance_meters == pytest.approx(600, abs=0.5)
    assert begun.new_route.route.steps[-1].maneuver == route_pb2.Step.ARRIVE
    assert begun.new_route.route.route_id == ""
    assert begun.data_status.state == data_status_pb2.DataStatus.FRESH
    left = []
    response = begun
    for east in range(13, 600, 13):
        off_east, off_north = chance.uniform(-30, 30, 2)
        response = await ride.say(position(east + off_east, off_north, accuracy_meters=20))
        if response.HasField("arrival"):
            break
        left.append(response.progress.distance_left_meters)
    assert left == sorted(left, reverse=True)
    assert left[0] > 500
    assert len(left) > 35
    assert response.arrival.duration.ToTimedelta() == EVERY * (len(left) + 1)
    doses = {dose.pollutant: dose for dose in response.arrival.doses}
    planned = {dose.pollutant: dose for dose in begun.new_route.route.doses}
    assert set(doses) == set(planned)
    for pollutant, dose in doses.items():
        assert dose.dose_ug == pytest.approx(planned[pollutant].dose_ug, rel=0.1)
        assert dose.dose_lower_ug < dose.dose_ug < dose.dose_upper_ug
    await ride.call.done_writing()
    assert await ride.call.code() == grpc.StatusCode.OK


async def test_progress_says_what_to_do_next(grpc_stub: Stub, world: World) -> None:
    ride = Ride(grpc_stub, world)
    begun = await ride.say(journey(350, 100, language_code="ko"))
    progress = (await ride.say(position(50, 5))).progress
    assert progress.next_step == begun.new_route.route.steps[1]
    assert progress.next_step.instruction
    assert progress.off_route_meters == pytest.approx(5, abs=0.5)
    assert progress.duration_left.ToTimedelta().total_seconds() > 250
    ride.call.cancel()


async def test_one_who_leaves_the_way_gets_another(grpc_stub: Stub, world: World) -> None:
    ride = Ride(grpc_stub, world)
    await ride.say(journey())
    assert (await ride.say(position(80))).HasField("progress")
    found = (await ride.say(position(225, 95))).new_route
    assert found.reason == Response.DEVIATION
    assert found.route.start.latitude == pytest.approx(at(0, 100).latitude, abs=1e-5)
    assert (await ride.hear()).progress.distance_left_meters == pytest.approx(found.route.distance_meters, abs=1)
    ride.call.cancel()


async def test_when_the_air_changes_a_cleaner_way_is_advised(grpc_stub: Stub, world: World) -> None:
    ride = Ride(grpc_stub, world)
    await ride.say(journey(least_saving_fraction=0.1))
    await ride.say(position(50))
    await asyncio.to_thread(world.planner.know, PARK, NOW)
    world.news.ring()
    advice = (await ride.hear()).advice
    assert advice.route.route_type == route_pb2.Route.HEALTHIEST
    assert advice.compared_to_followed.dose_saved_fraction > 0.1
    assert advice.compared_to_followed.difference == route_pb2.MEANINGFUL_DIFFERENCE
    assert advice.compared_to_followed.added_distance_meters == pytest.approx(200, abs=1)
    # It is followed only when that is asked for.
    assert (await ride.say(position(100))).progress.distance_left_meters == pytest.approx(4000, abs=1)
    again = await ride.say(journey())
    assert again.new_route.route.distance_meters == pytest.approx(4300, abs=1)
    ride.call.cancel()


async def test_in_between_there_are_heartbeats(grpc_stub: Stub, world: World) -> None:
    ride = Ride(grpc_stub, world)
    await ride.say(journey(traveller=traveller_pb2.Traveller(conditions=[traveller_pb2.Traveller.ASTHMA])))
    heartbeat = await ride.call.read()
    assert isinstance(heartbeat, Response)
    assert heartbeat.WhichOneof("event") is None
    assert heartbeat.data_status.simulated
    ride.call.cancel()


async def test_of_many_positions_at_once_the_newest_counts(grpc_stub: Stub, world: World) -> None:
    ride = Ride(grpc_stub, world)
    await ride.say(journey())
    world.now += timedelta(hours=1)
    for east in range(0, 4000, 20):
        await ride.call.write(position(east, time=time_to_wire(NOW + timedelta(seconds=east))))
    left = (await ride.hear()).progress.distance_left_meters
    answers = 1
    while left > 121:
        left = (await ride.hear()).progress.distance_left_meters
        answers += 1
    assert left == pytest.approx(120, abs=1)
    assert answers < 200
    ride.call.cancel()


REFUSED = {
    "a position before a journey": ([position(0)], "JOURNEY_FIRST", "position"),
    "nothing": ([wire.NavigateRequest()], "INVALID_INPUT", "message"),
    "no destination": (
        [wire.NavigateRequest(journey=wire.Journey(origin=point_to_wire(at(0, 0))))],
        "INVALID_INPUT",
        "journey.destination",
    ),
    "a destination off the graph": ([journey(0, -900)], "POINT_OFF_GRAPH", "journey.destination"),
    "alternatives": ([journey(route_type=route_pb2.Route.ALTERNATIVE)], "INVALID_INPUT", "journey.route_type"),
    "any saving": ([journey(least_saving_fraction=1.0)], "INVALID_INPUT", "journey.least_saving_fraction"),
    "a position nowhere": (
        [journey(), wire.NavigateRequest(position=wire.Position())],
        "INVALID_INPUT",
        "position.point",
    ),
    "a radius below zero": ([journey(), position(0, accuracy_meters=-1)], "INVALID_INPUT", "position.accuracy_meters"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_bad_input(grpc_stub: Stub, case: str) -> None:
    requests, reason, field = REFUSED[case]
    call = grpc_stub.Navigate(iter(requests))

    async def read() -> None:
        async for _ in call:
            pass

    refused = await refusal_of(read())
    assert (refused.code, refused.reason, refused.fields) == (INVALID, reason, (field,))


async def test_who_hangs_up_is_forgotten(grpc_stub: Stub, world: World) -> None:
    before = len(asyncio.all_tasks())
    rides = [Ride(grpc_stub, world) for _ in range(3)]
    for ride in rides:
        await ride.say(journey())
    assert len(asyncio.all_tasks()) > before
    for ride in rides:
        ride.call.cancel()
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells when a task of the server has ended
            await asyncio.sleep(0.01)


async def test_who_falls_silent_is_no_longer_waited_for(world: World) -> None:
    async def said() -> AsyncIterator[wire.NavigateRequest]:
        yield journey()
        await asyncio.Event().wait()

    workers = Workers(1, 1)
    guide = Guide(
        world.planner,
        workers,
        world.news,
        clock=world.clock,
        heartbeat_seconds=0.05,
        longest_silence_seconds=0.2,
    )
    async with asyncio.timeout(10):
        heard = [response.WhichOneof("event") async for response in guide.follow(said())]
    workers.close()
    assert heard[0] == "new_route"
    assert set(heard[1:]) == {None}


async def test_a_draining_server_ends_journeys(grpc_stub: Stub, world: World) -> None:
    """Last: the bell stays closed."""
    ride = Ride(grpc_stub, world)
    await ride.say(journey())
    world.news.close()
    async with asyncio.timeout(10):
        while await ride.call.read() != grpc.aio.EOF:
            pass
    assert await ride.call.code() == grpc.StatusCode.OK
