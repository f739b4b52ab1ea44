"""How far uploads have come, in the transactions that store their readings."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.store.readings import Also
from ingestion.tables import uploads
from mesh.database import Database
from mesh.errors import FailedPrecondition

_table: Final = uploads.c


class UploadTaken(FailedPrecondition):
    """Another call has taken the upload further meanwhile, or it belongs to another feed."""

    reason = "UPLOAD_TAKEN"

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"upload {upload_id} was taken further by another call, or is of another feed: GetUpload tells where it is",
            field="upload_id",
        )


class UploadStore:
    """The uploads in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acknowledged(self, upload_id: str) -> int:
        """The last batch that is stored; 0 when there is none."""
        query = select(_table.acknowledged_sequence).where(_table.upload_id == upload_id)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    def acknowledge(self, upload_id: str, feed: str, sequence: int, now: datetime) -> Also:
        """Notes a batch as stored, in the transaction that stores it.

        It raises UploadTaken there unless the batch before it was the last.
        """
        insert = self._database.insert(uploads).values(
            upload_id=upload_id, feed=feed, acknowledged_sequence=sequence, updated_at=now
        )
        follows = (_table.acknowledged_sequence == sequence - 1) & (_table.feed == feed)
        note = insert.on_conflict_do_update(
            index_elements=[_table.upload_id],
            set_={"acknowledged_sequence": sequence, "updated_at": now},
            where=follows,
        ).returning(_table.acknowledged_sequence)

        async def write(connection: AsyncConnection) -> None:
            if (await connection.execute(note)).scalar_one_or_none() is None:
                raise UploadTaken(upload_id)

        return write
