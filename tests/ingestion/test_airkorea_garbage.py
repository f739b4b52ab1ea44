"""Whatever comes in place of an answer, there are rows, rejected rows, or an error of ours; never anything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.quota import Unlimited
from ingestion.source import Rows, SourceError
from ingestion.sources.airkorea import AirKorea
from ingestion.sources.airkorea_bulletin import read_bulletins
from ingestion.sources.airkorea_row import read_history, read_measurements, read_stations
from ingestion.sources.data_go_kr_answer import Json, Row, read_answer
from simulation.airkorea_server import Reply
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import SettableClock, quick_settings
from tests.ingestion.wire_rows import NOW, bulletin_row, measurement_row_1_5, station_row

_Reader: TypeAlias = Callable[[Iterable[Row]], Rows[object]]

_READERS: tuple[_Reader, ...] = (
    read_measurements,
    lambda rows: read_history(rows, "중구"),
    read_stations,
    read_bulletins,
)
_FIELDS = sorted({*measurement_row_1_5(), *station_row(), *bulletin_row()})
_WORDS = [
    *(str(value) for value in measurement_row_1_5().values()),
    "-",
    "24:00",
    "37.5",
    "127.1",
    "서울 : 보통",
    "\ud800",
]
_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=6),
    max_leaves=20,
)
_ROW = st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=12)
_ENVELOPE = st.fixed_dictionaries(
    {"header": st.just({"resultCode": "00"}) | _JSON, "body": st.fixed_dictionaries({"items": st.lists(_ROW) | _JSON})}
)
_BODY = st.binary(max_size=300) | (_JSON | _ENVELOPE.map(lambda inner: {"response": inner})).map(
    lambda content: json.dumps(content).encode()
)


@given(rows=st.lists(_ROW, max_size=5))
def test_rows_of_any_shape_are_read_or_rejected(rows: list[Row]) -> None:
    for read in _READERS:
        found = read(rows)
        assert len(found.readable) + len(found.rejected) == len(rows)
        assert all(one.reason for one in found.rejected)


@given(status=st.sampled_from([200, 200, 200, 401, 500]), body=_BODY)
def test_bytes_of_any_kind_are_rows_or_an_error_with_a_code(status: int, body: bytes) -> None:
    try:
        rows = read_answer(status, body).rows
    except SourceError as error:
        assert error.code  # noqa: PT017 - either outcome is right
    else:
        for read in _READERS:
            read(rows)


@given(body=_BODY)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_over_the_wire_too(tmp_path: Path, replay: ReplayServer, body: bytes) -> None:
    replay.fail(Fault(Reply(body)))

    async def ask() -> None:
        async with AirKorea(quick_settings(tmp_path, replay.url), Unlimited(), SettableClock(NOW)) as source:
            questions: list[Callable[[], Awaitable[Rows[object]]]] = [
                source.stations,
                source.measurements,
                lambda: source.history("중구", NOW - timedelta(hours=3)),
                lambda: source.bulletins(NOW.date()),
            ]
            for question in questions:
                try:
                    await question()
                except SourceError as error:
                    assert error.code  # noqa: PT017 - either outcome is right

    asyncio.run(ask())
