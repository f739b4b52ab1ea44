"""The client that all services of data.go.kr share counts what it asks, and takes no rows for what they are."""

from __future__ import annotations

import pytest

from ingestion.quota import Unlimited
from ingestion.source import Quota, SourceQuotaExceeded, SourceUnavailable
from ingestion.sources.data_go_kr import DataGoKr
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.wire_rows import measurement_row, recording

_PATH = "ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"
_NO_DATA = Reply(b'{"response":{"header":{"resultCode":"03","resultMsg":"NO_DATA"}}}')


class _Allowance:
    """So many requests, and no more."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.taken: list[str] = []

    async def take(self, service: str) -> None:
        if not self.left:
            raise SourceQuotaExceeded("the day's requests are used up", code="QUOTA")
        self.left -= 1
        self.taken.append(service)


def _client(url: str, quota: Quota, attempts: int = 3) -> DataGoKr:
    return DataGoKr(
        url, None, quota=quota, timeout_seconds=5.0, attempts=attempts, retry_seconds=0.0, deadline_seconds=10.0
    )


async def test_every_request_is_counted_pages_and_retries_too(replay: ReplayServer) -> None:
    replay.replace(recording([measurement_row(f"역{number}") for number in range(5)]))
    replay.fail_next(Fault(gateway_error("1", "APPLICATION_ERROR")))
    quota = _Allowance(10)
    async with _client(replay.url, quota) as client:
        rows = await client.rows(_PATH, {}, page_size=2)
    assert [row["stationName"] for row in rows] == [f"역{number}" for number in range(5)]
    assert quota.taken == ["ArpltnInforInqireSvc"] * 4 == ["ArpltnInforInqireSvc"] * len(replay.requests)


async def test_retries_never_ask_more_than_the_quota_allows(replay: ReplayServer) -> None:
    replay.fail(Fault(gateway_error("1", "APPLICATION_ERROR")))
    async with _client(replay.url, _Allowance(2), attempts=9) as client:
        with pytest.raises(SourceQuotaExceeded):
            await client.rows(_PATH, {})
    assert len(replay.requests) == 2


async def test_no_data_is_no_rows_and_asked_for_again_only_where_that_helps(replay: ReplayServer) -> None:
    async with _client(replay.url, Unlimited()) as client:
        replay.fail_next(Fault(_NO_DATA))
        assert await client.rows(_PATH, {}) == ()
        replay.fail_next(Fault(_NO_DATA))
        assert len(await client.rows(_PATH, {}, ask_again_when_empty=True)) == 2


async def test_a_slow_drip_of_pages_ends_at_the_deadline(replay: ReplayServer) -> None:
    replay.replace(recording([measurement_row(f"역{number}") for number in range(20)]))
    replay.fail(Fault(delay_seconds=0.05))
    client = DataGoKr(
        replay.url, None, quota=Unlimited(), timeout_seconds=5, attempts=1, retry_seconds=0, deadline_seconds=0.2
    )
    async with client:
        with pytest.raises(SourceUnavailable) as raised:
            await client.rows(_PATH, {}, page_size=1)
    assert raised.value.code == "TIMEOUT"
