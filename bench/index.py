"""The Korean index of a recorded year, beside the one that the network published.

Compared are station-hours whose twelve hours of both particles are all there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.index import index_of_hours
from air.pollutants import Pollutant
from bench.figures import Figure
from tests.backing.recorded_air import recorded_air

_HOURS = 12


def measure() -> Iterator[Figure]:
    """Measures on the real data under CLEANAIR_REAL_DATA; without any there is nothing to compare with."""
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not (folder / "air").is_dir():
        yield Figure("Korean index", "no real data: set CLEANAIR_REAL_DATA to its folder")
        return
    air = recorded_air(folder)
    start = time.perf_counter()
    found = index_of_hours(air.values)
    seconds = time.perf_counter() - start
    compared = np.isfinite(air.index) & np.isfinite(found)
    for pollutant in (Pollutant.PM10, Pollutant.PM25):
        compared &= _has_all_hours(air.values[pollutant])
    error = np.abs(found - air.index)[compared]
    size = f"{error.size:,} station-hours with a full {_HOURS} h history"
    yield Figure("Korean index within 1 of the published", f"{np.mean(error <= 1):.2%}", size=size)
    yield Figure("Korean index equal to the published", f"{np.mean(error == 0):.2%}", size=size)
    shape = " × ".join(f"{length:,}" for length in found.shape)
    yield Figure("Korean index", f"{found.size / seconds:,.0f} station-hours/s", size=f"{shape} hours and stations")


def _has_all_hours(values: Floats) -> NDArray[np.bool_]:
    known = np.lib.stride_tricks.sliding_window_view(np.isfinite(values), _HOURS, axis=0).all(axis=-1)
    return np.concatenate([np.zeros((_HOURS - 1, values.shape[1]), dtype=np.bool_), known])
