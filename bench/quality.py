"""Judging: a day of a national network at once, and what share of a recorded year each check flags.

The peer of the day is ioos_qc's own tests of range, spike, rate of change and flat line on the same series.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from ioos_qc import qartod

from air.geodesy import Floats
from air.pollutants import Pollutant
from bench.figures import Figure, milliseconds
from ingestion.quality.judging import CONTEXT_HOURS, Verdicts, judge_grid
from ingestion.quality.thresholds import THRESHOLDS
from ingestion.quality.verdict import Check, Level
from tests.backing.recorded_air import RecordedAir, recorded_air

_STATIONS: Final = 672
_HOURS: Final = 24
_MISSING: Final = 0.05
_AT_ROADS: Final = 0.1
_REPEATS: Final = 20
_HOURS_AT_ONCE: Final = 480
_ONE_BY_ONE: Final = (Level.SUSPECT, Level.FAIL)


def measure() -> Iterator[Figure]:
    """Measures the day on made air, and the shares on the real data under CLEANAIR_REAL_DATA."""
    yield _day()
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if (folder / "air").is_dir():
        yield from _shares(recorded_air(folder))


def _day() -> Figure:
    chance = np.random.default_rng(1)
    scale = np.array([THRESHOLDS[pollutant].stuck.step for pollutant in Pollutant])
    values = np.round(chance.gamma(2.0, 10.0, (_HOURS, _STATIONS, len(Pollutant)))) * scale
    values[chance.random(values.shape) < _MISSING] = np.nan
    nobody = np.zeros(values.shape, dtype=np.bool_)
    latitude, longitude = chance.uniform(34.5, 38.0, _STATIONS), chance.uniform(126.5, 129.5, _STATIONS)
    roadside = chance.random(_STATIONS) < _AT_ROADS
    lateness = np.full(values.shape[:2], 0.3)
    ours = _timed(lambda: judge_grid(values, nobody, lateness, latitude, longitude, roadside))
    theirs = _timed(lambda: _by_ioos_qc(values))
    return Figure(
        "Seven checks of a day",
        milliseconds(ours),
        f"{np.median(theirs) / np.median(ours):.1f} × as fast as four by ioos_qc alone",
        f"{_HOURS} hours of {_STATIONS} stations, {len(Pollutant)} pollutants",
    )


def _timed(work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def _by_ioos_qc(values: Floats) -> None:
    clock = np.arange(values.shape[0] * values.shape[1]).astype("datetime64[s]")
    for i, pollutant in enumerate(Pollutant):
        threshold, series = THRESHOLDS[pollutant], values[..., i].T.ravel()
        credible, usual, hours = threshold.credible, threshold.usual, threshold.stuck.hours
        qartod.gross_range_test(series, (credible.low, credible.high), (usual.low, usual.high))
        qartod.spike_test(series, threshold.spike, threshold.failing_spike, method="differential")
        qartod.rate_of_change_test(series, clock, threshold.step)
        qartod.flat_line_test(series, clock, hours, 24, tolerance=threshold.stuck.step / 2)


def _shares(air: RecordedAir) -> Iterator[Figure]:
    values = np.stack([air.values[pollutant] for pollutant in Pollutant], axis=-1)
    flagged = {(check, level): np.zeros(len(Pollutant)) for check in Check for level in _ONE_BY_ONE}
    total = {level: np.zeros(len(Pollutant)) for level in _ONE_BY_ONE}
    for verdicts in _judged(air, values):
        for level in _ONE_BY_ONE:
            total[level] += np.count_nonzero(verdicts // 10 ** len(Check) == level, axis=(0, 1))
            for check in Check:
                digits = verdicts // 10 ** (len(Check) - check) % 10
                flagged[check, level] += np.count_nonzero(digits == level, axis=(0, 1))
    measured = np.isfinite(values).sum(axis=(0, 1))
    names = " ".join(pollutant.value for pollutant in Pollutant)
    for (check, level), count in flagged.items():
        if count.any():
            yield Figure(f"{check.name}: {level.name}, of a million", _of_a_million(count, measured), size=names)
    for level, count in total.items():
        yield Figure(f"any: {level.name}, of a million", _of_a_million(count, measured), size=names)
    yield Figure("Values judged", f"{measured.sum():,}", size=names)


def _of_a_million(count: Floats, measured: Floats) -> str:
    return "  ".join(f"{share:,.0f}" for share in count / measured * 1e6)


def _judged(air: RecordedAir, values: Floats) -> Iterator[Verdicts]:
    """The verdicts on all hours, in pieces that are judged with what bears on them."""
    for start in range(0, len(values), _HOURS_AT_ONCE):
        first = max(0, start - CONTEXT_HOURS)
        piece = values[first : start + _HOURS_AT_ONCE + 1]
        verdicts = judge_grid(
            piece,
            np.zeros(piece.shape, dtype=np.bool_),
            np.full(piece.shape[:2], np.nan),
            air.latitude,
            air.longitude,
            air.roadside,
        )
        yield verdicts[start - first :][:_HOURS_AT_ONCE]
