"""A service's database: PostgreSQL through asyncpg, or a SQLite file of its own through aiosqlite."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from mesh.errors import FailedPrecondition, Unavailable
from mesh.settings import MeshSettings

_BUSY_SECONDS: Final = 5.0
_CONNECT_TIMEOUT_S: Final = 5
_POOL_RECYCLE_S: Final = 3600
# Connection lost, out of connections or space, shutting down or starting up.
_AWAY_SQLSTATES: Final = ("08", "53", "57P")
# Locked by another for too long, or no room, no right or no disk to write to.
_AWAY_SQLITE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
# Two replicas that migrate at once take turns under this advisory lock; the number is ours alone.
_MIGRATION_LOCK: Final = 0x636C65616E616972 & 0x7FFFFFFFFFFFFFFF


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    reason = "DATABASE_UNAVAILABLE"


class TablesOutdated(FailedPrecondition):
    """The tables are not those that this version works with."""

    reason = "TABLES_OUTDATED"

    def __init__(self, service: str, current: str | None, newest: str | None) -> None:
        super().__init__(
            f"the tables of {service} are at {current or 'nothing'}, this version needs {newest}: run"
            f" `cleanair db upgrade {service}`"
        )


class Database:
    """A pool of connections to one service's tables."""

    def __init__(
        self, url: URL, *, pool_size: int = 20, max_overflow: int = 30, busy_seconds: float = _BUSY_SECONDS
    ) -> None:
        """Opens the pool; connections are made when they are needed.

        Args:
            url: PostgreSQL by asyncpg, or SQLite by aiosqlite.
            pool_size: Connections kept open (PostgreSQL).
            max_overflow: Connections opened beyond those under load.
            busy_seconds: How long a transaction waits for another's (SQLite).
        """
        self.is_postgres: Final = url.get_backend_name() == "postgresql"
        self.engine: Final[AsyncEngine] = _engine(url, pool_size, max_overflow, busy_seconds)

    @classmethod
    def open(cls, settings: MeshSettings, service: str) -> Self:
        """The database that the settings give the service; its SQLite file is made when missing."""
        return cls(
            database_url(settings, service),
            pool_size=settings.database_pool_size,
            max_overflow=settings.database_max_overflow,
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, committed at the end. Raises DatabaseUnavailable when it does not answer."""
        with _unavailable_as_ours():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with. Raises DatabaseUnavailable when it does not answer."""
        with _unavailable_as_ours():
            async with self.engine.connect() as connection:
                yield connection

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that knows ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgres else sqlite.insert(table)

    async def copy(
        self, connection: AsyncConnection, table: Table, rows: Sequence[Sequence[str | float | datetime | None]]
    ) -> None:
        """Copies rows, with a cell for each column of the table, through PostgreSQL's COPY, in the transaction.

        Raises DatabaseUnavailable when it does not answer, and what asyncpg raises when a cell does not fit.
        """
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        if not isinstance(driver, asyncpg.Connection):
            raise TypeError("only PostgreSQL can copy")
        try:
            await driver.copy_records_to_table(table.name, records=rows, columns=table.columns.keys())
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError) as error:
            raise DatabaseUnavailable("the database does not answer: try again later") from error

    async def ping(self) -> None:
        """Returns when the database answers. Raises DatabaseUnavailable."""
        async with self.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Closes the pool."""
        await self.engine.dispose()


def database_url(settings: MeshSettings, service: str) -> URL:
    """The SQLAlchemy URL of a service's database."""
    if settings.database_url is not None:
        return make_url(settings.database_url.get_secret_value())
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite+aiosqlite", database=str(settings.data_dir / f"{service}.db"))


async def upgrade(settings: MeshSettings, service: str) -> None:
    """Brings the tables of a service to the newest of `<service>/migrations`."""
    database = Database.open(settings, service)
    try:
        async with database.begin() as connection:
            if database.is_postgres:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            else:
                # The driver begins a transaction before rows are written, and not before tables are: without this a
                # process killed half-way would leave tables that the next cannot make.
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.run_sync(_upgrade, service)
    finally:
        await database.close()


async def prepare(settings: MeshSettings, service: str) -> None:
    """What a server does before it serves: makes its own embedded tables current, or checks those of a shared database.

    A shared database is migrated by a job before the servers roll out, not by whichever replica comes first.
    Raises TablesOutdated.
    """
    if settings.database_url is None:
        await upgrade(settings, service)
        return
    database = Database.open(settings, service)
    try:
        async with database.connect() as connection:
            current, newest = await connection.run_sync(_revisions, service)
    finally:
        await database.close()
    if current != newest:
        raise TablesOutdated(service, current, newest)


def _revisions(connection: Connection, service: str) -> tuple[str | None, str | None]:
    """The revision that the tables have, and the newest that there is."""
    context = MigrationContext.configure(connection, opts={"version_table": version_table(service)})
    return context.get_current_revision(), ScriptDirectory(str(_migrations(service))).get_current_head()


def version_table(service: str) -> str:
    """Where the revision of a service's tables is noted: one a service, so that all can share a database."""
    return f"alembic_version_{service}"


def _upgrade(connection: Connection, service: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_migrations(service)))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _migrations(service: str) -> Path:
    spec = importlib.util.find_spec(service)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(service)
    return Path(next(iter(spec.submodule_search_locations))) / "migrations"


@contextmanager
def _unavailable_as_ours() -> Iterator[None]:
    """Tells a database that is gone from a statement that is wrong: the first is ours to name, the second a defect."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        raise DatabaseUnavailable("the database does not answer: try again later") from error
    except DBAPIError as error:
        if not error.connection_invalidated and not _is_away(error):
            raise
        raise DatabaseUnavailable("the database does not answer: try again later") from error


def _is_away(error: DBAPIError) -> bool:
    """True when the database itself said that it cannot serve now, which SQLAlchemy takes for any other error."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF in _AWAY_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(state, str) and state.startswith(_AWAY_SQLSTATES)


def _engine(url: URL, pool_size: int, max_overflow: int, busy_seconds: float) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        return create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=True,
            pool_recycle=_POOL_RECYCLE_S,
            connect_args={"timeout": _CONNECT_TIMEOUT_S},
        )
    engine = create_async_engine(url, connect_args={"factory": _SqliteConnection, "timeout": busy_seconds})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


class _SqliteConnection(sqlite3.Connection):
    """A connection that is over once it is closed.

    Closed with a half-read statement, SQLite's own lives on with its transaction, and so with the lock on writing,
    until the garbage collector has found the statement: a cancelled write would lock out all others.
    """

    def close(self) -> None:
        """Rolls back what is open, and closes."""
        if self.in_transaction:
            self.rollback()
        super().close()


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # A write-ahead log lets streams read while a collection writes.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
