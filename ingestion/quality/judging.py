"""What each value of a grid of hours and stations is worth, by QARTOD's tests.

Range and rate of change are ioos_qc's. Its spike test steps through a series in Python, and its flat line test takes
what is missing for what does not change, so these two are written here; on series without gaps ioos_qc is their oracle
in the tests.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.pollutants import Pollutant
from ingestion.quality.neighbours import Flags, Levels, Neighbourhood
from ingestion.quality.thresholds import FINE_HOURS, PRESENT_SHARE, STALE_HOURS, THRESHOLDS, Stuck, Threshold
from ingestion.quality.verdict import Check, Level

Verdicts = NDArray[np.int32]

CONTEXT_HOURS: Final = 24
"""How many hours before one may bear on its verdict; after it, one does."""

_BEYOND_ALL: Final = 1e300
_SAME: Final = 1e-9
_OFF_STEP: Final = 1e-3


def judge_grid(
    values: Floats,
    instrument: Flags,
    lateness_hours: Floats,
    latitude: Floats,
    longitude: Floats,
    roadside: Flags,
) -> Verdicts:
    """The packed verdict on each value (`ingestion.quality.verdict`), shape (T, S, P).

    An hour is judged as it will stay once the hour after it is in the grid, and `CONTEXT_HOURS` before it.

    Args:
        values: Raw numbers, shape (T, S, P): hours without a gap, oldest first, stations, pollutants in the order of
            `Pollutant`; NaN where missing.
        instrument: True where the network flagged it; same shape.
        lateness_hours: Hours from an hour's label to its arrival, shape (T, S); NaN where unknown.
        latitude: Of the stations, degrees, shape (S,); NaN where unknown, as for the next.
        longitude: Likewise.
        roadside: True where a station stands at a road, shape (S,).
    """
    if not values.size:
        return np.empty(values.shape, dtype=np.int32)
    missing = np.isnan(values)
    stale = np.full(values.shape[:2], Level.PASS, dtype=np.uint8)
    stale[lateness_hours > STALE_HOURS] = Level.SUSPECT
    stale[np.isnan(lateness_hours)] = Level.NOT_EVALUATED
    neighbourhood = Neighbourhood(latitude, longitude, roadside)
    found: dict[Check, Levels] = {check: np.empty(values.shape, dtype=np.uint8) for check in Check}
    found[Check.INSTRUMENT][...] = np.where(instrument, Level.FAIL, Level.PASS)
    found[Check.STALE][...] = stale[..., None]
    for i, pollutant in enumerate(Pollutant):
        threshold = THRESHOLDS[pollutant]
        series = np.clip(values[..., i], -_BEYOND_ALL, _BEYOND_ALL)
        within = _range(series, threshold)
        # What has failed already is no measure of its neighbours in time and space.
        sound = np.where(instrument[..., i] | (within == Level.FAIL), np.nan, series)
        spike = _spike(sound, threshold)
        found[Check.RANGE][..., i] = within
        found[Check.SPIKE][..., i] = spike
        found[Check.STEP][..., i] = _step(sound, spike, threshold)
        found[Check.STUCK][..., i] = _stuck(sound, threshold.stuck)
        found[Check.NEIGHBOUR][..., i] = neighbourhood.check(sound, threshold)
        for check in (Check.SPIKE, Check.STEP, Check.STUCK, Check.NEIGHBOUR):
            found[check][..., i][np.isnan(sound)] = Level.NOT_EVALUATED
    for check, levels in found.items():
        # The network's word stands on a value that did not come, too: it says why.
        levels[missing & ~instrument if check is Check.INSTRUMENT else missing] = Level.MISSING
    return _packed(found, missing)


def _packed(found: dict[Check, Levels], missing: Flags) -> Verdicts:
    worst = np.full(missing.shape, Level.PASS, dtype=np.int32)
    for bad in (Level.SUSPECT, Level.FAIL):
        for levels in found.values():
            worst[levels == bad] = bad
    worst[missing] = Level.MISSING
    verdicts: Verdicts = worst
    for check in Check:
        verdicts = verdicts * 10 + found[check]
    return verdicts


def _range(series: Floats, threshold: Threshold) -> Levels:
    """Loads ioos_qc, and pandas with it, which takes a second: only here, where values are judged."""
    from ioos_qc import qartod

    credible, usual = threshold.credible, threshold.usual
    levels = qartod.gross_range_test(series, (credible.low, credible.high), (usual.low, usual.high))
    return np.asarray(levels, dtype=np.uint8)


def _step(sound: Floats, spike: Levels, threshold: Threshold) -> Levels:
    """SUSPECT after too large a rise or fall; the hour after a spike is not to blame for its end."""
    from ioos_qc import qartod

    hours, stations = sound.shape
    # One series, parted by a hole between stations, in which an hour is told as a second.
    parted = np.full((stations, hours + 1), np.nan)
    parted[:, :-1] = sound.T
    clock = np.arange(parted.size).astype("datetime64[s]")
    rate = qartod.rate_of_change_test(parted.ravel(), clock, threshold.step)
    levels: Levels = np.asarray(rate, dtype=np.uint8).reshape(parted.shape)[:, :-1].T.copy()
    # It passes what has no hour before it.
    levels[:1] = Level.NOT_EVALUATED
    levels[1:][np.isnan(sound[:-1]) | (spike[:-1] == Level.SUSPECT) | (spike[:-1] == Level.FAIL)] = Level.NOT_EVALUATED
    return levels


def _spike(sound: Floats, threshold: Threshold) -> Levels:
    """By the lesser difference to the hours before and after, where both lie on one side: ioos_qc's `differential`."""
    levels = np.full(sound.shape, Level.NOT_EVALUATED, dtype=np.uint8)
    differences = np.diff(sound, axis=0)
    before, after = differences[:-1], -differences[1:]
    apart = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    inner = levels[1:-1]
    inner[np.isfinite(before) & np.isfinite(after)] = Level.PASS
    inner[apart > threshold.spike] = Level.SUSPECT
    inner[apart > threshold.failing_spike] = Level.FAIL
    return levels


def _stuck(sound: Floats, stuck: Stuck) -> Levels:
    """By the hours in which a value has not changed, holes left out."""
    steps = sound / stuck.step
    is_fine = np.abs(steps - np.rint(steps)) > _OFF_STEP
    hours = {stuck.hours, FINE_HOURS, *([stuck.failing_hours] if stuck.failing_hours is not None else [])}
    flat = _flat_lines(sound, hours)
    coarse_line, enough = flat[stuck.hours]
    fine_line, enough_of_fine = flat[FINE_HOURS]
    held = sound > stuck.above
    levels = np.full(sound.shape, Level.NOT_EVALUATED, dtype=np.uint8)
    levels[np.where(is_fine, enough_of_fine, enough)] = Level.PASS
    levels[np.where(is_fine, fine_line, coarse_line & held)] = Level.SUSPECT
    if stuck.failing_hours is not None:
        levels[flat[stuck.failing_hours][0] & (held | is_fine)] = Level.FAIL
    return levels


def _flat_lines(sound: Floats, wanted: set[int]) -> dict[int, tuple[Flags, Flags]]:
    """By number of hours: whether all values in so many hours are one, and whether there are enough of them to say."""
    found: dict[int, tuple[Flags, Flags]] = {}
    highest, lowest = sound.copy(), sound.copy()
    count = np.isfinite(sound).astype(np.int32)
    known = count.copy()
    for back in range(1, max(wanted) + 1):
        if back in wanted:
            # Before the grid there is nothing: its first hours have no such span behind them.
            enough = count >= PRESENT_SHARE * back
            found[back] = (enough & (highest - lowest <= _SAME), enough)
        earlier = sound[: max(len(sound) - back, 0)]
        np.fmax(highest[back:], earlier, out=highest[back:])
        np.fmin(lowest[back:], earlier, out=lowest[back:])
        count[back:] += known[: len(earlier)]
    return found
