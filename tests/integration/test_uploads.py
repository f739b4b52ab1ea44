"""Uploads over both databases: each batch is stored and acknowledged together, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.intake import JudgeByRow, PlacedRow
from ingestion.reading import RawMeasurement, RawValue
from ingestion.store.uploads import UploadStore, UploadTaken
from ingestion.upload import MOST_REJECTIONS, MixedUpload, UploadBatch, Uploaded, Uploader, UploadGap
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT

HOUR = timedelta(hours=1)


both_databases = pytest.mark.parametrize("ingestion", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
async def ingestion(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Assembly]:
    on_postgres = getattr(request, "param", "sqlite") == "postgres"
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if on_postgres else None
    async with assembled(quick_settings(tmp_path, "http://127.0.0.1:9", database_url=url)) as parts:
        yield parts


@pytest.fixture
def uploader(ingestion: Assembly) -> Uploader:
    uploads = UploadStore(ingestion.database)
    return Uploader(ingestion.store, ingestion.stations, uploads, JudgeByRow(), ingestion.bell, ingestion.clock)


def row(number: int, value: float = 1.0, hour: int = 0) -> PlacedRow:
    station = Station(f"s{number}", f"s{number}", Point(37.5, 127.0 + number / 100))
    return PlacedRow(
        station, RawMeasurement(station.station_id, MEASURED_AT - hour * HOUR, {Pollutant.PM25: RawValue(value)})
    )


def batch(sequence: int, rows: Sequence[PlacedRow], *, keep_known: bool = False, feed: str = "push") -> UploadBatch:
    return UploadBatch("one", sequence, feed, rows, keep_known=keep_known)


async def sent(*batches: UploadBatch) -> AsyncGenerator[UploadBatch, None]:
    for one in batches:
        yield one


def counts(uploaded: Uploaded) -> tuple[int, int, int, int, int]:
    return uploaded.acknowledged, uploaded.new, uploaded.corrected, uploaded.unchanged, uploaded.rejected


async def values(ingestion: Assembly) -> dict[str, float]:
    stored = await ingestion.store.changes(0, 10_000)
    return {one.reading.station.station_id: one.reading.measurement.values[Pollutant.PM25] for one in stored}


@both_databases
async def test_batches_are_stored_in_order_and_counted(ingestion: Assembly, uploader: Uploader) -> None:
    uploaded = await uploader.take(
        sent(batch(1, [row(1), row(2)]), batch(2, [row(2), row(3)]), batch(3, []), batch(4, [row(1, 5.0)]))
    )
    assert counts(uploaded) == (4, 3, 1, 1, 0)
    assert await values(ingestion) == {"s1": 5.0, "s2": 1.0, "s3": 1.0}
    assert await uploader.acknowledged("one") == 4
    assert await uploader.acknowledged("another") == 0


async def test_what_is_acknowledged_is_passed_over_and_the_rest_is_taken(
    ingestion: Assembly, uploader: Uploader
) -> None:
    await uploader.take(sent(batch(1, [row(1)]), batch(2, [row(2)])))
    again = await uploader.take(sent(batch(1, [row(1, 9.0)]), batch(2, [row(2, 9.0)]), batch(3, [row(3)])))
    assert counts(again) == (3, 1, 0, 0, 0)
    assert await values(ingestion) == {"s1": 1.0, "s2": 1.0, "s3": 1.0}


async def test_a_gap_is_refused_and_named_and_what_came_before_it_stays(uploader: Uploader) -> None:
    with pytest.raises(UploadGap) as refused:
        await uploader.take(sent(batch(1, [row(1)]), batch(3, [row(3)])))
    assert refused.value.metadata == {"expected_sequence": "2"}
    assert await uploader.acknowledged("one") == 1


async def test_one_call_takes_one_upload(uploader: Uploader) -> None:
    with pytest.raises(MixedUpload):
        await uploader.take(sent(batch(1, [row(1)]), batch(2, [row(2)], feed="other")))


@both_databases
async def test_kept_known_hours_stay_as_they_are(ingestion: Assembly, uploader: Uploader) -> None:
    await uploader.take(sent(batch(1, [row(1)])))
    kept = await uploader.take(sent(batch(2, [row(1, 9.0), row(2, 9.0)], keep_known=True)))
    assert counts(kept) == (2, 1, 0, 1, 0)
    assert await values(ingestion) == {"s1": 1.0, "s2": 9.0}


async def test_a_reading_of_the_past_does_not_move_its_station_and_one_of_today_does(
    ingestion: Assembly, uploader: Uploader
) -> None:
    def standing(latitude: float, hour: int) -> PlacedRow:
        placed = row(1, hour=hour)
        return replace(placed, station=replace(placed.station, location=Point(latitude, 127.0)))

    async def places() -> list[float]:
        return [place.station.location.latitude for place in await ingestion.stations.history("s1")]

    await uploader.take(sent(batch(1, [standing(37.5, 0)])))
    await uploader.take(sent(batch(2, [standing(37.4, 24 * 365)])))
    assert await places() == [37.5]
    await uploader.take(sent(batch(3, [standing(37.6, 0)])))
    assert await places() == [37.5, 37.6]


async def test_a_station_belongs_to_the_feed_that_brought_it_first(ingestion: Assembly, uploader: Uploader) -> None:
    await uploader.take(sent(batch(1, [row(1)])))
    other = await uploader.take(sent(UploadBatch("two", 1, "rival", [row(1, 9.0), row(2)])))
    assert counts(other) == (1, 1, 0, 0, 1)
    assert [(one.station_id, one.reason) for one in other.rejections] == [("s1", "the station belongs to another feed")]
    assert (await values(ingestion))["s1"] == 1.0


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (row(1, hour=-1), "measured_at is in the future"),
        (row(1, hour=24 * 365 * 50), "measured_at is before 1990"),
        (row(1, float("nan")), "values must be finite numbers"),
        (PlacedRow(Station("x" * 21, "x", Point(37.5, 127.0)), row(1).row), "station_id must have 1 to 20 characters"),
        (PlacedRow(Station("x", "x", Point(float("nan"), 127.0)), row(1).row), "the station has no location"),
        (
            PlacedRow(row(1).station, RawMeasurement("s1", MEASURED_AT - HOUR / 2, {})),
            "measured_at is not on the hour",
        ),
    ],
    ids=["future", "distant past", "not finite", "long id", "no place", "half past"],
)
async def test_a_faulty_reading_is_refused_by_itself(uploader: Uploader, faulty: PlacedRow, reason: str) -> None:
    uploaded = await uploader.take(sent(batch(1, [row(7), faulty])))
    assert counts(uploaded) == (1, 1, 0, 0, 1)
    assert [(one.sequence, one.reason) for one in uploaded.rejections] == [(1, reason)]


async def test_refusals_are_told_up_to_a_number_and_counted_beyond(uploader: Uploader) -> None:
    faulty = [row(number, float("inf")) for number in range(MOST_REJECTIONS)]
    uploaded = await uploader.take(sent(batch(1, faulty), batch(2, faulty)))
    assert (uploaded.rejected, len(uploaded.rejections)) == (2 * MOST_REJECTIONS, MOST_REJECTIONS)


@both_databases
async def test_two_who_send_the_same_upload_store_each_batch_once(ingestion: Assembly, uploader: Uploader) -> None:
    async def send(value: float) -> int:
        try:
            return counts(await uploader.take(sent(*(batch(n, [row(n, value)]) for n in range(1, 6)))))[1]
        except (UploadTaken, UploadGap):
            return -1

    stored = await asyncio.gather(send(1.0), send(2.0))
    assert max(stored) > 0
    changes = await ingestion.store.changes(0, 100)
    assert {one.revision for one in changes} == {1}
    assert len(changes) == await uploader.acknowledged("one")


async def test_the_next_batch_is_not_asked_for_before_the_last_is_stored(uploader: Uploader) -> None:
    stored_when_asked = []

    async def watched() -> AsyncGenerator[UploadBatch, None]:
        for sequence in range(1, 4):
            stored_when_asked.append(await uploader.acknowledged("one"))
            yield batch(sequence, [row(sequence)])

    await uploader.take(watched())
    assert stored_when_asked == [0, 1, 2]


async def test_a_draining_server_answers_with_what_is_acknowledged(ingestion: Assembly, uploader: Uploader) -> None:
    waits = asyncio.Event()

    async def slow() -> AsyncGenerator[UploadBatch, None]:
        yield batch(1, [row(1)])
        waits.set()
        await asyncio.Event().wait()

    taking = asyncio.create_task(uploader.take(slow()))
    await waits.wait()
    ingestion.bell.close()
    assert counts(await taking) == (1, 1, 0, 0, 0)


async def test_followers_of_the_stream_are_told(ingestion: Assembly, uploader: Uploader) -> None:
    rings = ingestion.bell.rings
    await uploader.take(sent(batch(1, [row(1)])))
    assert ingestion.bell.rings > rings
