"""Servers of the real contracts to stand behind the gateway: they say what they saw of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2
from cleanair.predictor.v1 import prediction_service_pb2 as predictor
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.router.v1 import (
    graph_service_pb2,
    graph_service_pb2_grpc,
    location_service_pb2,
    location_service_pb2_grpc,
    navigation_pb2,
    route_pb2,
    route_service_pb2_grpc,
    stops_pb2,
)
from cleanair.router.v1 import route_service_pb2 as router
from cleanair.type.v1 import station_pb2
from google.api.httpbody_pb2 import HttpBody

from mesh.errors import InvalidInput, NotFound
from mesh.health import HealthBoard
from mesh.interceptors.around import Context
from mesh.server import GrpcServer, serving
from mesh.settings import MeshSettings

KEY = "a-key-for-operators-only"


@dataclass(frozen=True, slots=True)
class Call:
    """What a server saw of one call."""

    rpc: str
    metadata: dict[str, str | bytes]
    seconds_left: float | None


@dataclass(slots=True)
class Witness:
    """The calls that arrived, and events that tests wait for."""

    calls: list[Call] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """An endless call of GetRoute is being served."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """It has been given up."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets a held call of GetRoute end."""
    unavailable: int = 0
    """How many of the next calls of GetRoute end as UNAVAILABLE."""

    def see(self, rpc: str, context: Context) -> None:
        metadata = dict(context.invocation_metadata() or ())
        self.calls.append(Call(rpc, metadata, context.time_remaining()))

    @property
    def last(self) -> Call:
        return self.calls[-1]


class SameEnds(InvalidInput):
    reason = "SAME_ENDS"


class Ingestion(ingestion_service_pb2_grpc.IngestionServiceServicer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def CollectAirQuality(
        self, request: ingestion.CollectAirQualityRequest, context: Context
    ) -> ingestion.CollectAirQualityResponse:
        self._witness.see("CollectAirQuality", context)
        return ingestion.CollectAirQualityResponse(new_count=25)

    async def CollectWeather(
        self, request: ingestion.CollectWeatherRequest, context: Context
    ) -> ingestion.CollectWeatherResponse:
        self._witness.see("CollectWeather", context)
        return ingestion.CollectWeatherResponse()

    async def CollectBulletins(
        self, request: ingestion.CollectBulletinsRequest, context: Context
    ) -> ingestion.CollectBulletinsResponse:
        self._witness.see("CollectBulletins", context)
        return ingestion.CollectBulletinsResponse()

    async def ValidateReadings(
        self, request: ingestion.ValidateReadingsRequest, context: Context
    ) -> ingestion.ValidateReadingsResponse:
        self._witness.see("ValidateReadings", context)
        return ingestion.ValidateReadingsResponse()

    async def ListReadings(
        self, request: ingestion.ListReadingsRequest, context: Context
    ) -> ingestion.ListReadingsResponse:
        self._witness.see("ListReadings", context)
        reading = reading_pb2.Reading(
            station=station_pb2.Station(station_id="중구", display_name="중구"), pm25_ug_m3=0.0, air_quality_index=42
        )
        return ingestion.ListReadingsResponse(readings=[reading] * (request.page_size or 1))

    async def StreamReadings(
        self, request: ingestion.StreamReadingsRequest, context: Context
    ) -> AsyncIterator[ingestion.StreamReadingsResponse]:
        self._witness.see("StreamReadings", context)
        yield ingestion.StreamReadingsResponse()


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def PredictAirQuality(
        self, request: predictor.PredictAirQualityRequest, context: Context
    ) -> predictor.PredictAirQualityResponse:
        self._witness.see("PredictAirQuality", context)
        return predictor.PredictAirQualityResponse()

    async def StreamForecasts(
        self, request: predictor.StreamForecastsRequest, context: Context
    ) -> AsyncIterator[predictor.StreamForecastsResponse]:
        self._witness.see("StreamForecasts", context)
        for token in ("1", "2", "3"):
            yield predictor.StreamForecastsResponse(resume_token=token)

    async def ListCachedPredictions(
        self, request: predictor.ListCachedPredictionsRequest, context: Context
    ) -> predictor.ListCachedPredictionsResponse:
        self._witness.see("ListCachedPredictions", context)
        return predictor.ListCachedPredictionsResponse(hits=3)

    async def GetPerformancePage(self, request: predictor.GetPerformancePageRequest, context: Context) -> HttpBody:
        self._witness.see("GetPerformancePage", context)
        return HttpBody(content_type="text/html", data=b"<p>seen</p>")

    async def SetModelAlias(
        self, request: predictor.SetModelAliasRequest, context: Context
    ) -> predictor.SetModelAliasResponse:
        self._witness.see("SetModelAlias", context)
        return predictor.SetModelAliasResponse()

    async def GetModelStatus(
        self, request: predictor.GetModelStatusRequest, context: Context
    ) -> predictor.GetModelStatusResponse:
        self._witness.see("GetModelStatus", context)
        return predictor.GetModelStatusResponse(station_count=25)

    async def ReloadModels(
        self, request: predictor.ReloadModelsRequest, context: Context
    ) -> predictor.ReloadModelsResponse:
        self._witness.see("ReloadModels", context)
        return predictor.ReloadModelsResponse(changed=True)


class Routes(route_service_pb2_grpc.RouteServiceServicer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def CalculateRoutes(
        self, request: router.CalculateRoutesRequest, context: Context
    ) -> router.CalculateRoutesResponse:
        self._witness.see("CalculateRoutes", context)
        if request.origin == request.destination:
            raise SameEnds("destination is the same place as origin", field="destination")
        routes = [route_pb2.Route(route_id=f"r{kind}", route_type=kind) for kind in request.route_types]
        return router.CalculateRoutesResponse(routes=routes, graph="seen")

    async def GetRoute(self, request: router.GetRouteRequest, context: Context) -> router.GetRouteResponse:
        self._witness.see("GetRoute", context)
        if self._witness.unavailable:
            self._witness.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "busy")
        match request.route_id:
            case "missing":
                raise NotFound("no such route: it was never calculated, or more than a day ago", field="route_id")
            case "crash":
                raise ValueError("secret-db-password")
            case "held":
                self._witness.begun.set()
                await self._witness.released.wait()
            case "endless":
                self._witness.begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self._witness.cancelled.set()
        return router.GetRouteResponse(route=route_pb2.Route(route_id=request.route_id), graph="seen")

    async def OptimizeRoute(
        self, request: stops_pb2.OptimizeRouteRequest, context: Context
    ) -> stops_pb2.OptimizeRouteResponse:
        self._witness.see("OptimizeRoute", context)
        return stops_pb2.OptimizeRouteResponse()

    async def Navigate(
        self, request_iterator: AsyncIterator[navigation_pb2.NavigateRequest], context: Context
    ) -> AsyncIterator[navigation_pb2.NavigateResponse]:
        self._witness.see("Navigate", context)
        async for request in request_iterator:
            away = request.position.accuracy_meters
            yield navigation_pb2.NavigateResponse(
                progress=navigation_pb2.NavigateResponse.Progress(distance_left_meters=away)
            )


class Locations(location_service_pb2_grpc.LocationServiceServicer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def SearchLocations(
        self, request: location_service_pb2.SearchLocationsRequest, context: Context
    ) -> location_service_pb2.SearchLocationsResponse:
        self._witness.see("SearchLocations", context)
        return location_service_pb2.SearchLocationsResponse()

    async def ReverseGeocode(
        self, request: location_service_pb2.ReverseGeocodeRequest, context: Context
    ) -> location_service_pb2.ReverseGeocodeResponse:
        self._witness.see("ReverseGeocode", context)
        return location_service_pb2.ReverseGeocodeResponse(street=f"{request.point.latitude:g}")


class Graphs(graph_service_pb2_grpc.GraphServiceServicer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def ListGraphs(
        self, request: graph_service_pb2.ListGraphsRequest, context: Context
    ) -> graph_service_pb2.ListGraphsResponse:
        self._witness.see("ListGraphs", context)
        return graph_service_pb2.ListGraphsResponse()

    async def ReloadGraphs(
        self, request: graph_service_pb2.ReloadGraphsRequest, context: Context
    ) -> graph_service_pb2.ReloadGraphsResponse:
        self._witness.see("ReloadGraphs", context)
        return graph_service_pb2.ReloadGraphsResponse()


@dataclass(frozen=True, slots=True)
class Peers:
    """The three servers' targets, and what they saw."""

    ingestion: str
    predictor: str
    router: str
    witness: Witness


@asynccontextmanager
async def peers(settings: MeshSettings) -> AsyncIterator[Peers]:
    """Starts the three on free ports."""
    witness = Witness()
    servers = {
        name: GrpcServer(settings, port=0, board=HealthBoard(name)) for name in ("ingestion", "predictor", "router")
    }
    servers["ingestion"].add(
        ingestion_service_pb2_grpc.add_IngestionServiceServicer_to_server,
        Ingestion(witness),  # type: ignore[abstract] # it answers what is asked through the gateway here
        "cleanair.ingestion.v1.IngestionService",
    )
    servers["predictor"].add(
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server,
        Prediction(witness),
        "cleanair.predictor.v1.PredictionService",
    )
    servers["router"].add(
        route_service_pb2_grpc.add_RouteServiceServicer_to_server,
        Routes(witness),
        "cleanair.router.v1.RouteService",
    )
    servers["router"].add(
        location_service_pb2_grpc.add_LocationServiceServicer_to_server,
        Locations(witness),
        "cleanair.router.v1.LocationService",
    )
    servers["router"].add(
        graph_service_pb2_grpc.add_GraphServiceServicer_to_server, Graphs(witness), "cleanair.router.v1.GraphService"
    )
    async with AsyncExitStack() as stack:
        targets = {
            name: f"127.0.0.1:{await stack.enter_async_context(serving(server))}" for name, server in servers.items()
        }
        yield Peers(**targets, witness=witness)
