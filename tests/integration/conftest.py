"""The servers that integration tests stand on: a PostgreSQL with PostGIS and a Redis, one of each for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backing.postgres import PostgresServer, find_postgres
from tests.backing.redis_server import RedisServer, find_redis


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL to stop, kill and start; `new_database()` gives a module's fixtures a database of their own."""
    if find_postgres() is None:
        pytest.skip("no PostgreSQL with PostGIS: run tools/install_test_services.sh")
    with PostgresServer.temporary() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The `CLEANAIR_DATABASE_URL` of a database for this test alone, with PostGIS and no tables."""
    return postgres_server.new_database()


@pytest.fixture
def postgres_ingestion_url(postgres_server: PostgresServer) -> str:
    """Likewise, with ingestion's newest tables."""
    return postgres_server.new_database("ingestion")


@pytest.fixture
def postgres_predictor_url(postgres_server: PostgresServer) -> str:
    """Likewise, with the predictor's."""
    return postgres_server.new_database("predictor")


@pytest.fixture
def postgres_router_url(postgres_server: PostgresServer) -> str:
    """Likewise, with the router's."""
    return postgres_server.new_database("router")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis to stop, kill and start."""
    if find_redis() is None:
        pytest.skip("no redis-server: run tools/install_test_services.sh")
    with RedisServer.temporary() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The `CLEANAIR_REDIS_URL` of a Redis that is empty at the start of this test."""
    redis_server.clear()
    return redis_server.url
