"""The table of feeds: which are collected, and that its line is all that a source needs to be collected."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest
from cleanair.ingestion.v1.ingestion_service_pb2 import StreamReadingsResponse

from ingestion.collection import Collector
from ingestion.feeds import FEEDS, UnknownFeed, chosen, daily_limits, opened
from ingestion.quota import Unlimited
from ingestion.reading_filter import ReadingFilter
from ingestion.settings import IngestionSettings
from ingestion.stream import StreamQuestion
from ingestion.wire import element_to_wire
from simulation.openaq_server import OpenAqLocation, OpenAqSensor, OpenAqServer, SensorHour
from tests.ingestion.assembly import SettableClock, assembled, quick_settings
from tests.ingestion.wire_rows import NOW


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ["airkorea"]),
        ({"kma_key": "k"}, ["airkorea", "kma"]),
        ({"kma_url": "http://127.0.0.1:1"}, ["airkorea", "kma"]),
        ({"openaq_key": "k", "kma_key": "k"}, ["airkorea", "kma", "openaq"]),
        ({"feeds": "openaq, kma", "airkorea_key": "k"}, ["kma", "openaq"]),
    ],
)
def test_what_is_configured_is_collected_unless_feeds_are_named(given: dict[str, str], names: list[str]) -> None:
    assert [feed.name for feed in chosen(IngestionSettings.model_validate(given))] == names


def test_a_feed_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownFeed, match="airkorea, kma, openaq"):
        chosen(IngestionSettings.model_validate({"feeds": "airkorea,purpleair"}))


async def test_every_feed_of_the_table_opens_and_answers_something(tmp_path: Path) -> None:
    settings = IngestionSettings.model_validate({"data_dir": tmp_path, "openaq_bbox": [126.0, 37.0, 128.0, 38.0]})
    async with opened(FEEDS, settings, Unlimited(), SettableClock(NOW)) as feeds:
        assert [feed.feed.name for feed in feeds] == [feed.name for feed in FEEDS]
        for feed in feeds:
            ports = feed.ports
            assert ports.readings or ports.weather or ports.bulletins


def test_requests_are_counted_by_service_where_there_is_a_key() -> None:
    settings = IngestionSettings.model_validate(
        {"airkorea_key": "k", "airkorea_daily_requests": 7, "kma_key": "k", "kma_daily_requests": 9, "openaq_key": "k"}
    )
    assert daily_limits(FEEDS, settings) == {
        "ArpltnInforInqireSvc": 7,
        "MsrstnInfoInqireSvc": 7,
        "VilageFcstInfoService_2.0": 9,
    }
    assert daily_limits(FEEDS, IngestionSettings()) == {}


async def test_a_file_of_sources_and_a_line_are_all_that_a_feed_takes_from_its_answers_to_the_stream(
    tmp_path: Path,
) -> None:
    hours = [SensorHour(NOW.replace(minute=0) - timedelta(hours=ago), 10.0 + ago) for ago in range(3)]
    location = OpenAqLocation(2178, "Del Norte", 37.5, 127.0, [OpenAqSensor(11, "pm25", "µg/m³", hours)])
    with OpenAqServer([location], key="a key") as server:
        given = {"feeds": "openaq", "openaq_url": server.url, "openaq_key": "a key", "openaq_locations": [2178]}
        settings = quick_settings(tmp_path, "http://127.0.0.1:1", **given)
        async with assembled(settings) as parts, opened(chosen(settings), settings, Unlimited(), parts.clock) as feeds:
            (openaq,) = feeds
            assert openaq.ports.readings is not None
            collector = Collector(
                openaq.ports.readings, parts.store, parts.stations, parts.bell, parts.clock, feed=openaq.feed.name
            )
            collected, again = await collector.collect(), await collector.collect()
            question = StreamQuestion(token="", wanted=ReadingFilter())
            async with aclosing(parts.stream.follow(question)) as elements:
                element = await anext(elements)
            assert (collected.saved.new, again.saved.new, again.saved.unchanged) == (3, 0, 3)
            streamed = StreamReadingsResponse.FromString(element_to_wire(element)).readings
            assert {(reading.station.display_name, reading.pm25_ug_m3) for reading in streamed} == {
                ("Del Norte", 10.0),
                ("Del Norte", 11.0),
                ("Del Norte", 12.0),
            }
            assert {reading.station.station_id for reading in streamed} == {"openaq:2178"}
