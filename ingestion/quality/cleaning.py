"""Makes measurements of raw numbers and what they were found to be worth: which may be used, and why others may not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from air.index import Grade
from air.pollutants import Pollutant
from ingestion.quality.observations import DECIMALS
from ingestion.quality.thresholds import THRESHOLDS
from ingestion.quality.verdict import Check, Level, Verdict
from ingestion.reading import InstrumentFlag, Measurement, RawMeasurement, RawValue, raw_number

OURS: Final = "cleanair: "
"""Our own words on a value begin like this, the network's do not."""

OUT_OF_RANGE: Final = f"{OURS}{Check.RANGE.name.lower()}"
"""Our word on a value that no ambient air holds."""

NOT_A_NUMBER: Final = f"{OURS}not a number"
"""Our word on what cannot even be kept."""


_POLLUTANTS: Final = tuple(Pollutant)
_NOTHING: Final = RawValue()
_PASSES: Final = Verdict.of({Check.RANGE: Level.PASS})
_OUT_OF_RANGE: Final = Verdict.of({Check.RANGE: Level.FAIL})
# Millions of values share some hundred verdicts.
_verdict: Final = lru_cache(maxsize=4096)(Verdict)


def judge(row: RawMeasurement) -> Measurement:
    """The values of a row that may be used, by what can be said without its context; it leaves no verdicts."""
    values: dict[Pollutant, float] = {}
    flags: list[InstrumentFlag] = []
    for pollutant in _POLLUTANTS:
        raw, credible = row.raw.get(pollutant, _NOTHING), THRESHOLDS[pollutant].credible
        is_credible = raw.number is None or credible.low <= raw.number <= credible.high
        _place(values, flags, pollutant, raw, _PASSES if is_credible else _OUT_OF_RANGE)
    return Measurement(values, tuple(flags), row.air_quality_index, row.grade)


def measurement_of(row: RawMeasurement, verdicts: Iterable[int]) -> Measurement:
    """The measurement of a row whose values were found to be worth this, in the order of `Pollutant`."""
    return _measurement(row.raw, verdicts, row.air_quality_index, row.grade)


def rejudged(measurement: Measurement, verdicts: Iterable[int]) -> Measurement:
    """The same numbers under other verdicts, in the order of `Pollutant`."""
    # Our own words but one are the verdict's, and come anew with it.
    words = {f.pollutant: f.text for f in measurement.flags if f.text == NOT_A_NUMBER or not f.text.startswith(OURS)}
    raw = {pollutant: RawValue(raw_number(measurement, pollutant), words.get(pollutant)) for pollutant in _POLLUTANTS}
    return _measurement(raw, verdicts, measurement.air_quality_index, measurement.grade)


def _measurement(
    raw: Mapping[Pollutant, RawValue], verdicts: Iterable[int], index: int | None, grade: Grade | None
) -> Measurement:
    values: dict[Pollutant, float] = {}
    flags: list[InstrumentFlag] = []
    judged = {pollutant: _verdict(verdict) for pollutant, verdict in zip(_POLLUTANTS, verdicts, strict=True)}
    for pollutant, verdict in judged.items():
        _place(values, flags, pollutant, raw.get(pollutant, _NOTHING), verdict)
    return Measurement(values, tuple(flags), index, grade, judged)


def _place(
    values: dict[Pollutant, float],
    flags: list[InstrumentFlag],
    pollutant: Pollutant,
    raw: RawValue,
    verdict: Verdict,
) -> None:
    """Puts a number among the values, or with a word on it among the flags; the network's word wins over ours."""
    number, word = raw.number, raw.flag
    if number is None:
        if word is not None:
            flags.append(InstrumentFlag(pollutant, word))
    elif not math.isfinite(number):
        flags.append(InstrumentFlag(pollutant, word or NOT_A_NUMBER))
    elif word is not None:
        flags.append(InstrumentFlag(pollutant, word, number))
    elif verdict.level is Level.FAIL:
        failed = ", ".join(check.name.lower() for check in verdict.checks(Level.FAIL))
        flags.append(InstrumentFlag(pollutant, f"{OURS}{failed}", number))
    else:
        # Adding 0.0 turns the -0.0 that rounding may leave into 0.0.
        values[pollutant] = round(number, DECIMALS[pollutant]) + 0.0
