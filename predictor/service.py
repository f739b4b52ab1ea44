"""PredictionService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from google.api import httpbody_pb2

from air.pollutants import FORECAST_POLLUTANTS
from mesh.access import operator_methods
from mesh.bell import Bell
from mesh.interceptors.around import Context
from mesh.wire import (
    point_from_wire,
    pollutant_from_wire,
    status_to_wire,
    time_to_wire,
)
from predictor.answering import Answers
from predictor.issuing import Issuer, ServingModel
from predictor.kept_listing import KeptQuestion
from predictor.monitoring.monitor import Monitor
from predictor.monitoring.page_words import words_for
from predictor.monitoring.performance_page import Asked, Performance, performance_page
from predictor.monitoring.scores import Score
from predictor.monitoring_wire import score_to_wire
from predictor.prediction import UnknownStation
from predictor.registry_entry import Alias
from predictor.registry_wire import model_to_wire, registered_to_wire
from predictor.stream import follow
from predictor.succession import Succession
from predictor.wire import forecasts_to_wire, kept_to_wire

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["PredictionService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)

_DEFAULT_HOURS: Final = 24
_DEFAULT_DAYS: Final = 30


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers for the forecasts."""

    def __init__(
        self,
        issuer: Issuer,
        answers: Answers,
        succession: Succession,
        monitor: Monitor,
        bell: Bell,
        *,
        heartbeat_seconds: float,
    ) -> None:
        self._issuer = issuer
        self._answers = answers
        self._succession = succession
        self._monitor = monitor
        self._bell = bell
        self._heartbeat_seconds = heartbeat_seconds

    async def PredictAirQuality(
        self,
        request: wire.PredictAirQualityRequest,
        context: Context,
    ) -> wire.PredictAirQualityResponse:
        """The hours ahead at stations or points."""
        hours = request.horizon_hours if request.HasField("horizon_hours") else _DEFAULT_HOURS
        if request.station_ids:
            forecasts = self._answers.at_stations(request.station_ids, hours)
        else:
            forecasts = await self._answers.at_points([point_from_wire(point) for point in request.points], hours)
        wanted = {pollutant_from_wire(value) for value in request.pollutants} or set(FORECAST_POLLUTANTS)
        return wire.PredictAirQualityResponse(
            forecasts=await asyncio.to_thread(forecasts_to_wire, forecasts, wanted),
            data_status=status_to_wire(self._answers.status_of(forecasts, hours)),
        )

    async def StreamForecasts(
        self,
        request: wire.StreamForecastsRequest,
        context: Context,
    ) -> AsyncIterator[wire.StreamForecastsResponse]:
        """The stream, from the token on."""
        async for element in follow(self._issuer, self._bell, request.resume_token, self._heartbeat_seconds):
            yield wire.StreamForecastsResponse(
                resume_token=element.token.encode(),
                forecasts=await asyncio.to_thread(forecasts_to_wire, element.forecasts),
                data_status=status_to_wire(self._answers.status()),
            )

    async def ListCachedPredictions(
        self,
        request: wire.ListCachedPredictionsRequest,
        context: Context,
    ) -> wire.ListCachedPredictionsResponse:
        """A page of the forecasts that are ready."""
        page = await self._answers.kept(KeptQuestion(request.station_id, request.page_size, request.page_token))
        return wire.ListCachedPredictionsResponse(
            predictions=map(kept_to_wire, page.forecasts),
            next_page_token=page.next_page_token,
            total_size=page.total,
            hits=self._answers.hits,
            misses=self._answers.misses,
        )

    async def GetModelStatus(
        self,
        request: wire.GetModelStatusRequest,
        context: Context,
    ) -> wire.GetModelStatusResponse:
        """The model in use, and what it has done."""
        board, registry = self._issuer.board, self._succession.registry
        newest, calibrated_until = board.newest_issue_time, self._issuer.calibrated_until
        champion, baseline, challenger = self._issuer.model, self._issuer.baseline, self._issuer.challenger
        in_service = [one for one in (champion, baseline, challenger) if one is not None]
        registered = registered_to_wire(
            await registry.models(),
            await registry.aliases(),
            registry.loaded,
            {one.loaded.sha256: one.loaded_at for one in in_service},
        )
        return wire.GetModelStatusResponse(
            model=_in_service(champion),
            newest_issue_time=None if newest is None else time_to_wire(newest),
            station_count=len(board.newest),
            challenger=None if challenger is None else _in_service(challenger),
            baseline=_in_service(baseline),
            registered=registered,
            scores=[score_to_wire(score) for score in await self._scores(request)],
            fallback=self._issuer.verdict.fallback,
            alerts=[*registry.alerts, *self._issuer.verdict.alerts],
            calibrated_until=None if calibrated_until is None else time_to_wire(calibrated_until),
        )

    async def _scores(self, asked: wire.GetModelStatusRequest | wire.GetPerformancePageRequest) -> Sequence[Score]:
        """Of the days and the station asked for, by version, pollutant and horizon. Raises UnknownStation."""
        if asked.station_id and asked.station_id not in self._issuer.stations:
            raise UnknownStation(f"no station is called {asked.station_id!r}", field="station_id")
        newest = self._issuer.board.newest_issue_time
        if newest is None:
            return []
        days = asked.days if asked.HasField("days") else _DEFAULT_DAYS
        return await self._monitor.scores(self._issuer.in_service, newest, days=days, station_id=asked.station_id)

    async def GetPerformancePage(
        self,
        request: wire.GetPerformancePageRequest,
        context: Context,
    ) -> httpbody_pb2.HttpBody:
        """The scores as a page."""
        issuer = self._issuer
        in_service = [one for one in (issuer.model, issuer.baseline, issuer.challenger) if one is not None]
        shown = Performance(
            models=issuer.in_service,
            since={one.loaded.version: one.loaded_at for one in in_service},
            scores=await self._scores(request),
            stations={station_id: station.display_name for station_id, station in issuer.stations.items()},
            alerts=[*self._succession.registry.alerts, *issuer.verdict.alerts],
            newest_issue_time=issuer.board.newest_issue_time,
            calibrated_until=issuer.calibrated_until,
        )
        asked = Asked(request.station_id, request.days if request.HasField("days") else _DEFAULT_DAYS)
        accepted = dict(context.invocation_metadata() or ()).get("accept-language", "")
        page = await asyncio.to_thread(performance_page, shown, asked, words_for(str(accepted)))
        return httpbody_pb2.HttpBody(content_type="text/html; charset=utf-8", data=page.encode())

    async def SetModelAlias(
        self,
        request: wire.SetModelAliasRequest,
        context: Context,
    ) -> wire.SetModelAliasResponse:
        """Names a champion or a challenger."""
        is_champion = request.alias == wire.SetModelAliasRequest.CHAMPION
        await self._succession.name(Alias.CHAMPION if is_champion else Alias.CHALLENGER, request.version)
        challenger = self._issuer.challenger
        return wire.SetModelAliasResponse(
            champion=_in_service(self._issuer.model),
            challenger=None if challenger is None else _in_service(challenger),
        )

    async def ReloadModels(
        self,
        request: wire.ReloadModelsRequest,
        context: Context,
    ) -> wire.ReloadModelsResponse:
        """Reads the model files again."""
        reloaded = await self._succession.reload()
        return wire.ReloadModelsResponse(
            model=_in_service(self._issuer.model), changed=reloaded.changed, versions=reloaded.versions
        )


def _in_service(serving: ServingModel) -> wire.Model:
    return model_to_wire(serving.loaded, serving.loaded_at)
