"""Replicas of ingestion hear of each other's changes through Redis, and lose nothing when that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from cleanair.ingestion.v1.ingestion_service_pb2 import StreamReadingsResponse
from sqlalchemy import event

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.reading import Measurement, Reading
from ingestion.relay import MOST_ENTRIES, Relay
from ingestion.stream import StreamQuestion
from ingestion.wire import element_to_wire
from mesh.cancellation import end
from mesh.redis_stream import RedisStream
from tests.backing.redis_server import RedisServer
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW

# Longer than any test: what comes sooner has not come by a heartbeat.
_SILENCE = 100.0


@dataclass(frozen=True, slots=True)
class Replica:
    """The parts of one replica, and the changes that it has read from the database."""

    parts: Assembly
    reads: list[str]

    async def store(self, numbers: Sequence[int], value: float = 1.0, *, tells: bool = True) -> None:
        """Stores a reading for each number; a writer that dies before it can tell has stored it all the same."""
        readings = [
            Reading(
                Station(f"{number}", "역", Point(37.5, 127.0)),
                MEASURED_AT - timedelta(hours=number),
                Measurement({Pollutant.PM25: value}),
            )
            for number in numbers
        ]
        await self.parts.store.save(readings, NOW)
        if tells:
            self.parts.bell.ring()

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[AsyncGenerator[int, None]]:
        """The numbers that a follower gets."""
        async with aclosing(self._numbers()) as numbers:
            yield numbers

    async def _numbers(self) -> AsyncGenerator[int, None]:
        async with aclosing(self.parts.stream.follow(StreamQuestion())) as elements:
            async for element in elements:
                for reading in StreamReadingsResponse.FromString(element_to_wire(element)).readings:
                    yield int(reading.station.station_id)


async def take(numbers: AsyncGenerator[int, None], count: int) -> list[int]:
    async with asyncio.timeout(30):
        return [await anext(numbers) for _ in range(count)]


@asynccontextmanager
async def replica(folder: Path, redis_url: str, heartbeat_seconds: float) -> AsyncIterator[Replica]:
    settings = quick_settings(folder, "http://127.0.0.1:9", heartbeat_seconds=heartbeat_seconds)
    async with assembled(settings) as parts:
        reads: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if "sequence >" in statement:
                reads.append(statement)

        event.listen(parts.database.engine.sync_engine, "before_cursor_execute", note)
        news = RedisStream(redis_url, "ingestion:changes", max_entries=MOST_ENTRIES)
        task = asyncio.create_task(Relay(parts.feed, news, parts.bell, heartbeat_seconds).run())
        try:
            yield Replica(parts, reads)
        finally:
            await end(task)


@pytest.fixture
async def replicas(tmp_path: Path, redis_url: str) -> AsyncIterator[tuple[Replica, Replica]]:
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(replica(tmp_path, redis_url, _SILENCE)) for _ in range(2)]
        await _until_listening(redis_url, 2)
        yield one, other


async def _until_listening(redis_url: str, count: int) -> None:
    """Returns when so many wait for news in Redis."""
    with redis.Redis.from_url(redis_url) as client:
        async with asyncio.timeout(20):
            while int(client.info("clients")["blocked_clients"]) < count:  # noqa: ASYNC110 - Redis rings no bell for this
                await asyncio.sleep(0.01)


async def test_what_one_replica_stores_comes_to_followers_of_another_without_a_look_at_the_database(
    replicas: tuple[Replica, Replica],
) -> None:
    one, other = replicas
    async with other.followed() as numbers:
        coming = asyncio.create_task(take(numbers, 3))
        await one.store([1, 2])
        await one.store([3])
        assert await coming == [1, 2, 3]
    assert other.reads == []


async def test_what_a_writer_had_no_time_to_tell_is_found_at_the_next_change(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    async with other.followed() as numbers:
        coming = asyncio.create_task(take(numbers, 4))
        await one.store([1])
        await one.store([2, 3], tells=False)
        await other.store([4])
        assert await coming == [1, 2, 3, 4]


async def test_both_write_and_both_are_followed_in_one_order(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    async with one.followed() as here, other.followed() as there:
        coming = asyncio.gather(take(here, 200), take(there, 200))
        await asyncio.gather(
            *(writer.store([n]) for n, writer in enumerate([one, other] * 100)),
        )
        first, second = await coming
    assert first == second
    assert sorted(first) == list(range(200))


async def test_what_other_versions_tell_is_read_from_the_database(
    replicas: tuple[Replica, Replica], redis_url: str
) -> None:
    one, other = replicas
    async with other.followed() as numbers:
        coming = asyncio.create_task(take(numbers, 1))
        await one.store([1], tells=False)
        with redis.Redis.from_url(redis_url) as client:
            client.xadd("cleanair:ingestion:changes", {"news": b"in a form of tomorrow"})
        assert await coming == [1]


async def test_without_redis_nothing_is_lost_and_with_it_back_news_come_as_before(
    tmp_path: Path, redis_server: RedisServer, redis_url: str
) -> None:
    async with (
        replica(tmp_path, redis_url, 0.2) as one,
        replica(tmp_path, redis_url, 0.2) as other,
        other.followed() as numbers,
    ):
        await _until_listening(redis_url, 2)
        await one.store([1])
        assert await take(numbers, 1) == [1]
        redis_server.kill()
        try:
            await one.store([2])
            assert await take(numbers, 1) == [2]
        finally:
            redis_server.start()
        await _until_listening(redis_url, 2)
        await one.store([3])
        assert await take(numbers, 1) == [3]
