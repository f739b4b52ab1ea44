"""The quality of the last day as Prometheus series: by pollutant, so that their number does not grow with the network.

They are of the replica that validated last, and say so by their time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from prometheus_client import Gauge

from air.pollutants import Pollutant
from ingestion.quality.judging import Verdicts
from ingestion.quality.observations import Observations
from ingestion.quality.verdict import Check, Level

_HOURS: Final = Gauge(
    "cleanair_quality_hours", "Station-hours of the last day, by what their value is worth.", ["pollutant", "level"]
)
_COMPLETENESS: Final = Gauge(
    "cleanair_quality_completeness_ratio", "Usable station-hours of the last day over expected ones.", ["pollutant"]
)
_FRESH: Final = Gauge(
    "cleanair_quality_fresh_stations", "Stations with a usable value in the newest three hours.", ["pollutant"]
)
_FAULTY: Final = Gauge(
    "cleanair_quality_faulty_stations",
    "Stations of which a check suspected or failed a value of the last day.",
    ["pollutant", "check"],
)
_STATIONS: Final = Gauge("cleanair_quality_stations", "Stations heard from in the last day.")
_AT: Final = Gauge("cleanair_quality_validated_timestamp_seconds", "When these figures were made.")

_FRESH_HOURS: Final = 3
_LEVELS: Final = (Level.PASS, Level.SUSPECT, Level.FAIL, Level.MISSING)


def show(rows: Observations, verdicts: Verdicts, *, hours: int, now: float) -> None:
    """Sets the series.

    Args:
        rows: The station-hours of the last day.
        verdicts: What they are worth, shape (N, P).
        hours: How many hours of each station are expected.
        now: Seconds since 1970.
    """
    codes = np.unique(np.array(rows.stations, dtype=np.str_), return_inverse=True)[1]
    stations = int(codes.max()) + 1 if len(rows) else 0
    levels = verdicts // 10 ** len(Check)
    is_fresh = rows.hours > rows.hours.max(initial=0) - _FRESH_HOURS
    _STATIONS.set(stations)
    for i, pollutant in enumerate(Pollutant):
        of_pollutant = levels[:, i]
        usable = of_pollutant <= Level.SUSPECT
        for level in _LEVELS:
            _HOURS.labels(pollutant.value, level.name).set(int(np.count_nonzero(of_pollutant == level)))
        expected = stations * hours
        _COMPLETENESS.labels(pollutant.value).set(min(1.0, np.count_nonzero(usable) / expected) if expected else 0.0)
        _FRESH.labels(pollutant.value).set(len(np.unique(codes[usable & is_fresh])))
        for check in Check:
            found = verdicts[:, i] // 10 ** (len(Check) - check) % 10
            spoken = (found == Level.SUSPECT) | (found == Level.FAIL)
            _FAULTY.labels(pollutant.value, check.name).set(len(np.unique(codes[spoken])))
    _AT.set(now)
