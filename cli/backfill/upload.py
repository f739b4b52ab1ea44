"""A client of UploadReadings that gets over a server that goes away: it asks how far that is, and goes on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from pydantic import SecretStr

from cli.backfill.history import Batch
from cli.failure import CommandFailed
from mesh.interceptors.errors import reason_of
from mesh.interceptors.operator_key import METADATA_KEY

_CALL_SECONDS: Final = 120.0
_QUESTION_SECONDS: Final = 10.0
_FIRST_PAUSE_S: Final = 0.5
_PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
# A call that broke may go on at the server for a while, and take the upload further.
_OVERTAKEN: Final = frozenset({"UPLOAD_TAKEN", "UPLOAD_GAP"})


@dataclass
class Tally:
    """What became of readings that were sent.

    Attributes:
        sent: Readings stored by calls that ended well.
        untold: Readings stored by a call that broke before it could say what became of each.
        earlier: Readings that an earlier upload of the same file had stored.
        refusals: The first refusals of the server, as keys.
    """

    sent: int = 0
    new: int = 0
    corrected: int = 0
    unchanged: int = 0
    refused: int = 0
    untold: int = 0
    earlier: int = 0
    refusals: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """How an upload bears with a server that is away.

    Attributes:
        seconds: How long the server may stay away before the upload gives up.
        longest_pause_seconds: The longest time until the server is called again.
    """

    seconds: float
    longest_pause_seconds: float


class Upload:
    """One upload.

    Args:
        channel: A channel to the ingestion server.
        key: The operator key.
        upload_id: What the upload is called.
        feed: The feed whose stations the readings are of.
        correct: True when the upload wins over what is known.
        patience: With a server that is away.
        tell: Takes a word for people when the server first fails.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        key: SecretStr,
        *,
        upload_id: str,
        feed: str,
        correct: bool,
        patience: Patience,
        tell: Callable[[str], None],
    ) -> None:
        self._stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        self._metadata = ((METADATA_KEY, key.get_secret_value()),)
        self._upload_id = upload_id
        self._feed = feed
        self._conflict = wire.UploadReadingsRequest.CORRECT if correct else wire.UploadReadingsRequest.KEEP
        self._patience = patience
        self._tell = tell
        self._acknowledged = 0
        self.tally: Final = Tally()

    async def begin(self) -> int:
        """How many batches an earlier upload of the same file has stored. Raises CommandFailed."""
        try:
            self._acknowledged = await self._position()
        except grpc.aio.AioRpcError as error:
            raise _failed(error) from error
        return self._acknowledged

    async def deliver(self, batches: Sequence[Batch]) -> None:
        """Sends batches until the server has stored them. Raises CommandFailed when it will not, or stays away."""
        last_progress, failures = time.monotonic(), 0
        while pending := [batch for batch in batches if batch.sequence > self._acknowledged]:
            before = self._acknowledged
            try:
                if failures:
                    self._pass_over(pending, await self._position())
                    pending = [batch for batch in batches if batch.sequence > self._acknowledged]
                if pending:
                    self._count(pending, await self._send(pending))
            except grpc.aio.AioRpcError as error:
                if not _passes(error) or time.monotonic() - last_progress > self._patience.seconds:
                    raise _failed(error) from error
                if not failures:
                    self._tell(f"The server fails with {error.code().name}: it is tried again …")
            if self._acknowledged > before:
                last_progress, failures = time.monotonic(), 0
            else:
                failures += 1
                await asyncio.sleep(_pause(failures, self._patience.longest_pause_seconds))

    async def _send(self, batches: Sequence[Batch]) -> wire.UploadReadingsResponse:
        async def requests() -> AsyncIterator[wire.UploadReadingsRequest]:
            for batch in batches:
                yield wire.UploadReadingsRequest(
                    upload_id=self._upload_id,
                    sequence=batch.sequence,
                    feed=self._feed,
                    readings=batch.readings,
                    conflict=self._conflict,
                )

        return await self._stub.UploadReadings(requests(), timeout=_CALL_SECONDS, metadata=self._metadata)

    async def _position(self) -> int:
        request = wire.GetUploadRequest(upload_id=self._upload_id)
        answer = await self._stub.GetUpload(request, timeout=_QUESTION_SECONDS, metadata=self._metadata)
        return answer.acknowledged_sequence

    def _count(self, batches: Sequence[Batch], answer: wire.UploadReadingsResponse) -> None:
        tally = self.tally
        self._acknowledged = answer.acknowledged_sequence
        tally.sent += sum(len(batch.readings) for batch in batches if batch.sequence <= self._acknowledged)
        tally.new += answer.new_count
        tally.corrected += answer.corrected_count
        tally.unchanged += answer.unchanged_count
        tally.refused += answer.rejected_count
        told = (f"{refusal.station_id}: {refusal.reason}" for refusal in answer.rejections)
        # Each once, in their order.
        tally.refusals |= dict.fromkeys(told)

    def _pass_over(self, batches: Sequence[Batch], position: int) -> None:
        if position < self._acknowledged:
            raise CommandFailed("the server has forgotten a part that it had stored")
        self._acknowledged = position
        self.tally.untold += sum(len(batch.readings) for batch in batches if batch.sequence <= position)


def _passes(error: grpc.aio.AioRpcError) -> bool:
    return error.code() in _PASSING or reason_of(error) in _OVERTAKEN


def _pause(failures: int, longest_seconds: float) -> float:
    """Seconds until the next attempt: exponential with full jitter."""
    longest = min(_FIRST_PAUSE_S * 2.0 ** (failures - 1), longest_seconds)
    return random.uniform(0.0, longest)  # noqa: S311 - jitter is no secret


def _failed(error: grpc.aio.AioRpcError) -> CommandFailed:
    if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in (error.details() or ""):
        return CommandFailed("nothing answers there: start the mesh, or name its ingestion server with --target")
    return CommandFailed(f"{error.details() or error.code().name} ({error.code().name})")
