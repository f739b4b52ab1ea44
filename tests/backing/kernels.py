"""Machine code for the tests that plan routes."""

from __future__ import annotations

from datetime import timedelta


def compile_router() -> None:
    """Has all compiled that routes need: where nothing is yet, that takes longer than a test or a call may."""
    from router.planner import Planner
    from router.region import Region
    from router.route_wire import warm_up
    from tests.router.air_plan import NOW
    from tests.router.street_plan import Edge, plan

    streets = plan([(0, 0), (100, 0), (100, 100)], [Edge(0, 1), Edge(1, 2)])
    Planner([], stale_after=timedelta(hours=3)).try_out(Region(streets), NOW)
    warm_up()
