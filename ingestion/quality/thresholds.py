"""What each check holds against a value: one row a pollutant, in the pollutant's unit, with where each number is from.

`tools/fit_thresholds.py` prints again what is called fitted here, from the recorded year of the Korean network (674
stations, 2025-04-21 to 2026-01-15, some 3.1 million values a pollutant). Gases come in steps of 0.001 ppm there, CO of
0.1 ppm: a fitted limit stands half a step above the value fitted, so that no rounding decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from air.pollutants import Pollutant

GAS_RANGE_PPM: Final = 0.5
"""ppm: the range that 40 CFR Part 53, Table B-1 asks of analysers of O3, NO2 and SO2."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a value must lie in, ends and all."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Stuck:
    """When a value that does not change is held against the instrument.

    Attributes:
        step: The coarsest step in which it is published. Finer values are judged by `FINE_HOURS`.
        above: At or below this, air itself stays within one step for long.
        hours: The hours of one value that make it suspect.
        failing_hours: The hours of one value that make it fail; None: they never do.
    """

    step: float
    above: float
    hours: int
    failing_hours: int | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """All that is held against one pollutant's values.

    Attributes:
        credible: Beyond it no instrument in use or no air gives a value: it fails.
        usual: Beyond it a value is suspect.
        step: A larger rise or fall in an hour is suspect.
        spike: There and back again by more than this is suspect.
        failing_spike: There and back again by more than this fails.
        stuck: When a flat line is held against the instrument.
        offset: Added before values of stations are compared by their ratio, so that small ones may differ.
        by_kind: Compared among roadside stations, and among all others, only.
    """

    credible: Span
    usual: Span
    step: float
    spike: float
    failing_spike: float
    stuck: Stuck
    offset: float
    by_kind: bool = False


# credible, high: PM10: the instrument's limit in Kim, Lee and Ryoo, Atmosphere (KMS) 26(4), 2016, above the strongest
#   dust storms on record in Korea (some 3300 µg/m³ in an hour). PM2.5: full scale of beta gauges, 1 mg/m³. CO: Table
#   B-1 as above. O3, NO2, SO2: judgement, two and four times the range in Table B-1; old records hold faults of 5.3
#   (O3) and 71.7 (CO).
# credible, low: judgement. The network publishes no negative value, so that one is a fault on the way.
# usual, high: O3, NO2, SO2: Table B-1. PM10: full scale of beta gauges, 1 mg/m³. PM2.5, CO: where the Korean index ends
#   (500 µg/m³), and where its worst grade begins (15 ppm). In the recorded year the highest were 753 (PM10), 798
#   (PM2.5), 0.197 (O3), 0.5 (NO2), 4.4 (CO) and 0.194 (SO2).
# usual, low: PM10: fitted, the lowest of the recorded year is 1. CO: judgement, below the least background of the
#   northern hemisphere (some 0.1 ppm) when rounded to 0.1 ppm. Others: 0 is what clean air or night leaves.
# step: fitted, the 99.99th percentile of hourly differences. (Kim, J. KAPRA 1999, screened O3 by 0.075 ppm.)
# spike: fitted, the 99.99th percentile of the lesser of the two opposite differences beside an hour.
# failing_spike: judgement, 1.5 times the largest of the recorded year and more; SO2 where the worst grade begins, as a
#   ship's plume may come and go within an hour.
# stuck: fitted, so that less than one value in 10,000 is flagged: hours and `above` were read off the lengths of flat
#   lines in the recorded year. failing_hours: judgement, a day.
# offset, by_kind: judgement, some steps of what is published; traffic gives NO2 and CO.
THRESHOLDS: Final[Mapping[Pollutant, Threshold]] = {
    Pollutant.PM25: Threshold(
        credible=Span(0.0, 1000.0),
        usual=Span(0.0, 500.0),
        step=59.5,
        spike=32.5,
        failing_spike=400.0,
        stuck=Stuck(step=1.0, above=3.0, hours=8, failing_hours=24),
        offset=5.0,
    ),
    Pollutant.PM10: Threshold(
        credible=Span(0.0, 5000.0),
        usual=Span(0.5, 1000.0),
        step=159.5,
        spike=85.5,
        failing_spike=1000.0,
        stuck=Stuck(step=1.0, above=5.0, hours=8, failing_hours=24),
        offset=10.0,
    ),
    Pollutant.O3: Threshold(
        credible=Span(0.0, 1.0),
        usual=Span(0.0, GAS_RANGE_PPM),
        step=0.0505,
        spike=0.0255,
        failing_spike=0.2,
        stuck=Stuck(step=0.001, above=0.008, hours=10, failing_hours=24),
        offset=0.010,
    ),
    Pollutant.NO2: Threshold(
        credible=Span(0.0, 2.0),
        usual=Span(0.0, GAS_RANGE_PPM),
        step=0.0365,
        spike=0.0215,
        failing_spike=0.15,
        stuck=Stuck(step=0.001, above=0.008, hours=12, failing_hours=24),
        offset=0.005,
        by_kind=True,
    ),
    Pollutant.CO: Threshold(
        credible=Span(0.0, 50.0),
        usual=Span(0.05, 15.0),
        step=1.45,
        spike=0.85,
        failing_spike=5.0,
        stuck=Stuck(step=0.1, above=0.6, hours=24, failing_hours=None),
        offset=0.2,
        by_kind=True,
    ),
    Pollutant.SO2: Threshold(
        credible=Span(0.0, 2.0),
        usual=Span(0.0, GAS_RANGE_PPM),
        step=0.0155,
        spike=0.0095,
        failing_spike=0.15,
        stuck=Stuck(step=0.001, above=0.005, hours=24, failing_hours=None),
        offset=0.003,
    ),
}
"""The table."""

FINE_HOURS: Final = 12
"""Values finer than `Stuck.step` do not repeat by chance: judgement, no recording of them is at hand."""

PRESENT_SHARE: Final = 0.75
"""The share of the hours that must be there to speak of a flat line: the share that means need in Korea and the US."""

NEIGHBOUR_RADIUS_M: Final = 30_000.0
"""Judgement: within it, 92 % of the recorded network's stations have enough neighbours, and mostly the same weather."""

MOST_NEIGHBOURS: Final = 8
"""The nearest ones count."""

LEAST_NEIGHBOURS: Final = 4
"""Fewer give no median to rely on, nor a spread."""

NEIGHBOUR_SPREAD: Final = 0.25
"""The least spread of logarithms that is assumed: judgement, stations differ by a quarter for reasons of their own."""

NEIGHBOUR_LIMIT: Final = 5.0
"""Robust standard deviations; fitted, so that about one value in 2,000 is flagged."""

STALE_HOURS: Final = 3.0
"""Fitted: of the recorded rows, 99.9 % were published and fetched within 1.15 h of their hour, 0.04 % after 3 h."""
