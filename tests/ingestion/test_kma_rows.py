"""KMA's rows, one a category, become the weather of an hour, with every wording that it has for rain and snow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.source import RejectedRow, SourceError
from ingestion.sources.data_go_kr_answer import Json, Row, read_answer
from ingestion.sources.kma_amount import read_amount
from ingestion.sources.kma_rows import read_forecasts, read_observations
from ingestion.weather import Amount, Cell, Conditions, Precipitation, Product, Sky, WeatherObservation
from tests.ingestion.kma_wire import SHORT, ULTRA_SHORT, forecast_rows, observation_rows

SEOUL = Cell(60, 127)
ELEVEN = datetime(2026, 1, 22, 2, tzinfo=UTC)
"""11:00 in Seoul."""


def _recorded(real_data: Path, name: str) -> tuple[Row, ...]:
    return read_answer(200, (real_data / "api_samples" / name).read_bytes()).rows


def _reasons(rejected: tuple[RejectedRow, ...]) -> list[str]:
    return [f"{row.subject}: {row.reason}" for row in rejected]


def test_the_rows_of_an_hour_become_one_observation() -> None:
    conditions = Conditions(
        temperature=-8.1,
        humidity=34.0,
        precipitation=Precipitation.NONE,
        precipitation_amount=Amount(0.0, "0"),
        wind_east=3.2,
        wind_north=-0.1,
        wind_direction=272.0,
        wind_speed=3.2,
    )
    rows = read_observations(observation_rows())
    assert rows.readable == (WeatherObservation(SEOUL, ELEVEN, conditions),)
    assert rows.rejected == ()


def test_numbers_are_read_as_their_texts_are() -> None:
    numbers: dict[str, Json] = {"T1H": -8.1, "REH": 34, "PTY": 0, "RN1": 0, "VEC": 272}
    old = read_observations(observation_rows(numbers, base=(20260122, 1100)))
    assert old.readable == read_observations(observation_rows()).readable
    early = read_observations(observation_rows(base=(20260122, 500)))
    assert early.readable[0].observed_at == datetime(2026, 1, 21, 20, tzinfo=UTC)


@pytest.mark.real_data
def test_recorded_observations_are_read(real_data: Path) -> None:
    winter = read_observations(_recorded(real_data, "kma_getUltraSrtNcst_60_127_20260122T1100.json"))
    autumn = read_observations(_recorded(real_data, "kma_getUltraSrtNcst_60_127_20261002T0000.json"))
    assert winter.rejected == autumn.rejected == ()
    assert winter.readable[0].observed_at == ELEVEN
    assert winter.readable[0].conditions.temperature == -8.1
    observation = autumn.readable[0]
    assert (observation.cell, observation.observed_at) == (SEOUL, datetime(2026, 10, 1, 15, tzinfo=UTC))
    wind = observation.conditions
    assert (wind.wind_east, wind.wind_north, wind.wind_direction, wind.wind_speed) == (2.2, -2.9, 324.0, 3.7)


@pytest.mark.real_data
def test_a_recorded_ultra_short_forecast_is_read(real_data: Path) -> None:
    name = "kma_getUltraSrtFcst_60_127_20261002T0000.json"
    rows = read_forecasts(_recorded(real_data, name), Product.ULTRA_SHORT)
    assert rows.rejected == ()
    assert [row.valid_at.hour for row in rows.readable] == [16, 17, 18, 19, 20, 21]
    assert [row.conditions.temperature for row in rows.readable] == [15, 14, 13, 12, 12, 12]
    assert {row.sky for row in rows.readable} == {Sky.CLEAR}
    assert {row.precipitation_probability for row in rows.readable} == {0.0}
    assert {row.conditions.precipitation_amount for row in rows.readable} == {Amount(0.0, "강수없음")}


@pytest.mark.real_data
def test_a_recorded_short_forecast_is_read(real_data: Path) -> None:
    name = "kma_getVilageFcst_60_127_20261001T2300_excerpt.json"
    rows = read_forecasts(_recorded(real_data, name), Product.SHORT)
    assert rows.rejected == ()
    assert {row.issued_at for row in rows.readable} == {datetime(2026, 10, 1, 14, tzinfo=UTC)}
    by_hour = {row.valid_at: row for row in rows.readable}
    assert len(by_hour) == len(rows.readable) == 9
    morning, noon = (by_hour[datetime(2026, 10, 1, 21, tzinfo=UTC)], by_hour[datetime(2026, 10, 2, 6, tzinfo=UTC)])
    assert (morning.day_minimum, morning.day_maximum) == (12.0, None)
    assert (noon.day_minimum, noon.day_maximum) == (None, 21.0)
    # Words for two days, plain numbers from there on.
    late = by_hour[datetime(2026, 10, 4, 18, tzinfo=UTC)]
    assert late.conditions.precipitation_amount == Amount(2.0, "2")
    assert late.conditions.precipitation is Precipitation.RAIN
    assert (late.precipitation_probability, late.sky, late.snow_amount) == (70.0, Sky.OVERCAST, Amount(0.0, "0"))


def test_rows_ordered_by_category_and_by_hour_give_the_same_forecast() -> None:
    hours = [("20260123", f"{hour:02d}00") for hour in range(6)]
    by_hour = [row for hour in hours for row in forecast_rows(ULTRA_SHORT, valid=hour)]
    by_category = sorted(by_hour, key=lambda row: str(row["category"]))
    read = read_forecasts(by_category, Product.ULTRA_SHORT)
    assert read.readable == read_forecasts(by_hour, Product.ULTRA_SHORT).readable
    assert len(read.readable) == 6
    assert read.readable[0].conditions.precipitation_amount == Amount(0.5, "1mm 미만")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("강수없음", 0.0),
        ("적설없음", 0.0),
        ("-", 0.0),
        ("0", 0.0),
        ("0.4", 0.4),
        ("2", 2.0),
        ("1mm 미만", 0.5),
        ("1.0mm 미만", 0.5),
        ("0.5cm 미만", 0.25),
        ("1cm 미만", 0.5),
        ("1.0mm", 1.0),
        ("6.2mm", 6.2),
        ("30.0~50.0mm", 40.0),
        ("30.0mm~50.0mm", 40.0),
        ("50.0mm 이상", 50.0),
        ("50.0mm이상", 50.0),
        ("5.0cm 이상", 5.0),
    ],
)
def test_every_wording_of_an_amount_has_a_number(text: str, number: float) -> None:
    assert read_amount(text) == Amount(number, text)


@pytest.mark.parametrize("text", ["", "비", "mm", "-1", "1e3", "nan", "많음 1mm", "1mm 미만 2mm 미만", "1234567mm"])
def test_what_is_no_amount_has_none(text: str) -> None:
    assert read_amount(text) is None


@pytest.mark.parametrize("sentinel", ["-999", "-998.9", -999.0, "900", "999.9", None, ""])
def test_a_sentinel_is_no_value_and_no_fault(sentinel: Json) -> None:
    rows = read_observations(observation_rows({"T1H": sentinel, "RN1": sentinel, "PTY": sentinel}))
    conditions = rows.readable[0].conditions
    assert (conditions.temperature, conditions.precipitation_amount, conditions.precipitation) == (None, None, None)
    assert conditions.humidity == 34.0
    assert rows.rejected == ()


def test_an_hour_without_any_value_is_no_observation() -> None:
    assert read_observations(observation_rows(obsrValue="-999")).readable == ()


@pytest.mark.parametrize(
    ("category", "value"), [("T1H", "warm"), ("T1H", "70"), ("REH", "101"), ("PTY", "9"), ("RN1", "비"), ("VEC", "-1")]
)
def test_a_value_that_cannot_be_is_told_and_left_out(category: str, value: str) -> None:
    rows = read_observations(observation_rows({category: value}))
    assert len(rows.readable) == 1
    assert _reasons(rows.rejected) == [f"60,127 {category}: unreadable value {value}"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"nx": 150}, "cell off the grid"),
        ({"ny": None}, "no cell"),
        ({"baseDate": "20260231"}, "unreadable hour"),
        ({"baseTime": "2400"}, "unreadable hour"),
        ({"baseTime": "eleven"}, "no hour"),
        ({"baseDate": "00010101", "baseTime": "0000"}, "unreadable hour"),
    ],
)
def test_a_row_of_no_cell_or_no_hour_is_told(fields: dict[str, Json], reason: str) -> None:
    rows = read_observations([{**row, **fields} for row in observation_rows()])
    assert rows.readable == ()
    assert {row.reason for row in rows.rejected} == {reason}


def test_a_category_that_nobody_uses_is_passed_over() -> None:
    assert read_forecasts(forecast_rows(ULTRA_SHORT, {"LGT": "무엇"}), Product.ULTRA_SHORT).rejected == ()


def test_the_last_of_two_rows_of_one_category_stands() -> None:
    rows = [*observation_rows(), *observation_rows({"T1H": "-7.9"})]
    assert [row.conditions.temperature for row in read_observations(rows).readable] == [-7.9]


def test_only_the_simulated_feed_is_simulated() -> None:
    assert not read_forecasts(forecast_rows(SHORT), Product.SHORT).readable[0].simulated
    assert read_forecasts(forecast_rows(SHORT, source="모의"), Product.SHORT).readable[0].simulated


_NAMES = ("baseDate", "baseTime", "fcstDate", "fcstTime", "category", "nx", "ny", "obsrValue", "fcstValue", "source")
_LIKELY = st.sampled_from(("20260122", "1100", "TMP", "T1H", "PCP", "SNO", "PTY", "SKY", 60, 127, "1mm 미만", "-999"))
_TEXT = st.text("0123456789.-+~ eE강수적설없음mc미만이상모의\0\N{ARABIC-INDIC DIGIT ONE}", max_size=12)
_ANYTHING: st.SearchStrategy[Json] = st.none() | _TEXT | st.integers() | st.floats() | st.booleans() | st.just([{}])
_ROWS = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _LIKELY | _ANYTHING)), max_size=4)


@given(_ROWS)
def test_no_row_breaks_the_parser(rows: list[dict[str, Json]]) -> None:
    for read in (read_observations(rows), read_forecasts(rows, Product.SHORT)):
        assert all(row.reason for row in read.rejected)


@given(st.binary() | _ROWS.map(lambda rows: json.dumps({"response": {"body": {"items": {"item": rows}}}}).encode()))
def test_only_our_own_errors_come_out_of_any_answer(body: bytes) -> None:
    try:
        rows = read_answer(200, body).rows
    except SourceError:
        return
    read_observations(rows)
    read_forecasts(rows, Product.ULTRA_SHORT)
