"""Only values that ambient air can hold are used; the others are kept with a word on why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.pollutants import Pollutant
from ingestion.quality.cleaning import DECIMALS, HIGHEST, OUT_OF_RANGE, judge
from ingestion.reading import InstrumentFlag, Measurement, RawMeasurement, RawValue
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
        assert 0.0 <= judged.values[pollutant] <= HIGHEST[pollutant]
        assert abs(judged.values[pollutant] - number) <= 0.5 * 10.0 ** -DECIMALS[pollutant] + 1e-12
    else:
        assert [flag.pollutant for flag in judged.flags] == [pollutant]
