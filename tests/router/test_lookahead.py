"""The next hour is looked at again and again, until the router stops."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from air.pollutants import Pollutant
from mesh.cancellation import end
from router.lookahead import look_ahead
from router.planner import Planner
from router.region import Region
from router.route import RouteRequest, RouteType
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")


async def test_ways_are_found_in_the_hour_that_was_made_ready_and_it_ends_when_told_to() -> None:
    planner = Planner([Region(plan([(0, 0), (1000, 0)], [Edge(0, 1)]))], stale_after=timedelta(hours=3))
    planner.know(air_of({Pollutant.NO2: 50.0}), NOW)
    before_the_hour = NOW.replace(minute=58)
    looked, times = asyncio.Event(), list[datetime]()

    def clock() -> datetime:
        times.append(before_the_hour)
        if len(times) > 1:
            asyncio.get_running_loop().call_soon(looked.set)
        return before_the_hour

    looking = asyncio.create_task(look_ahead(planner, clock, every_seconds=0.0))
    await looked.wait()
    await end(looking)
    assert looking.cancelled()
    turned = NOW.replace(minute=1) + timedelta(hours=1)
    request = RouteRequest(at(0, 0), at(1000, 0), route_types=(RouteType.HEALTHIEST,))
    (route,) = planner.plan(request, turned).routes
    assert route.length_m == pytest.approx(1000, abs=1)
