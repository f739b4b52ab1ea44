"""A forecast at a point is worked out once, kept for others, and asked for anew when anything is newer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from mesh.redis_shelf import RedisShelf
from mesh.shelf import InProcessShelf, Shelf
from predictor.forecast import Forecast
from predictor.forecast_bytes import KeptForecast, from_bytes, to_bytes
from predictor.prediction import NoForecastYet
from predictor.prediction_cache import Edition, PredictionCache, issue_time_of
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import HOUR, JONGNO, NOON
from tests.predictor.point_work import EDITION, POINTS, Work, forecast


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def shelf() -> Shelf:
    return InProcessShelf(room=100)


@pytest.fixture
async def cache(shelf: Shelf) -> AsyncIterator[PredictionCache]:
    async with PredictionCache(shelf, SettableClock(NOON)) as opened:
        yield opened


async def test_a_thousand_who_ask_at_once_wait_for_one_computation(cache: PredictionCache, work: Work) -> None:
    work.go.clear()
    asking = [asyncio.create_task(cache.at(EDITION, POINTS[:1], work)) for _ in range(1000)]
    await asyncio.sleep(0)
    work.go.set()
    answers = await asyncio.gather(*asking)
    assert work.batches == [POINTS[:1]]
    assert (cache.hits, cache.misses) == (999, 1)
    assert all(answer[0].place == POINTS[0] for answer in answers)


async def test_what_is_ready_is_given_as_it_was(cache: PredictionCache, work: Work, shelf: Shelf) -> None:
    (first,) = await cache.at(EDITION, POINTS[:1], work)
    async with PredictionCache(shelf, SettableClock(NOON + HOUR)) as other:
        (again,) = await other.at(EDITION, POINTS[:1], work)
        assert (other.hits, other.misses) == (1, 0)
    assert len(work.batches) == 1
    assert_same(again, first)


async def test_only_what_is_lacking_is_worked_out_and_order_is_kept(cache: PredictionCache, work: Work) -> None:
    await cache.at(EDITION, POINTS[:2], work)
    asked = [POINTS[4], POINTS[1], POINTS[3], POINTS[4]]
    answers = await cache.at(EDITION, asked, work)
    assert [answer.place for answer in answers] == asked
    assert work.batches == [POINTS[:2], [POINTS[4], POINTS[3]]]


@pytest.mark.parametrize(
    "newer",
    [
        replace(EDITION, issue_time=NOON + HOUR),
        replace(EDITION, model_version="m-2"),
        replace(EDITION, epoch="cd" * 8),
        replace(EDITION, sequence=8),
    ],
    ids=["issue", "model", "log", "correction"],
)
async def test_anything_newer_is_worked_out_anew(cache: PredictionCache, work: Work, newer: Edition) -> None:
    await cache.at(EDITION, POINTS[:1], work)
    await cache.at(newer, POINTS[:1], work)
    assert len(work.batches) == 2
    assert sorted(map(issue_time_of, await cache.names())) == sorted([NOON, newer.issue_time])


async def test_a_failure_is_told_to_all_who_wait_and_not_kept(cache: PredictionCache, work: Work) -> None:
    work.fails = True
    work.go.clear()
    asking = [asyncio.create_task(cache.at(EDITION, POINTS[:1], work)) for _ in range(3)]
    await asyncio.sleep(0)
    work.go.set()
    failed = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in failed] == [NoForecastYet] * 3
    work.fails = False
    await cache.at(EDITION, POINTS[:1], work)
    assert len(work.batches) == 2


async def test_one_who_goes_away_does_not_take_it_from_the_others(cache: PredictionCache, work: Work) -> None:
    work.go.clear()
    first, second = (asyncio.create_task(cache.at(EDITION, POINTS[:1], work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.go.set()
    assert (await second)[0].place == POINTS[0]
    assert len(work.batches) == 1


async def test_without_redis_it_works_everything_out_and_says_so_once(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = RedisShelf("redis://127.0.0.1:1/0", "predictions", 10)
    async with PredictionCache(shelf, SettableClock(NOON)) as cache:
        for _ in range(3):
            (answer,) = await cache.at(EDITION, POINTS[:1], work)
            assert_same(answer, forecast(POINTS[0]))
        assert await cache.names() == []
    assert len(work.batches) == 3
    assert sum("cache does not answer" in record.message for record in caplog.records) == 1


async def test_what_cannot_be_read_is_worked_out(cache: PredictionCache, work: Work, shelf: Shelf) -> None:
    name = EDITION.name(POINTS[0])
    content = to_bytes(KeptForecast(forecast(POINTS[0]), NOON))
    for garbage in (b"", b"\xff" * 50, content[:-1], content[:100], content.replace(b"INTERPOLATED", b"EXTRAPOLATED")):
        with pytest.raises(ValueError, match=r".*"):
            from_bytes(garbage)
        await shelf.put({name: garbage}, 60)
        assert_same((await cache.at(EDITION, POINTS[:1], work))[0], forecast(POINTS[0]))


async def test_nothing_is_kept_beyond_its_last_hour(shelf: Shelf, work: Work) -> None:
    async with PredictionCache(shelf, SettableClock(NOON + timedelta(hours=72))) as cache:
        await cache.at(EDITION, POINTS[:1], work)
        assert await cache.names() == []


def test_a_stations_forecast_is_not_kept_as_bytes() -> None:
    with pytest.raises(TypeError):
        to_bytes(KeptForecast(replace(forecast(POINTS[0]), place=JONGNO), NOON))


def assert_same(one: Forecast, other: Forecast) -> None:
    for numbers in ("quantiles", "mean", "confidences"):
        np.testing.assert_array_equal(getattr(one, numbers), getattr(other, numbers))
    for part in ("place", "issue_time", "model_version", "horizons", "newest_measured_at", "limitations"):
        assert getattr(one, part) == getattr(other, part)
