"""Puts the router together and runs it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cleanair.router.v1.graph_service_pb2_grpc import add_GraphServiceServicer_to_server
from cleanair.router.v1.location_service_pb2_grpc import add_LocationServiceServicer_to_server
from cleanair.router.v1.route_service_pb2_grpc import add_RouteServiceServicer_to_server

from mesh.bell import Bell
from mesh.cache import Cache, open_cache
from mesh.channel import open_channel
from mesh.database import Database, prepare
from mesh.health import UP, Health, HealthBoard, HealthState
from mesh.mesh_service import neighbour_health
from mesh.server import GrpcServer, run, serving, until_stopped
from router.machine_code import keep_machine_code
from router.settings import RouterSettings

if TYPE_CHECKING:
    from router.locations import Locations
    from router.planner import Planner
    from router.regions import Regions
    from router.workers import Workers

SERVICE: Final = "router"


async def main(settings: RouterSettings) -> None:
    """Runs the service until the process is told to stop."""
    regions, planner = await asyncio.to_thread(_streets, settings)
    await prepare(settings, SERVICE)
    database = Database.open(settings, SERVICE)
    try:
        await _serve(settings, regions, planner, database)
    finally:
        await database.close()


def _streets(settings: RouterSettings) -> tuple[Regions, Planner]:
    from router.planner import Planner
    from router.regions import NoGraph, Regions
    from router.stops import warm_up

    if settings.graph_path is None:
        raise NoGraph(
            "The router needs a street graph: make one with `cleanair graph import FILE.osm.pbf` and set"
            " CLEANAIR_GRAPH_PATH to it."
        )
    clock = settings.clock()
    planner = Planner([], stale_after=timedelta(minutes=settings.stale_after_minutes))
    regions = Regions(settings.graph_path, planner, clock=clock, hours_kept=settings.router_hours_kept)
    regions.read()
    warm_up()
    return regions, planner


def _locations(settings: RouterSettings, regions: Regions, cache: Cache, workers: Workers) -> Locations:
    from router.geocoding.opening import open_geocoder
    from router.locations import Locations
    from router.places.indexes import Indexes
    from router.places.store import places_path

    indexes = Indexes(lambda: [places_path(served.file) for served in regions.served])
    return Locations(indexes, workers, open_geocoder(settings, cache))


async def _serve(settings: RouterSettings, regions: Regions, planner: Planner, database: Database) -> None:
    from router import graph_service, location_service
    from router.forecast_stream import ForecastStream
    from router.lookahead import look_ahead
    from router.navigation_service import Guide
    from router.providers.opening import open_providers
    from router.service import FULL_NAME, RouteService
    from router.store import ForecastStore
    from router.workers import Workers

    clock, cache, news = settings.clock(), open_cache(settings), Bell()
    workers = Workers(settings.router_threads, settings.router_queue)
    locations = location_service.LocationService(_locations(settings, regions, cache, workers))

    async def look_at_graph() -> Health:
        return Health(HealthState.UP, ", ".join(region.name for region in planner.regions))

    async def look_at_database() -> Health:
        await database.ping()
        return UP

    async def look_at_cache() -> Health:
        await cache.ping()
        return UP

    async with open_channel(settings.predictor_target, settings) as channel, open_providers(settings) as providers:
        stream = ForecastStream(
            channel,
            ForecastStore(database),
            planner,
            clock=clock,
            heartbeat_seconds=settings.heartbeat_seconds,
            longest_pause_seconds=settings.reconnect_seconds,
            news=news,
        )
        health = HealthBoard(SERVICE)
        health.check("graph", look_at_graph, critical=True)
        # Routes are planned from memory: without database or cache they lack their memory of before, no more.
        health.check("database", look_at_database, critical=False)
        health.check("cache", look_at_cache, critical=False)
        health.check("forecast stream", stream.health, critical=False)
        health.upstream("predictor", neighbour_health(channel))
        operator_methods = graph_service.OPERATOR_METHODS
        server = GrpcServer(settings, port=settings.router_port, board=health, operator_methods=operator_methods)
        keep_for = timedelta(hours=settings.route_ttl_hours)
        guide = Guide(planner, workers, news, clock=clock, heartbeat_seconds=settings.heartbeat_seconds)
        server.on_drain(news.close)
        routes = RouteService(planner, cache, workers, clock=clock, keep_for=keep_for, providers=providers, guide=guide)
        server.add(add_RouteServiceServicer_to_server, routes, FULL_NAME)
        server.add(add_LocationServiceServicer_to_server, locations, location_service.FULL_NAME)
        graphs = graph_service.GraphService(regions)
        server.add(add_GraphServiceServicer_to_server, graphs, graph_service.FULL_NAME)
        try:
            await stream.restore()
            async with serving(server, stream.run(), look_ahead(planner, clock)):
                await until_stopped()
        finally:
            await cache.close()
            workers.close()


def start() -> None:
    """Runs the router's server process."""
    settings = RouterSettings()
    keep_machine_code(settings)
    run(SERVICE, settings, lambda: main(settings))
