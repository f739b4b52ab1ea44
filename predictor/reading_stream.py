"""Follows ingestion's stream of readings and hands each element to the issuer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import reading_pb2
from cleanair.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub

from air.status import DataStatus, State
from mesh.health import UP, Health, HealthState
from mesh.subscription import Subscription
from mesh.wire import station_from_wire, status_from_wire, time_from_wire, time_to_wire
from predictor.issuing import Issuer
from predictor.window import Reading

NAME: Final = "readings"


class ReadingStream:
    """The predictor's side of `IngestionService.StreamReadings`.

    Args:
        channel: To ingestion.
        issuer: Who takes the readings.
        heartbeat_seconds: The longest silence that ingestion promises.
        longest_pause_seconds: The longest time until a broken stream is opened again.
        lateness: What to say of data beside the readings that are late; empty while they are not.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        issuer: Issuer,
        *,
        heartbeat_seconds: float,
        longest_pause_seconds: float,
        lateness: Callable[[], str] = str,
    ) -> None:
        self._stub = IngestionServiceStub(channel)
        self._issuer = issuer
        self._lateness = lateness
        self._said: DataStatus | None = None
        self._subscription: Subscription[wire.StreamReadingsResponse] = Subscription(
            NAME,
            open_stream=self._open,
            load_token=issuer.reading_token,
            handle=self._handle,
            forget_token=issuer.start_over,
            heartbeat_seconds=heartbeat_seconds,
            longest_pause_seconds=longest_pause_seconds,
        )

    @property
    def upstream(self) -> DataStatus | None:
        """What ingestion last said of its readings, and what else is late; None while there is no connection to it."""
        if self._said is None or not self._subscription.connected:
            return None
        late = self._lateness()
        return self._said.worsened(State.STALE, late) if late else self._said

    async def run(self) -> None:
        """Follows until cancelled."""
        await self._subscription.run()

    def health(self) -> Health:
        """Whether the stream is open."""
        if self._subscription.connected:
            return UP
        return Health(HealthState.DEGRADED, self._subscription.trouble)

    def _open(self, token: str) -> grpc.aio.UnaryStreamCall[wire.StreamReadingsRequest, wire.StreamReadingsResponse]:
        # Older readings are of no use, also after a long time away.
        start = time_to_wire(self._issuer.window_start)
        return self._stub.StreamReadings(wire.StreamReadingsRequest(resume_token=token, measured_after=start))

    async def _handle(self, element: wire.StreamReadingsResponse) -> None:
        # Before the forecasts that come of it are told: they are told with it.
        self._said = status_from_wire(element.data_status)
        await self._issuer.take([reading_from_wire(reading) for reading in element.readings], element.resume_token)


def reading_from_wire(message: reading_pb2.Reading) -> Reading:
    """A reading from its message; what forecasts are made from, and no more."""
    return Reading(
        station=station_from_wire(message.station),
        measured_at=time_from_wire(message.measured_at),
        values=(
            message.pm25_ug_m3 if message.HasField("pm25_ug_m3") else None,
            message.pm10_ug_m3 if message.HasField("pm10_ug_m3") else None,
            message.o3_ppm if message.HasField("o3_ppm") else None,
            message.no2_ppm if message.HasField("no2_ppm") else None,
            message.co_ppm if message.HasField("co_ppm") else None,
            message.so2_ppm if message.HasField("so2_ppm") else None,
        ),
        revision=message.revision,
    )
