"""The log of changes in memory: a window, pages and filters give what the store holds, whatever a follower asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cleanair.ingestion.v1 import reading_pb2
from cleanair.ingestion.v1.ingestion_service_pb2 import StreamReadingsResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from ingestion.change import Batch, Change, UnreadableBatch
from ingestion.change_feed import ChangeFeed
from ingestion.change_log import ChangeLog
from ingestion.change_pages import READINGS_A_PAGE
from ingestion.quality.verdict import Check, Level, Verdict
from ingestion.reading import InstrumentFlag, Measurement, Reading, StoredReading
from ingestion.reading_filter import ReadingFilter, Region
from ingestion.store.changes import ChangeStore
from ingestion.store.reading_rows import to_row
from ingestion.wire import ReadingCodec, reading_to_wire
from tests.ingestion.assembly import Assembly
from tests.ingestion.wire_rows import MEASURED_AT, NOW

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
CODEC = ReadingCodec()

_values = st.dictionaries(st.sampled_from(Pollutant), st.floats(0, 500).map(lambda value: round(value, 2)))
_verdicts = st.dictionaries(
    st.sampled_from(Pollutant),
    st.dictionaries(st.sampled_from(Check), st.sampled_from(Level)).map(Verdict.of),
)
_flags = st.lists(
    st.builds(InstrumentFlag, st.sampled_from(Pollutant), st.text(max_size=8), st.none() | st.floats(0, 500)),
    max_size=3,
)
_stations = st.builds(
    Station,
    station_id=st.sampled_from(["중구", "b", "c"]),
    display_name=st.just("역"),
    location=st.builds(Point, st.sampled_from([36.0, 37.0, 38.0]), st.sampled_from([126.0, 127.0])),
    network=st.sampled_from(Network),
    simulated=st.booleans(),
)
_readings = st.builds(
    Reading,
    _stations,
    st.integers(0, 5).map(lambda hour: START + hour * HOUR),
    st.builds(
        Measurement,
        _values,
        _flags.map(tuple),
        st.none() | st.integers(0, 500),
        st.none() | st.sampled_from(Grade),
        _verdicts,
    ),
)
_stored = st.lists(st.tuples(_readings, st.integers(1, 2), st.integers(1, 3)), min_size=1, max_size=12).map(
    lambda rows: [
        StoredReading(reading, revision, sum(step for _, _, step in rows[: place + 1]))
        for place, (reading, revision, _) in enumerate(rows)
    ]
)
_filters = st.builds(
    ReadingFilter,
    measured_after=st.none() | st.integers(-1, 5).map(lambda hour: START + hour * HOUR),
    station_ids=st.frozensets(st.sampled_from(["중구", "b", "x"])),
    region=st.none() | st.just(Region(Point(37.0, 126.0), Point(38.0, 126.5))),
    pollutants=st.frozensets(st.sampled_from(Pollutant)),
)


def change_of(stored: StoredReading) -> Change:
    """As the store would read it."""
    row = to_row(stored.reading)
    return Change._make(
        (
            *row[:6],
            *row[7:19],
            *row[19:21],
            stored.revision,
            stored.sequence,
            stored.reading.measured_at,
            stored.reading.measurement.flags,
        )
    )


def batch_of(stored: Sequence[StoredReading], after: int = 0) -> Batch:
    changes = [change_of(one) for one in stored]
    return Batch.of(after, changes, CODEC.encode(changes))


def is_wanted(stored: StoredReading, wanted: ReadingFilter) -> bool:
    """The words of the contract, one by one."""
    reading = stored.reading
    if wanted.measured_after is not None and reading.measured_at <= wanted.measured_after:
        return False
    if wanted.station_ids and reading.station.station_id not in wanted.station_ids:
        return False
    if wanted.region is not None:
        place, low, high = reading.station.location, wanted.region.southwest, wanted.region.northeast
        if not (low.latitude <= place.latitude <= high.latitude and low.longitude <= place.longitude <= high.longitude):
            return False
    told = {*reading.measurement.values, *(flag.pollutant for flag in reading.measurement.flags)}
    return not wanted.pollutants or stored.revision > 1 or bool(told & wanted.pollutants)


@settings(max_examples=25, deadline=None)
@given(stored=_stored)
def test_a_change_is_encoded_as_the_message_of_its_reading(stored: list[StoredReading]) -> None:
    encoded = CODEC.encode([change_of(one) for one in stored])
    element = StreamReadingsResponse.FromString(b"".join(encoded))
    assert list(element.readings) == [reading_to_wire(one) for one in stored]


@settings(max_examples=25, deadline=None)
@given(stored=_stored, wanted=_filters, limit=st.integers(1, 6), start=st.integers(0, 12))
def test_a_filter_takes_what_the_contract_says_in_steps_that_miss_and_double_nothing(
    stored: list[StoredReading], wanted: ReadingFilter, limit: int, start: int
) -> None:
    batch, position = batch_of(stored), start
    seen: list[reading_pb2.Reading] = []
    while position < batch.last:
        taken = wanted.take(batch, position, limit)
        readings = StreamReadingsResponse.FromString(b"".join(taken.parts)).readings
        assert len(readings) == taken.count <= limit
        assert taken.position > position
        seen += readings
        position = taken.position
    assert seen == [reading_to_wire(one) for one in stored if one.sequence > start and is_wanted(one, wanted)]


@settings(max_examples=25, deadline=None)
@given(stored=_stored, pollutants=st.frozensets(st.sampled_from(Pollutant), min_size=1))
def test_narrowed_readings_tell_of_nothing_else(stored: list[StoredReading], pollutants: frozenset[Pollutant]) -> None:
    narrowed = StreamReadingsResponse.FromString(CODEC.narrow(batch_of(stored).body, pollutants)).readings
    expected = []
    for one in stored:
        measurement = one.reading.measurement
        kept = Measurement(
            {pollutant: value for pollutant, value in measurement.values.items() if pollutant in pollutants},
            tuple(flag for flag in measurement.flags if flag.pollutant in pollutants),
            measurement.air_quality_index,
            measurement.grade,
            {pollutant: verdict for pollutant, verdict in measurement.verdicts.items() if pollutant in pollutants},
        )
        reading = Reading(one.reading.station, one.reading.measured_at, kept)
        expected.append(reading_to_wire(StoredReading(reading, one.revision, one.sequence)))
    assert list(narrowed) == expected


@settings(max_examples=25, deadline=None)
@given(stored=_stored, cuts=st.lists(st.integers(1, 11)), reach=st.integers(0, 40))
def test_a_window_holds_its_end_of_the_log_however_it_came_in(
    stored: list[StoredReading], cuts: list[int], reach: int
) -> None:
    log, whole = ChangeLog("epoch", 0, 1 << 20), batch_of(stored)
    for cut in [*sorted({cut for cut in cuts if cut < len(stored)}), len(stored)]:
        # Each piece goes back over what came before, as a relay and a look at the store may.
        log.append(whole.rows(0, cut))
    sequences: list[int] = []
    position = reach
    while (batch := log.after(position)) is not None:
        sequences += batch.index["sequence"][batch.place_after(position) :].tolist()
        position = batch.last
    assert sequences == [one.sequence for one in stored if one.sequence > reach]
    assert b"".join(batch.body for batch in log.batches_after(0)) == whole.body


@settings(max_examples=25, deadline=None)
@given(stored=_stored, noise=st.binary(max_size=60))
def test_a_packed_batch_is_the_batch_and_nothing_else_is(stored: list[StoredReading], noise: bytes) -> None:
    batch = batch_of(stored, after=0)
    again = Batch.unpack(batch.pack())
    assert (again.after, again.body, again.index.tolist()) == (batch.after, batch.body, batch.index.tolist())
    for broken in (noise, batch.pack()[:-1], batch.pack() + b"x"):
        with pytest.raises(UnreadableBatch):
            Batch.unpack(broken)


def test_a_window_stays_within_its_size_and_says_where_it_starts() -> None:
    log = ChangeLog("epoch", 0, 100_000)
    for first in range(0, 20_000, 400):
        stored = [_stored_reading(number) for number in range(first + 1, first + 401)]
        log.append(batch_of(stored, after=first))
        assert log.size <= 100_000
    assert 0 < log.start < log.head == 20_000
    after = log.after(log.start)
    assert after is not None
    assert int(after.index["sequence"][0]) == log.start + 1


def test_a_gap_is_no_part_of_a_window() -> None:
    log = ChangeLog("epoch", 5, 1 << 20)
    with pytest.raises(ValueError, match="changes 6 to 7 are missing"):
        log.append(batch_of([_stored_reading(8)], after=7))


def _stored_reading(number: int) -> StoredReading:
    station = Station(f"{number}", "역", Point(37.5, 127.0))
    return StoredReading(Reading(station, MEASURED_AT, Measurement({Pollutant.PM25: 1.0})), 1, number)


async def _store(ingestion: Assembly, numbers: Sequence[int], value: float = 1.0) -> None:
    readings = [
        Reading(
            Station(f"{number % 997}", "역", Point(37.5, 127.0)),
            MEASURED_AT - (number // 997) * HOUR,
            Measurement({Pollutant.PM25: value}),
        )
        for number in numbers
    ]
    await ingestion.store.save(readings, NOW)


@asynccontextmanager
async def _feed(ingestion: Assembly, window_bytes: int = 1 << 20) -> AsyncIterator[ChangeFeed]:
    async with ChangeFeed(ChangeStore(ingestion.database), CODEC, ingestion.bell, window_bytes) as feed:
        await feed.look()
        yield feed


async def _all(feed: ChangeFeed, position: int = 0) -> list[int]:
    sequences: list[int] = []
    while (batch := await feed.after(position)) is not None:
        sequences += batch.index["sequence"][batch.place_after(position) :].tolist()
        position = sequences[-1]
    return sequences


async def _sequences(ingestion: Assembly, after: int = 0) -> list[int]:
    return [stored.sequence for stored in await ingestion.store.changes(after, 100_000)]


async def test_pages_and_window_are_one_log(ingestion: Assembly) -> None:
    await _store(ingestion, range(3 * READINGS_A_PAGE + 10))
    async with _feed(ingestion) as feed:
        # Corrected and new: pages that have been read hold what they held, and what changed comes behind.
        await _store(ingestion, range(500, 1200), value=2.0)
        await feed.look()
        for position in (0, 1, 999, 1000, 1001, 2500, 3010, 3011, 3710):
            assert await _all(feed, position) == await _sequences(ingestion, position)


async def test_a_log_full_of_holes_is_read_whole(ingestion: Assembly) -> None:
    await _store(ingestion, range(5000))
    for value in range(2, 5):
        await _store(ingestion, range(0, 5000, 3), value=float(value))
    await _store(ingestion, range(3400), value=9.0)
    async with _feed(ingestion) as feed:
        assert await _all(feed) == await _sequences(ingestion)


async def test_those_who_catch_up_together_read_each_page_once(ingestion: Assembly) -> None:
    await _store(ingestion, range(4 * READINGS_A_PAGE))
    reads: list[str] = []
    async with _feed(ingestion) as feed:

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            reads.append(statement)

        event.listen(ingestion.database.engine.sync_engine, "before_cursor_execute", note)
        everything = await asyncio.gather(*(_all(feed, position) for position in range(0, 1000, 100)))
    assert [len(one) for one in everything] == [4 * READINGS_A_PAGE - position for position in range(0, 1000, 100)]
    assert len([statement for statement in reads if "sequence >" in statement]) == 4


async def test_those_who_are_woken_together_look_once(ingestion: Assembly) -> None:
    async with _feed(ingestion) as feed:
        await _store(ingestion, range(5))
        ingestion.bell.ring()
        looks: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            looks.append(statement)

        event.listen(ingestion.database.engine.sync_engine, "before_cursor_execute", note)
        await asyncio.gather(*(feed.catch_up(ingestion.bell.rings) for _ in range(10)))
        assert len([statement for statement in looks if "reading_log" in statement]) == 1
        assert feed.log.head == 5


async def test_a_backfill_is_not_drawn_through_the_window(ingestion: Assembly) -> None:
    async with _feed(ingestion) as feed:
        await _store(ingestion, range(21 * READINGS_A_PAGE))
        await feed.look()
        assert feed.log.start == feed.log.head == 21 * READINGS_A_PAGE
        assert await _all(feed, 20_990) == list(range(20_991, 21_001))


@pytest.mark.parametrize("window_bytes", [1, 1 << 20])
async def test_a_window_of_any_size_gives_the_same(ingestion: Assembly, window_bytes: int) -> None:
    async with _feed(ingestion, window_bytes) as feed:
        for first in range(0, 2000, 250):
            await _store(ingestion, range(first, first + 250))
            await feed.look()
        assert await _all(feed) == list(range(1, 2001))
