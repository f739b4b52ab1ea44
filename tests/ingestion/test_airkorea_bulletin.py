"""Each oddity of AirKorea's bulletins is read for what it means."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.index import Grade
from air.pollutants import Pollutant
from ingestion.bulletin import RegionGrade
from ingestion.sources.airkorea_bulletin import read_bulletin, read_bulletins
from ingestion.sources.data_go_kr_answer import Row, read_answer
from ingestion.sources.fields import UnreadableRow
from tests.ingestion.wire_rows import REGIONS, bulletin_row


def _row(**fields: str | None) -> Row:
    return cast(Row, bulletin_row(**fields))


def test_a_whole_row_is_read() -> None:
    bulletin = read_bulletin(_row())
    assert bulletin.issued_at == datetime(2026, 3, 15, 20, tzinfo=UTC)
    assert bulletin.target_date == date(2026, 3, 16)
    assert bulletin.pollutant is Pollutant.PM10
    assert bulletin.grades == tuple(RegionGrade(region, Grade.MODERATE) for region in REGIONS)
    assert len(bulletin.grades) == 19
    assert bulletin.overall == "○ [미세먼지] 전 권역이 '보통'으로 예상됩니다."
    assert bulletin.cause == "○ [미세먼지] 대기 확산이 원활합니다."
    assert not bulletin.simulated


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2023-06-03 23시 발표", datetime(2023, 6, 3, 14, tzinfo=UTC)),
        ("2023-06-03 5시 발표", datetime(2023, 6, 2, 20, tzinfo=UTC)),
        ("2023-06-03 05시 발표", datetime(2023, 6, 2, 20, tzinfo=UTC)),
        ("2023-06-03 23시", datetime(2023, 6, 3, 14, tzinfo=UTC)),
        ("2023-12-31 24시 발표", datetime(2023, 12, 31, 15, tzinfo=UTC)),
    ],
)
def test_the_time_of_issue_is_read_however_it_is_written(text: str, time: datetime) -> None:
    assert read_bulletin(_row(dataTime=text)).issued_at == time


@pytest.mark.parametrize(
    ("word", "grade"),
    [
        ("좋음", Grade.GOOD),
        ("보통", Grade.MODERATE),
        ("나쁨", Grade.UNHEALTHY),
        ("매우나쁨", Grade.VERY_UNHEALTHY),
        ("매우 나쁨", Grade.VERY_UNHEALTHY),
        ("예보없음", None),
    ],
)
def test_each_word_is_its_grade_and_no_forecast_is_none(word: str, grade: Grade | None) -> None:
    assert read_bulletin(_row(informGrade=f"서울 : {word},제주: 좋음")).grades[0] == RegionGrade("서울", grade)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"informCode": "NO2"}, "no pollutant that is forecast"),
        ({"informCode": None}, "no pollutant that is forecast"),
        ({"informData": "20230603"}, "unreadable day"),
        ({"informData": "2023-02-30"}, "unreadable day"),
        ({"informData": None}, "unreadable day"),
        ({"dataTime": "2023-06-03 25시 발표"}, "unreadable time of issue"),
        ({"dataTime": "2023-06-03 23:00"}, "unreadable time of issue"),
        ({"dataTime": "9999-12-31 24시"}, "unreadable time of issue"),
        ({"dataTime": None}, "unreadable time of issue"),
        ({"informGrade": None}, "no grades"),
        ({"informGrade": " , ,"}, "no grades"),
        ({"informGrade": "서울 보통"}, "unreadable grades"),
        ({"informGrade": "서울 : 최고"}, "unreadable grades"),
        ({"informGrade": " : 보통"}, "unreadable grades"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_its_reason(fields: dict[str, str | None], reason: str) -> None:
    with pytest.raises(UnreadableRow, match=reason):
        read_bulletin(_row(**fields))


def test_one_bad_row_costs_no_other() -> None:
    rows = read_bulletins([_row(), _row(informCode="O3", informGrade="?")])
    assert len(rows.readable) == 1
    assert [(row.subject, row.reason) for row in rows.rejected] == [("O3 2026-03-16", "unreadable grades")]


def test_the_other_spelling_of_the_outlook_is_read_and_lines_become_one() -> None:
    misspelt = {**_row(informOverall=None), "infornOverall": "○ 첫째 줄\n○ 둘째\x00 줄"}
    assert read_bulletin(misspelt).overall == "○ 첫째 줄 ○ 둘째 줄"
    assert not read_bulletin(_row(informOverall=None, informCause=None)).overall


def test_what_speaks_of_simulated_regions_alone_is_simulated() -> None:
    assert read_bulletin(_row(informGrade="모의도시 : 좋음")).simulated
    assert not read_bulletin(_row(informGrade="모의도시 : 좋음,서울 : 좋음")).simulated


_CELL = st.none() | st.text(max_size=40) | st.integers() | st.floats() | st.booleans() | st.lists(st.text(), max_size=1)
_GRADES = st.text("서울 :,보통좋음나쁨\n", max_size=40)
_TIME = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{1,2}시( 발표)?", fullmatch=True)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(_row(), _CELL)
        | {"informGrade": _GRADES | _CELL, "dataTime": _TIME | _CELL, "informCode": st.just("O3") | _CELL},
    )
)
def test_no_row_breaks_the_reader(fields: Row) -> None:
    rows = read_bulletins([{**_row(), **fields}])
    assert len(rows.readable) + len(rows.rejected) == 1
    assert all(one.issued_at.tzinfo is UTC and one.grades for one in rows.readable)


@pytest.mark.real_data
def test_recorded_bulletins_are_read_whole(real_data: Path) -> None:
    answer = read_answer(200, (real_data / "api_samples" / "airkorea_getMinuDustFrcstDspth_20230603.json").read_bytes())
    # More than the default of ten a page.
    assert answer.total_count == 28
    rows = read_bulletins(answer.rows)
    assert rows.rejected == ()
    assert {tuple(grade.region for grade in one.grades) for one in rows.readable} == {REGIONS}
    assert [(one.issued_at.hour, one.target_date.day, one.pollutant) for one in rows.readable] == [
        (14, 3, Pollutant.PM10),
        (14, 3, Pollutant.PM25),
        (14, 4, Pollutant.O3),
        (2, 4, Pollutant.PM10),
        (2, 4, Pollutant.PM25),
    ]
    ozone = {grade.region: grade.grade for grade in rows.readable[2].grades}
    assert (ozone["서울"], ozone["인천"]) == (Grade.MODERATE, Grade.UNHEALTHY)
    assert rows.readable[2].overall.startswith("○ [오존] 인천·경기도·충북")
