"""What servers and operators meet when the database is old, away, or back again."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from mesh.database import Database, DatabaseUnavailable, TablesOutdated, database_url, prepare, upgrade
from mesh.settings import MeshSettings
from tests.backing.postgres import PostgresServer

SERVICES = ("ingestion", "predictor", "router")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_server_makes_its_embedded_tables_itself(service: str, tmp_path: Path) -> None:
    settings = MeshSettings(data_dir=tmp_path)
    await prepare(settings, service)
    await prepare(settings, service)
    assert (tmp_path / f"{service}.db").is_file()


async def test_an_upgrade_that_breaks_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = "breaks_off"
    versions = tmp_path / "code" / service / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parents[1] / "__init__.py").touch()
    (versions.parent / "env.py").write_text(
        f"from mesh import alembic_env\nfrom sqlalchemy import MetaData\nalembic_env.run(MetaData(), {service!r})\n"
    )
    migration = versions / "0001_tables.py"
    steps = [f'op.create_table("{name}", sa.Column("id", sa.Integer))' for name in ("first", "second")]
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    settings = MeshSettings(data_dir=tmp_path)
    _write_migration(migration, [steps[0], "raise ArithmeticError", steps[1]])
    with pytest.raises(ArithmeticError):
        await upgrade(settings, service)
    _write_migration(migration, steps)
    await upgrade(settings, service)
    with closing(sqlite3.connect(tmp_path / f"{service}.db")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"first", "second", f"alembic_version_{service}"}


def _write_migration(path: Path, steps: list[str]) -> None:
    lines = ["import sqlalchemy as sa", "from alembic import op", 'revision = "0001"', "down_revision = None"]
    body = "".join(f"\n    {step}" for step in steps)
    path.write_text("\n".join(lines) + f"\n\n\ndef upgrade():{body}\n")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_server_refuses_a_shared_database_that_nobody_has_migrated(service: str, postgres_url: str) -> None:
    settings = MeshSettings(database_url=SecretStr(postgres_url))
    with pytest.raises(TablesOutdated, match=f"cleanair db upgrade {service}"):
        await prepare(settings, service)
    await upgrade(settings, service)
    await prepare(settings, service)


async def test_a_database_that_is_away_is_said_so_and_found_again(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    database = Database.open(MeshSettings(database_url=SecretStr(url)), "ingestion")
    await database.ping()
    postgres_server.kill()
    try:
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
    finally:
        postgres_server.start()
    await database.ping()
    await database.close()


async def test_a_wrong_statement_is_a_defect_not_an_outage(postgres_url: str) -> None:
    database = Database.open(MeshSettings(database_url=SecretStr(postgres_url)), "ingestion")
    with pytest.raises(Exception, match="nowhere") as failed:
        async with database.begin() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(failed.value, DatabaseUnavailable)
    await database.close()


async def test_an_embedded_database_that_another_holds_is_away_not_broken(tmp_path: Path) -> None:
    settings = MeshSettings(data_dir=tmp_path)
    await prepare(settings, "router")
    database = Database(database_url(settings, "router"), busy_seconds=0.1)
    with closing(sqlite3.connect(tmp_path / "router.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailable):
            async with database.begin() as connection:
                await connection.execute(text("DELETE FROM forecast_position"))
    await database.close()


async def test_a_cancelled_write_leaves_the_embedded_database_to_the_next(tmp_path: Path) -> None:
    database = Database.open(MeshSettings(data_dir=tmp_path), "ingestion")
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (number INTEGER)"))

    async def write() -> None:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n"
        async with database.begin() as connection:
            await connection.execute(text(f"INSERT INTO numbers {numbers} RETURNING number"))

    # What a cancelled statement leaves behind must not wait for the garbage collector.
    gc.disable()
    try:
        for _ in range(3):
            writing = asyncio.create_task(write())
            await asyncio.sleep(0.1)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            async with database.begin() as connection:
                await connection.execute(text("INSERT INTO numbers VALUES (0)"))
    finally:
        gc.enable()
    async with database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*), sum(number) FROM numbers"))).one() == (3, 0)
    await database.close()
