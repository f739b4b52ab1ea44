"""Follows the predictor's stream of forecasts, and keeps the planner's field as new as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import grpc
import structlog
from cleanair.predictor.v1 import forecast_pb2, prediction_service_pb2, prediction_service_pb2_grpc
from cleanair.type.v1 import pollutant_pb2

from air.pollutants import Pollutant
from air.status import DataStatus
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.health import Health, HealthState
from mesh.subscription import StreamCall, Subscription
from mesh.wire import station_from_wire, status_from_wire, time_from_wire
from router.exposure.field import AirField
from router.exposure.forecast import Quantiles, StationForecast
from router.known_air import KnownAir
from router.planner import Planner
from router.store import ForecastStore

_Element = prediction_service_pb2.StreamForecastsResponse

_NAMES: Final = {number: name for name, number in pollutant_pb2.Pollutant.items()}

_log: Final = structlog.stdlib.get_logger("forecasts")


class ForecastStream:
    """What the router knows of the air, from the store at the start and from the predictor ever after."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        store: ForecastStore,
        planner: Planner,
        *,
        clock: Clock,
        heartbeat_seconds: float,
        longest_pause_seconds: float,
        news: Bell | None = None,
    ) -> None:
        """Of the predictor behind a channel; `news` is rung when the planner knows something new."""
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._store = store
        self._planner = planner
        self._clock = clock
        self._news = news
        self._token = ""
        self._forecasts: dict[str, StationForecast] = {}
        self._subscription: Subscription[_Element] = Subscription(
            "forecasts",
            open_stream=self._open,
            load_token=self.restore,
            handle=self._handle,
            forget_token=store.forget_position,
            heartbeat_seconds=heartbeat_seconds,
            longest_pause_seconds=longest_pause_seconds,
        )

    async def run(self) -> None:
        """Follows until cancelled."""
        await self._subscription.run()

    async def restore(self) -> str:
        """Plans with what is kept, and returns the token to go on from.

        What is known is read anew whenever the stream is opened: the token may be another replica's, and stand for
        forecasts that came to it alone.
        """
        kept = await self._store.load()
        self._token = kept.resume_token
        self._forecasts = {forecast.station.station_id: forecast for forecast in kept.forecasts}
        await self._know(kept.status, self._forecasts.values())
        return kept.resume_token

    async def health(self) -> Health:
        """Degraded while the stream is down, or before the first forecast: routes are served all the same."""
        if not self._subscription.connected:
            return Health(HealthState.DEGRADED, self._subscription.trouble)
        field = self._planner.known.field
        if field is None:
            return Health(HealthState.DEGRADED, "no forecast yet")
        newest = field.newest_issue_time.isoformat(timespec="seconds")
        state = HealthState.DEGRADED if self._planner.is_stale(field, self._clock()) else HealthState.UP
        return Health(state, f"{len(field.stations)} stations, measured up to {newest}")

    def _open(self, token: str) -> StreamCall[_Element]:
        return self._stub.StreamForecasts(prediction_service_pb2.StreamForecastsRequest(resume_token=token))

    async def _handle(self, element: _Element) -> None:
        status = status_from_wire(element.data_status)
        forecasts = {forecast.station.station_id: forecast for forecast in _forecasts_from_wire(element.forecasts)}
        if not forecasts:
            await self._handle_heartbeat(element.resume_token, status)
            return
        await self._store.keep(element.resume_token, status, list(forecasts.values()))
        # Without a token this is the first element of a log, whose stations take the place of all from the log before.
        self._forecasts = {**self._forecasts, **forecasts} if self._token else forecasts
        self._token = element.resume_token
        await self._know(status, self._forecasts.values())

    async def _handle_heartbeat(self, resume_token: str, status: DataStatus) -> None:
        if resume_token == self._token and status == self._planner.known.status:
            return
        # Before a new log's first forecast, the one before is the last good one: it is not given up for nothing.
        if self._token:
            await self._store.keep(resume_token, status, ())
            self._token = resume_token
        await self._know(status, None)

    async def _know(self, status: DataStatus, forecasts: Iterable[StationForecast] | None) -> None:
        """Plans with this status and, where given, with the field of these forecasts."""
        field, now = self._planner.known.field, self._clock()

        def bring() -> None:
            self._planner.know(KnownAir(field if forecasts is None else AirField.of(forecasts), status), now)

        # Not among the requests' threads: new air must come in while they are all taken.
        await asyncio.to_thread(bring)
        if self._news is not None:
            self._news.ring()


def _forecasts_from_wire(messages: Iterable[forecast_pb2.Forecast]) -> Iterable[StationForecast]:
    """The forecasts at stations; one whose series do not fit its horizons is left out, and said so."""
    for message in messages:
        if message.WhichOneof("place") != "station":
            continue
        hours = tuple(message.horizon_hours)
        lengths = {len(values) for s in message.series for values in (s.lower, s.median, s.upper, s.mean or s.median)}
        if lengths - {len(hours)} or list(hours) != sorted(set(hours)):
            _log.error("forecast left out", station_id=message.station.station_id, horizons=len(hours))
            continue
        yield StationForecast(
            station=station_from_wire(message.station),
            issue_time=time_from_wire(message.issue_time),
            horizon_hours=hours,
            series={
                Pollutant(name): _quantiles(s)
                for s in message.series
                # Another release may know more pollutants than this one.
                if (name := _NAMES.get(s.pollutant, "")) in Pollutant.__members__
            },
        )


def _quantiles(series: forecast_pb2.ForecastSeries) -> Quantiles:
    quantiles = tuple(series.lower), tuple(series.median), tuple(series.upper)
    # An older predictor tells no mean.
    return Quantiles(*quantiles, tuple(series.mean)) if series.mean else Quantiles.without_mean(*quantiles)
