"""`cleanair collect`."""

from __future__ import annotations

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from rich.console import Console

from cli.calls import call
from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.interceptors.operator_key import METADATA_KEY


def collect(settings: CommandSettings) -> None:
    """Asks ingestion to collect, and says what came."""
    key = settings.operator_key()
    if key is None:
        raise CommandFailed("Collecting is for operators: set CLEANAIR_OPERATOR_API_KEY to the mesh's operator key.")

    async def ask(channel: grpc.aio.Channel) -> wire.CollectAirQualityResponse:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        return await stub.CollectAirQuality(
            wire.CollectAirQualityRequest(), metadata=((METADATA_KEY, key.get_secret_value()),)
        )

    answer = call(settings, ask)
    newest = answer.newest_measured_at.ToDatetime().isoformat() + "Z" if answer.HasField("newest_measured_at") else "–"
    Console().print(
        f"{answer.new_count} new, {answer.corrected_count} corrected, {answer.unchanged_count} unchanged,"
        f" {answer.rejected_count} rejected; newest hour {newest}",
        highlight=False,
    )
