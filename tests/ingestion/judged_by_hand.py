"""The checks written out once more, a value at a time and in plain Python: the oracle of the arrays."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from geopy.distance import great_circle

from air.pollutants import Pollutant
from ingestion.quality import thresholds
from ingestion.quality.verdict import ABSENT, Check, Level, Verdict


@dataclass(frozen=True, slots=True)
class Site:
    """Where a station stands."""

    latitude: float
    longitude: float
    roadside: bool = False


Series = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Hours:
    """One pollutant at all stations: a series each, and in which hours the network flagged it."""

    pollutant: Pollutant
    sites: Sequence[Site]
    values: Sequence[Series]
    flagged: Sequence[Sequence[bool]]
    lateness: Sequence[Series]

    def verdict(self, site: int, hour: int) -> Verdict:
        """The verdict on one value."""
        value, flagged = self.values[site][hour], self.flagged[site][hour]
        if value is None:
            return ABSENT if not flagged else Verdict.of(_all(Level.MISSING) | {Check.INSTRUMENT: Level.FAIL})
        late = self.lateness[site][hour]
        checks = {
            Check.INSTRUMENT: Level.FAIL if flagged else Level.PASS,
            Check.RANGE: self._range(value),
        }
        if late is not None:
            checks[Check.STALE] = Level.SUSPECT if late > thresholds.STALE_HOURS else Level.PASS
        if self._sound(site, hour) is not None:
            checks |= {
                Check.SPIKE: self._spike(site, hour),
                Check.STEP: self._step(site, hour),
                Check.STUCK: self._stuck(site, hour),
                Check.NEIGHBOUR: self._neighbour(site, hour),
            }
        return Verdict.of(checks)

    @property
    def _threshold(self) -> thresholds.Threshold:
        return thresholds.THRESHOLDS[self.pollutant]

    def _range(self, value: float) -> Level:
        credible, usual = self._threshold.credible, self._threshold.usual
        if not credible.low <= value <= credible.high:
            return Level.FAIL
        return Level.PASS if usual.low <= value <= usual.high else Level.SUSPECT

    def _sound(self, site: int, hour: int) -> float | None:
        if not 0 <= hour < len(self.values[site]):
            return None
        value = self.values[site][hour]
        if value is None or self.flagged[site][hour] or self._range(value) is Level.FAIL:
            return None
        return value

    def _spike(self, site: int, hour: int) -> Level:
        before, value, after = (self._sound(site, hour + offset) for offset in (-1, 0, 1))
        if before is None or value is None or after is None:
            return Level.NOT_EVALUATED
        rise, fall = value - before, value - after
        height = min(abs(rise), abs(fall)) if (rise > 0) == (fall > 0) and rise and fall else 0.0
        if height > self._threshold.failing_spike:
            return Level.FAIL
        return Level.SUSPECT if height > self._threshold.spike else Level.PASS

    def _step(self, site: int, hour: int) -> Level:
        before, value = self._sound(site, hour - 1), self._sound(site, hour)
        if before is None or value is None or self._spike(site, hour - 1) in {Level.SUSPECT, Level.FAIL}:
            return Level.NOT_EVALUATED
        return Level.SUSPECT if abs(value - before) > self._threshold.step else Level.PASS

    def _stuck(self, site: int, hour: int) -> Level:
        stuck, value = self._threshold.stuck, self._sound(site, hour)
        assert value is not None
        is_fine = abs(value / stuck.step - round(value / stuck.step)) > 1e-3
        hours = thresholds.FINE_HOURS if is_fine else stuck.hours
        judged = is_fine or value > stuck.above
        if stuck.failing_hours is not None and judged and self._flat(site, hour, stuck.failing_hours):
            return Level.FAIL
        flat = self._flat(site, hour, hours)
        if flat is None:
            return Level.NOT_EVALUATED
        return Level.SUSPECT if flat and judged else Level.PASS

    def _flat(self, site: int, hour: int, hours: int) -> bool | None:
        past = [self._sound(site, hour - back) for back in range(hours)]
        known = [value for value in past if value is not None]
        if len(known) < thresholds.PRESENT_SHARE * hours:
            return None
        return max(known) - min(known) <= 1e-9

    def _neighbour(self, site: int, hour: int) -> Level:
        here = self.sites[site]
        around = sorted(
            (metres, number)
            for number, other in enumerate(self.sites)
            if number != site
            and (other.roadside == here.roadside or not self._threshold.by_kind)
            and (metres := _metres(here, other)) <= thresholds.NEIGHBOUR_RADIUS_M
        )[: thresholds.MOST_NEIGHBOURS]
        logs = [self._log(value) for _, number in around if (value := self._sound(number, hour)) is not None]
        value = self._sound(site, hour)
        assert value is not None
        if len(logs) < thresholds.LEAST_NEIGHBOURS:
            return Level.NOT_EVALUATED
        median = statistics.median(logs)
        spread = max(1.4826 * statistics.median(abs(log - median) for log in logs), thresholds.NEIGHBOUR_SPREAD)
        return Level.SUSPECT if abs(self._log(value) - median) > thresholds.NEIGHBOUR_LIMIT * spread else Level.PASS

    def _log(self, value: float) -> float:
        return math.log(value + self._threshold.offset)


def _metres(here: Site, other: Site) -> float:
    metres: float = great_circle((here.latitude, here.longitude), (other.latitude, other.longitude)).meters
    return metres


def _all(level: Level) -> dict[Check, Level]:
    return dict.fromkeys(Check, level)
