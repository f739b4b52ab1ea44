"""The table of feeds: which are collected, and that its line is all that a source needs to be collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.feeds import FEEDS, UnknownFeed, chosen, daily_limits, opened
from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from tests.ingestion.assembly import SettableClock
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
