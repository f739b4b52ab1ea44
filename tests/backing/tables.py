"""A service's newest tables in an embedded database, migrated once and copied ever after."""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from mesh.database import upgrade
from mesh.settings import MeshSettings

_LOGS: Final = {"ingestion": "reading_log", "predictor": "prediction_log"}
"""The table that knows a service's log from that of any other store."""

_MADE: Final[dict[str, bytes]] = {}
"""A database with the tables, by service."""


async def make_tables(settings: MeshSettings, service: str) -> None:
    """Does what `mesh.database.upgrade` does; an embedded database that is not there yet is a copy with its own log."""
    file = settings.data_dir / f"{service}.db"
    if settings.database_url is not None or file.exists():
        await upgrade(settings, service)
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file.write_bytes(await _database(service))
    if service in _LOGS:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"UPDATE {_LOGS[service]} SET epoch = ?", (secrets.token_hex(8),))  # noqa: S608 - ours


async def _database(service: str) -> bytes:
    if service not in _MADE:
        with tempfile.TemporaryDirectory() as folder:
            await upgrade(MeshSettings(data_dir=Path(folder)), service)
            _MADE[service] = (Path(folder) / f"{service}.db").read_bytes()
    return _MADE[service]
