"""A left neighbour that streams what a test writes into its log, over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cleanair.predictor.v1 import forecast_pb2, prediction_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from google.api.httpbody_pb2 import HttpBody

from air.status import DataStatus
from mesh.bell import Bell
from mesh.health import HealthBoard
from mesh.interceptors.around import Context
from mesh.resume_token import ResumeToken
from mesh.server import GrpcServer, serving
from mesh.settings import MeshSettings
from mesh.wire import pollutant_to_wire, station_to_wire, status_to_wire, time_to_wire
from router.exposure.forecast import StationForecast


class ScriptedPredictor(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Serves its log from the token on; `asked` are the tokens that clients came with, `sent` what went out."""

    def __init__(self, epoch: str = "00000000000000aa") -> None:
        self.epoch = epoch
        self.status = DataStatus()
        self.log: list[list[forecast_pb2.Forecast]] = []
        self.asked: list[str] = []
        self.sent: list[int] = []
        self.bell = Bell()

    def issue(self, *forecasts: StationForecast | forecast_pb2.Forecast) -> None:
        """One more element of the stream."""
        messages = [f if isinstance(f, forecast_pb2.Forecast) else forecast_to_wire(f) for f in forecasts]
        self.log.append(messages)
        self.bell.ring()

    async def StreamForecasts(
        self, request: wire.StreamForecastsRequest, context: Context
    ) -> AsyncIterator[wire.StreamForecastsResponse]:
        self.asked.append(request.resume_token)
        position = ResumeToken.position(request.resume_token, self.epoch)
        while not self.bell.closed:
            rings = self.bell.rings
            elements = self.log[position:] or [[]]
            for forecasts in elements:
                position += bool(forecasts)
                self.sent.append(position)
                yield wire.StreamForecastsResponse(
                    resume_token=ResumeToken(self.epoch, position).encode(),
                    forecasts=forecasts,
                    data_status=status_to_wire(self.status),
                )
            await self.bell.wait(rings, 0.2)

    async def PredictAirQuality(
        self, request: wire.PredictAirQualityRequest, context: Context
    ) -> wire.PredictAirQualityResponse:
        raise AssertionError

    async def ListCachedPredictions(
        self, request: wire.ListCachedPredictionsRequest, context: Context
    ) -> wire.ListCachedPredictionsResponse:
        raise AssertionError

    async def GetPerformancePage(self, request: wire.GetPerformancePageRequest, context: Context) -> HttpBody:
        raise AssertionError

    async def SetModelAlias(self, request: wire.SetModelAliasRequest, context: Context) -> wire.SetModelAliasResponse:
        raise AssertionError

    async def GetModelStatus(
        self, request: wire.GetModelStatusRequest, context: Context
    ) -> wire.GetModelStatusResponse:
        raise AssertionError

    async def ReloadModels(self, request: wire.ReloadModelsRequest, context: Context) -> wire.ReloadModelsResponse:
        raise AssertionError


def forecast_to_wire(forecast: StationForecast) -> forecast_pb2.Forecast:
    """A station's forecast as the predictor sends it."""
    return forecast_pb2.Forecast(
        station=station_to_wire(forecast.station),
        issue_time=time_to_wire(forecast.issue_time),
        model_version="scripted-1",
        horizon_hours=forecast.horizon_hours,
        series=[
            forecast_pb2.ForecastSeries(
                pollutant=pollutant_to_wire(pollutant), lower=s.lower, median=s.median, upper=s.upper, mean=s.mean
            )
            for pollutant, s in forecast.series.items()
        ],
    )


@asynccontextmanager
async def served(predictor: ScriptedPredictor, settings: MeshSettings, port: int = 0) -> AsyncIterator[int]:
    """Serves the predictor, and yields its port."""
    server = GrpcServer(settings, port=port, board=HealthBoard("predictor"))
    server.add(
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server,
        predictor,
        wire.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    )
    server.on_drain(predictor.bell.close)
    async with serving(server) as bound:
        yield bound
