"""The servers that the tests stand on behave as the real ones under faults do."""

from __future__ import annotations

import asyncpg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.backing.postgres import PostgresServer
from tests.backing.redis_server import RedisServer


async def test_a_fresh_database_has_postgis_and_no_rows_of_another_test(postgres_server: PostgresServer) -> None:
    for _ in range(2):
        engine = create_async_engine(postgres_server.new_database())
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE places (at geometry(Point, 4326))"))
            await connection.execute(text("INSERT INTO places VALUES (ST_SetSRID(ST_MakePoint(126.9, 37.5), 4326))"))
            assert (await connection.execute(text("SELECT count(*) FROM places"))).scalar_one() == 1
        await engine.dispose()


async def test_a_killed_postgres_keeps_what_was_committed_and_its_port(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database().replace("postgresql+asyncpg", "postgresql")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres_server.kill()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT answer FROM kept")
    connection.terminate()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(url)

    postgres_server.start()

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    await connection.close()


def test_a_restarted_redis_answers_on_its_port_and_has_forgotten(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("kept", "no")
        redis_server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("kept")
        redis_server.start()
        assert client.get("kept") is None
