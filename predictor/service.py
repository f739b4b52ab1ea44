"""PredictionService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1 import prediction_service_pb2_grpc

from air.pollutants import FORECAST_POLLUTANTS
from mesh.access import operator_methods
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.interceptors.around import Context
from mesh.wire import (
    point_from_wire,
    pollutant_from_wire,
    pollutant_to_wire,
    status_to_wire,
    time_to_wire,
)
from predictor.freshness import answer_status, data_status
from predictor.issuing import Issuer
from predictor.points import at_points
from predictor.prediction import at_stations
from predictor.reading_stream import ReadingStream
from predictor.stream import follow
from predictor.wire import forecast_to_wire

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["PredictionService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)

_DEFAULT_HOURS: Final = 24


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers for the forecasts."""

    def __init__(
        self,
        issuer: Issuer,
        readings: ReadingStream,
        bell: Bell,
        clock: Clock,
        *,
        model_path: Path,
        heartbeat_seconds: float,
    ) -> None:
        self._issuer = issuer
        self._readings = readings
        self._bell = bell
        self._clock = clock
        self._model_path = model_path
        self._heartbeat_seconds = heartbeat_seconds

    async def PredictAirQuality(
        self,
        request: wire.PredictAirQualityRequest,
        context: Context,
    ) -> wire.PredictAirQualityResponse:
        """The hours ahead at stations or points."""
        now, newest = self._clock(), self._issuer.board.newest
        hours = request.horizon_hours if request.HasField("horizon_hours") else _DEFAULT_HOURS
        if request.station_ids:
            forecasts = at_stations(request.station_ids, newest, self._issuer.stations, now=now, hours=hours)
        else:
            forecasts = at_points([point_from_wire(point) for point in request.points], newest, now=now, hours=hours)
        wanted = {pollutant_from_wire(value) for value in request.pollutants} or set(FORECAST_POLLUTANTS)
        return wire.PredictAirQualityResponse(
            forecasts=[forecast_to_wire(forecast, wanted) for forecast in forecasts],
            data_status=status_to_wire(answer_status(self._readings.upstream, forecasts, hours=hours, now=now)),
        )

    async def StreamForecasts(
        self,
        request: wire.StreamForecastsRequest,
        context: Context,
    ) -> AsyncIterator[wire.StreamForecastsResponse]:
        """The stream, from the token on."""
        async for element in follow(self._issuer, self._bell, request.resume_token, self._heartbeat_seconds):
            board = self._issuer.board
            status = data_status(
                self._readings.upstream, board.newest_measured_at, simulated=board.simulated, now=self._clock()
            )
            yield wire.StreamForecastsResponse(
                resume_token=element.token.encode(),
                forecasts=[forecast_to_wire(forecast) for forecast in element.forecasts],
                data_status=status_to_wire(status),
            )

    async def GetModelStatus(
        self,
        request: wire.GetModelStatusRequest,
        context: Context,
    ) -> wire.GetModelStatusResponse:
        """The model in use, and what it has done."""
        board = self._issuer.board
        newest = board.newest_issue_time
        return wire.GetModelStatusResponse(
            model=self._model(),
            newest_issue_time=None if newest is None else time_to_wire(newest),
            station_count=len(board.newest),
        )

    async def ReloadModels(
        self,
        request: wire.ReloadModelsRequest,
        context: Context,
    ) -> wire.ReloadModelsResponse:
        """Reads the model file again."""
        changed = await self._issuer.reload(self._model_path)
        return wire.ReloadModelsResponse(model=self._model(), changed=changed)

    def _model(self) -> wire.Model:
        serving = self._issuer.model
        model = serving.loaded.model
        return wire.Model(
            name=model.name,
            version=serving.loaded.version,
            sha256=serving.loaded.sha256,
            loaded_at=time_to_wire(serving.loaded_at),
            pollutants=[pollutant_to_wire(pollutant) for pollutant in model.pollutants],
        )
