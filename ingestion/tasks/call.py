"""A worker's calls of ingestion: plain and synchronous, each with a deadline, the operator's key and the task's id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from pydantic import SecretStr

from ingestion.settings import WorkerSettings
from mesh import request_id
from mesh.errors import FailedPrecondition
from mesh.interceptors.operator_key import METADATA_KEY
from mesh.wire import time_to_wire

Answer: TypeAlias = (
    wire.CollectAirQualityResponse
    | wire.CollectWeatherResponse
    | wire.CollectBulletinsResponse
    | wire.ValidateReadingsResponse
)

_SERVICE_CONFIG: Final = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
_WEATHER: Final = "kma"
_BULLETINS: Final = "bulletins"


class NoOperatorKey(FailedPrecondition):
    """A worker calls as an operator does."""

    reason = "NO_OPERATOR_KEY"

    def __init__(self) -> None:
        super().__init__("workers call as operators do: set CLEANAIR_OPERATOR_API_KEY to the mesh's operator key")


@dataclass(frozen=True, slots=True)
class Ingestion:
    """The ingestion service as a worker sees it. All calls raise grpc.RpcError."""

    stub: ingestion_service_pb2_grpc.IngestionServiceStub
    key: SecretStr
    deadline_seconds: float

    @classmethod
    def open(cls, settings: WorkerSettings) -> Ingestion:
        """A channel that lasts as long as the process. Raises NoOperatorKey."""
        if settings.operator_api_key is None:
            raise NoOperatorKey
        channel = grpc.insecure_channel(
            settings.ingestion_target,
            options=[
                ("grpc.service_config", _SERVICE_CONFIG),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 5_000),
                ("grpc.max_reconnect_backoff_ms", 5_000),
            ],
        )
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        return cls(stub, settings.operator_api_key, settings.worker_deadline_seconds)

    def collect(self, feed: str, slot: datetime, identity: str) -> Answer:
        """Has a feed collected for a slot, unless it has been."""
        metadata, timeout, slot_time = self._metadata(identity), self.deadline_seconds, time_to_wire(slot)
        if feed == _WEATHER:
            weather = wire.CollectWeatherRequest(slot_time=slot_time)
            return self.stub.CollectWeather(weather, timeout=timeout, metadata=metadata)
        if feed == _BULLETINS:
            bulletins = wire.CollectBulletinsRequest(slot_time=slot_time)
            return self.stub.CollectBulletins(bulletins, timeout=timeout, metadata=metadata)
        readings = wire.CollectAirQualityRequest(feed=feed, slot_time=slot_time)
        return self.stub.CollectAirQuality(readings, timeout=timeout, metadata=metadata)

    def validate(self, slot: datetime, identity: str) -> Answer:
        """Has the last day judged again, unless that has been done for the slot."""
        request = wire.ValidateReadingsRequest(slot_time=time_to_wire(slot))
        return self.stub.ValidateReadings(request, timeout=self.deadline_seconds, metadata=self._metadata(identity))

    def _metadata(self, identity: str) -> tuple[tuple[str, str], ...]:
        return ((METADATA_KEY, self.key.get_secret_value()), (request_id.METADATA_KEY, identity))
