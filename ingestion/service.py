"""IngestionService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from ingestion.collecting_service import CollectingService
from ingestion.jobs import Jobs
from ingestion.listing import Question, list_readings
from ingestion.listing_service import ListingService, Lists
from ingestion.metrics_service import Meters, MetricsService
from ingestion.store.readings import ReadingStore
from ingestion.stream import ReadingStream
from ingestion.upload import Uploader
from ingestion.uploading_service import UploadingService
from ingestion.wire import element_to_wire, question_from_wire, reading_to_wire
from mesh.access import operator_methods
from mesh.interceptors.around import Context
from mesh.wire import status_to_wire, time_from_wire

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["IngestionService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)


class IngestionService(
    CollectingService,
    ListingService,
    MetricsService,
    UploadingService,
    ingestion_service_pb2_grpc.IngestionServiceServicer,
):
    """Answers for the readings, and by its bases for all else."""

    def __init__(
        self,
        jobs: Jobs,
        lists: Lists,
        meters: Meters,
        uploader: Uploader,
        store: ReadingStore,
        stream: ReadingStream,
    ) -> None:
        CollectingService.__init__(self, jobs)
        ListingService.__init__(self, lists)
        MetricsService.__init__(self, meters)
        UploadingService.__init__(self, uploader)
        self._store = store
        self._stream = stream
        self._board = meters.board
        self._clock = meters.clock

    async def ListReadings(
        self,
        request: wire.ListReadingsRequest,
        context: Context,
    ) -> wire.ListReadingsResponse:
        """A page of readings."""
        question = Question(
            station_ids=tuple(request.station_ids),
            start=time_from_wire(request.start_time, "start_time") if request.HasField("start_time") else None,
            end=time_from_wire(request.end_time, "end_time") if request.HasField("end_time") else None,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = await list_readings(self._store, question, self._clock)
        return wire.ListReadingsResponse(
            readings=map(reading_to_wire, page.readings),
            next_page_token=page.next_page_token,
            data_status=status_to_wire(await self._board.status()),
        )

    async def StreamReadings(  # type: ignore[override] # as `add_to_server` says
        self,
        request: wire.StreamReadingsRequest,
        context: Context,
    ) -> AsyncIterator[bytes]:
        """The stream, from the token on."""
        async with aclosing(self._stream.follow(question_from_wire(request))) as elements:
            async for element in elements:
                yield element_to_wire(element)


def add_to_server(service: IngestionService, server: grpc.aio.Server) -> None:
    """Adds the service as its generated function does, but for elements of StreamReadings, which are bytes already."""
    ingestion_service_pb2_grpc.add_IngestionServiceServicer_to_server(service, server)
    encoded: grpc.RpcMethodHandler[wire.StreamReadingsRequest, bytes] = grpc.unary_stream_rpc_method_handler(
        service.StreamReadings, request_deserializer=wire.StreamReadingsRequest.FromString
    )
    server.add_registered_method_handlers(FULL_NAME, {"StreamReadings": encoded})
