"""Only values that ambient air can hold are used; the others are kept with a word on why."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.pollutants import Pollutant
from ingestion.quality.cleaning import NOT_A_NUMBER, OURS, OUT_OF_RANGE, judge, measurement_of, rejudged
from ingestion.quality.observations import DECIMALS
from ingestion.quality.thresholds import THRESHOLDS
from ingestion.quality.verdict import ABSENT, Check, Level, Verdict
from ingestion.reading import InstrumentFlag, Measurement, RawMeasurement, RawValue, raw_number
from tests.ingestion.wire_rows import MEASURED_AT


def _judged(**raw: RawValue) -> Measurement:
    return judge(RawMeasurement("중구", MEASURED_AT, {Pollutant(name): value for name, value in raw.items()}))


def test_a_sound_value_is_used() -> None:
    assert _judged(PM25=RawValue(35.0)) == Measurement({Pollutant.PM25: 35.0})


def test_a_flag_wins_over_a_number_which_is_kept() -> None:
    judged = _judged(CO=RawValue(0.4, "자료이상"))
    assert judged.values == {}
    assert judged.flags == (InstrumentFlag(Pollutant.CO, "자료이상", 0.4),)


@pytest.mark.parametrize(
    ("pollutant", "number"),
    [("PM10", -1.0), ("PM10", 5000.5), ("PM25", 1001.0), ("O3", 5.3), ("CO", 71.7), ("NO2", -0.001), ("SO2", 9.0)],
)
def test_a_value_that_no_air_holds_is_flagged_and_kept(pollutant: str, number: float) -> None:
    judged = _judged(**{pollutant: RawValue(number)})
    assert judged.values == {}
    assert judged.flags == (InstrumentFlag(Pollutant(pollutant), OUT_OF_RANGE, number),)


def test_a_dust_storm_is_no_fault() -> None:
    assert _judged(PM10=RawValue(3311.0)).values == {Pollutant.PM10: 3311.0}


@given(st.sampled_from(Pollutant), st.floats(allow_nan=True, allow_infinity=True))
def test_every_value_is_either_used_in_range_or_flagged(pollutant: Pollutant, number: float) -> None:
    judged = _judged(**{pollutant.value: RawValue(number)})
    if pollutant in judged.values:
        assert 0.0 <= judged.values[pollutant] <= THRESHOLDS[pollutant].credible.high
        assert abs(judged.values[pollutant] - number) <= 0.5 * 10.0 ** -DECIMALS[pollutant] + 1e-12
    else:
        assert [flag.pollutant for flag in judged.flags] == [pollutant]


def test_what_cannot_be_kept_as_a_number_is_flagged_without_one() -> None:
    assert _judged(PM10=RawValue(float("nan"))).flags == (InstrumentFlag(Pollutant.PM10, NOT_A_NUMBER, None),)
    assert _judged(PM10=RawValue(float("inf"))).flags == (InstrumentFlag(Pollutant.PM10, NOT_A_NUMBER, None),)


def _raw() -> st.SearchStrategy[RawMeasurement]:
    number = st.one_of(st.none(), st.floats(-10, 6000), st.just(float("nan")))
    value = st.builds(RawValue, number, st.sampled_from([None, None, None, "점검및교정"]))
    raw = st.dictionaries(st.sampled_from(Pollutant), value)
    return st.builds(RawMeasurement, st.just("중구"), st.just(MEASURED_AT), raw, st.none(), st.none())


def _verdict() -> st.SearchStrategy[Verdict]:
    level = st.sampled_from([Level.PASS, Level.NOT_EVALUATED, Level.SUSPECT, Level.FAIL])
    return st.one_of(st.just(ABSENT), st.dictionaries(st.sampled_from(Check), level).map(Verdict.of))


_VERDICTS = st.lists(_verdict(), min_size=len(Pollutant), max_size=len(Pollutant))


@given(_raw(), _VERDICTS, _VERDICTS)
def test_no_failed_value_is_used_and_no_number_is_lost(
    row: RawMeasurement, verdicts: list[Verdict], later: list[Verdict]
) -> None:
    measurement = measurement_of(row, verdicts)
    for found in (measurement, rejudged(measurement, later)):
        for pollutant in Pollutant:
            raw = row.raw.get(pollutant, RawValue())
            if found.verdicts[pollutant].level is Level.FAIL or raw.flag is not None:
                assert pollutant not in found.values
            number = raw_number(found, pollutant)
            if raw.number is not None and math.isfinite(raw.number):
                assert number == pytest.approx(raw.number, abs=0.5 * 10.0 ** -DECIMALS[pollutant] + 1e-12)
            else:
                assert number is None


@given(_raw(), _VERDICTS, _VERDICTS)
def test_judged_again_as_at_first_nothing_is_another(
    row: RawMeasurement, verdicts: list[Verdict], later: list[Verdict]
) -> None:
    measurement = measurement_of(row, verdicts)
    assert rejudged(measurement, verdicts) == measurement
    assert rejudged(rejudged(measurement, later), later) == rejudged(measurement, later)


def test_a_failed_value_is_kept_with_the_checks_that_failed_it() -> None:
    row = RawMeasurement("중구", MEASURED_AT, {Pollutant.PM10: RawValue(3403.0)})
    verdict = Verdict.of({Check.RANGE: Level.SUSPECT, Check.SPIKE: Level.FAIL})
    measurement = measurement_of(row, [verdict if pollutant is Pollutant.PM10 else ABSENT for pollutant in Pollutant])
    assert measurement.flags == (InstrumentFlag(Pollutant.PM10, f"{OURS}spike", 3403.0),)
