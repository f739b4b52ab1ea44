"""The Redis shelf keeps what the in-process one keeps, for all replicas, and says so when Redis is gone."""

from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

from mesh.redis_shelf import RedisShelf, open_shelf
from mesh.settings import MeshSettings
from mesh.shelf import ShelfUnavailable
from predictor.prediction_cache import ROOM, SHELF, PredictionCache
from tests.backing.redis_server import RedisServer
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import NOON
from tests.predictor.point_work import EDITION, POINTS, Work


async def test_redis_keeps_what_is_put_there_for_its_time_and_for_all(redis_url: str) -> None:
    settings = MeshSettings(redis_url=SecretStr(redis_url))
    shelf, other = open_shelf(settings, "things", 10), open_shelf(settings, "things", 10)
    assert isinstance(shelf, RedisShelf)
    await shelf.ping()
    await shelf.put({"길": "길".encode(), "b": b"2"}, ttl_seconds=60)
    await shelf.put({"gone": b"3"}, ttl_seconds=0.001)
    assert await other.get(["길", "gone", "never"]) == ["길".encode(), None, None]
    assert sorted(await other.names()) == ["b", "길"]
    assert await other.get([]) == []
    await shelf.close()
    await other.close()


async def test_redis_keeps_no_more_than_there_is_room_for(redis_url: str, redis_server: RedisServer) -> None:
    shelf = open_shelf(MeshSettings(redis_url=SecretStr(redis_url)), "things", 2)
    await shelf.put({"late": b"1"}, ttl_seconds=60)
    await shelf.put({"soon": b"2", "sooner": b"3"}, ttl_seconds=30)
    await shelf.put({"later": b"4"}, ttl_seconds=90)
    assert sorted(await shelf.names()) == ["late", "later"]
    assert await shelf.get(["soon", "sooner"]) == [None, None]
    await shelf.close()


async def test_a_redis_that_is_not_there_is_unavailable_not_a_stack_trace() -> None:
    shelf = RedisShelf("redis://127.0.0.1:1/0", "things", 2)
    for call in (shelf.ping(), shelf.names(), shelf.get(["a"]), shelf.put({"a": b"1"}, 1.0)):
        with pytest.raises(ShelfUnavailable):
            await call
    await shelf.close()


async def test_forecasts_go_on_while_redis_is_away_and_are_kept_again_when_it_is_back(
    redis_url: str, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    work, point = Work(), POINTS[:1]
    settings = MeshSettings(redis_url=SecretStr(redis_url))
    shelf = open_shelf(settings, SHELF, ROOM)
    async with PredictionCache(shelf, SettableClock(NOON), left_alone_seconds=0.0) as cache:
        await cache.at(EDITION, point, work)
        redis_server.kill()
        for _ in range(2):
            (answer,) = await cache.at(EDITION, point, work)
            assert answer.place == point[0]
        assert len(work.batches) == 3
        redis_server.start()
        for _ in range(3):
            await cache.at(EDITION, point, work)
        assert len(work.batches) <= 4
        assert await cache.names() == [EDITION.name(point[0])]
    said = [record.getMessage() for record in caplog.records if "cache" in record.getMessage()]
    assert sum("does not answer" in line for line in said) == 1
    assert sum("answers again" in line for line in said) == 1
