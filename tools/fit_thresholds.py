"""Prints from a recorded year what `ingestion/quality/thresholds.py` calls fitted.

Usage: python -m tools.fit_thresholds FOLDER, the folder of real data.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.pollutants import Pollutant
from ingestion.quality.neighbours import Flags
from ingestion.quality.thresholds import PRESENT_SHARE, THRESHOLDS
from tests.backing.recorded_air import recorded_air

_SHARE: Final = 99.99
_SPANS: Final = (6, 8, 10, 12, 24)


def main() -> None:
    """Prints a block a pollutant."""
    air = recorded_air(Path(sys.argv[1]))
    for pollutant in Pollutant:
        series, limits = air.values[pollutant], THRESHOLDS[pollutant]
        print(f"{pollutant.value}: lowest {np.nanmin(series):g}, highest {np.nanmax(series):g}")
        print(f"  step  {_percentile(np.abs(np.diff(series, axis=0)))}, taken {limits.step:g}")
        print(f"  spike {_percentile(_apart(series))}, taken {limits.spike:g}, failing {limits.failing_spike:g}")
        known = np.isfinite(series).sum()
        for hours in _SPANS:
            flat = _flat(series, hours)
            share = np.count_nonzero(flat & (series > limits.stuck.above)) / known
            of_all = np.count_nonzero(flat) / known
            print(f"  flat for {hours:2} h: {of_all:.1e}, above {limits.stuck.above:g} {share:.1e}")


def _percentile(values: Floats) -> str:
    known = values[np.isfinite(values)]
    return f"{_SHARE}th percentile {np.percentile(known, _SHARE):.4g}, largest {known.max():.4g}"


def _apart(series: Floats) -> Floats:
    """The lesser of the differences to the hours before and after where both lie on one side, else 0."""
    before, after = np.diff(series, axis=0)[:-1], -np.diff(series, axis=0)[1:]
    apart: Floats = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), before * after * 0)
    return apart


def _flat(series: Floats, hours: int) -> Flags:
    """Whether all values of the hours up to each are one, where enough of them are known."""
    lowest, highest, count = series.copy(), series.copy(), np.isfinite(series).astype(np.int32)
    known = count.copy()
    for back in range(1, hours):
        np.fmin(lowest[back:], series[:-back], out=lowest[back:])
        np.fmax(highest[back:], series[:-back], out=highest[back:])
        count[back:] += known[:-back]
    flat: Flags = (known > 0) & (highest == lowest) & (count >= PRESENT_SHARE * hours)
    return flat


if __name__ == "__main__":
    main()
