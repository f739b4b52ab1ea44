"""A follower of the stream gets every change once, in order, however often it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import pytest
from cleanair.ingestion.v1 import reading_pb2
from cleanair.ingestion.v1.ingestion_service_pb2 import StreamReadingsResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from air.places import Point, Station
from air.pollutants import Pollutant
from air.status import State
from ingestion.reading import Measurement, Reading
from ingestion.reading_filter import ReadingFilter
from ingestion.settings import IngestionSettings
from ingestion.stream import Element, StreamQuestion
from ingestion.wire import element_to_wire
from mesh.resume_token import InvalidResumeToken, ResumeToken, UnknownResumeToken
from simulation.airkorea_server import gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import Assembly, assembled
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording


def _follow(
    ingestion: Assembly, token: str = "", measured_after: datetime | None = None
) -> aclosing[AsyncGenerator[Element, None]]:
    wanted = ReadingFilter(measured_after=measured_after)
    return aclosing(ingestion.stream.follow(StreamQuestion(token=token, wanted=wanted)))


async def _store(ingestion: Assembly, numbers: Sequence[int], value: float = 1.0) -> None:
    """Stores a reading for each number, as a collection would."""
    readings = [
        Reading(
            Station(f"역{number}", f"역{number}", Point(37.5, 127.0)),
            MEASURED_AT - timedelta(hours=number),
            Measurement({Pollutant.PM25: value}),
        )
        for number in numbers
    ]
    await ingestion.store.save(readings, NOW)
    ingestion.bell.ring()


def _readings(element: Element) -> Sequence[reading_pb2.Reading]:
    return StreamReadingsResponse.FromString(element_to_wire(element)).readings


def _numbers(element: Element) -> list[int]:
    return [int(reading.station.station_id.removeprefix("역")) for reading in _readings(element)]


async def test_an_empty_store_answers_at_once_with_a_heartbeat_that_says_so(ingestion: Assembly) -> None:
    async with _follow(ingestion) as stream:
        element = await anext(stream)
    assert (element.count, element.status.state) == (0, State.STALE)


async def test_what_is_stored_comes_first_then_what_comes(ingestion: Assembly) -> None:
    await _store(ingestion, [1, 2])
    async with _follow(ingestion) as stream:
        assert _numbers(await anext(stream)) == [1, 2]
        waiting = asyncio.create_task(anext(stream))
        await _store(ingestion, [3])
        assert _numbers(await waiting) == [3]


async def test_silence_is_filled_with_heartbeats_that_carry_the_token(ingestion: Assembly) -> None:
    await _store(ingestion, [1])
    async with _follow(ingestion) as stream:
        first, second = await anext(stream), await anext(stream)
    assert second.count == 0
    assert second.token == first.token


async def test_a_correction_comes_once_with_its_revision(ingestion: Assembly) -> None:
    await _store(ingestion, [1, 2])
    async with _follow(ingestion) as stream:
        first = await anext(stream)
        await _store(ingestion, [1, 2], value=1.0)
        await _store(ingestion, [1], value=2.0)
        second = await anext(stream)
    assert [(reading.revision, reading.pm25_ug_m3) for reading in _readings(second)] == [(2, 2.0)]
    async with _follow(ingestion, first.token.encode()) as stream:
        assert _numbers(await anext(stream)) == [1]


async def test_a_long_catch_up_comes_in_pages(ingestion: Assembly) -> None:
    await _store(ingestion, range(1234))
    numbers: list[int] = []
    async with _follow(ingestion) as stream:
        for _ in range(3):
            numbers += _numbers(await anext(stream))
    assert numbers == list(range(1234))


async def test_old_hours_can_be_left_out(ingestion: Assembly) -> None:
    await _store(ingestion, range(10))
    async with _follow(ingestion, measured_after=MEASURED_AT - timedelta(hours=3)) as stream:
        assert _numbers(await anext(stream)) == [0, 1, 2]


async def test_a_text_that_is_no_token_is_refused(ingestion: Assembly) -> None:
    async with _follow(ingestion, "no token") as stream:
        with pytest.raises(InvalidResumeToken):
            await anext(stream)


async def test_a_token_of_another_store_is_unknown(ingestion: Assembly) -> None:
    async with _follow(ingestion, ResumeToken("0123456789abcdef", 0).encode()) as stream:
        with pytest.raises(UnknownResumeToken):
            await anext(stream)


async def test_a_token_ahead_of_a_store_that_was_set_back_is_unknown(ingestion: Assembly) -> None:
    await _store(ingestion, [1])
    head = await ingestion.store.head()
    async with _follow(ingestion, ResumeToken(head.epoch, head.sequence + 1).encode()) as stream:
        with pytest.raises(UnknownResumeToken):
            await anext(stream)


async def test_a_stream_ends_when_the_server_drains(ingestion: Assembly) -> None:
    async with _follow(ingestion) as stream:
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        ingestion.bell.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_an_outage_is_told_to_followers_at_once_and_its_end_too(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    await ingestion.collector.collect()
    states = []
    async with _follow(ingestion) as stream:
        states.append((await anext(stream)).status.state)
        replay.fail(Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR")))
        await asyncio.gather(ingestion.collector.collect(), return_exceptions=True)
        failing = await anext(stream)
        states.append(failing.status.state)
        replay.fail(None)
        await ingestion.collector.collect()
        states.append((await anext(stream)).status.state)
    assert states == [State.FRESH, State.STALE, State.FRESH]
    assert "code 30" in failing.status.reasons[0]


async def test_simulated_stations_make_the_status_simulated(ingestion: Assembly, replay: ReplayServer) -> None:
    simulated = recording([measurement_row("모의 강변")], stations=("모의 강변",))
    replay.replace(type(simulated)([{**simulated.stations[0], "mangName": "모의 도시대기"}], simulated.answers))
    await ingestion.collector.collect()
    async with _follow(ingestion) as stream:
        element = await anext(stream)
    assert element.status.simulated
    assert _readings(element)[0].station.simulated


_BATCHES = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True), min_size=1, max_size=8)


@given(batches=_BATCHES, breaks=st.lists(st.booleans(), min_size=8, max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_coming_back_with_the_last_token_misses_nothing_and_doubles_nothing(
    settings: IngestionSettings, tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], breaks: list[bool]
) -> None:
    async def follow_through_breaks() -> tuple[list[Change], list[Change]]:
        own = settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("log")})
        seen: list[Change] = []
        async with assembled(own) as ingestion:
            token = ""
            for value, (batch, breaks_here) in enumerate(zip(batches, breaks, strict=False)):
                # Each batch has a value of its own, so that each of its readings is a change.
                await _store(ingestion, batch, value=float(value))
                if breaks_here:
                    async with _follow(ingestion, token) as stream:
                        element = await anext(stream)
                    seen += _changes(element)
                    token = element.token.encode()
            async with _follow(ingestion, token) as stream:
                seen += _changes(await anext(stream))
            stored = await ingestion.store.changes(0, 1000)
            return seen, [(s.reading.station.station_id, s.revision) for s in stored]

    with asyncio.Runner() as runner:
        seen, stored = runner.run(follow_through_breaks())
    assert len(seen) == len(set(seen))
    # What was corrected again before the follower came back is seen in its last form only.
    assert set(stored) <= set(seen)
    assert stored[-1] == seen[-1]


Change = tuple[str, int]


def _changes(element: Element) -> list[Change]:
    return [(reading.station.station_id, reading.revision) for reading in _readings(element)]
