"""What stands at kerbs more than above the roofs: a recorded year of Seoul, each roadside station left out in its turn.

The background at a roadside station is what the product would take it to be, by inverse squares from the stations away
from kerbs. Errors are of hours. What streets err by is what roadside stations are missed by more than others are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats, distance_m
from air.interpolation import NORMAL_90, SHIFT, interpolate, weights_at
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from bench.figures import Figure
from router.exposure import contrast
from tests.backing.recorded_air import RecordedAir, recorded_air

_SEOUL: Final = (37.56, 126.98)
_CITY_M: Final = 17_000.0
_AROUND_M: Final = 35_000.0
_KOREA_HOURS: Final = 9
_HOURS: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Measured and interpolated values, float64[hour, station], both NaN where one is missing."""

    measured: Floats
    background: Floats

    @classmethod
    def of(cls, measured: Floats, background: Floats) -> _Pairs:
        both = np.isfinite(measured) & np.isfinite(background)
        return cls(np.where(both, measured, np.nan), np.where(both, background, np.nan))


def measure() -> Iterator[Figure]:
    """Measures on the real data under CLEANAIR_REAL_DATA; without any there is nothing to fit."""
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not (folder / "air").is_dir():
        yield Figure("street", "no real data: set CLEANAIR_REAL_DATA to its folder")
        return
    air = recorded_air(folder)
    from_middle = distance_m(np.array(_SEOUL[0]), np.array(_SEOUL[1]), air.latitude, air.longitude)
    kerbs = np.flatnonzero(air.roadside & (from_middle < _CITY_M))
    others = np.flatnonzero(~air.roadside & (from_middle < _AROUND_M))
    hour_of_day = (air.first_hour + _KOREA_HOURS + np.arange(len(air.index))) % _HOURS
    for pollutant in FORECAST_POLLUTANTS:
        at_kerbs, away = _pairs(air, pollutant, kerbs, others), _pairs(air, pollutant, others, others)
        in_city = from_middle[others] < _CITY_M
        away = _Pairs(away.measured[:, in_city], away.background[:, in_city])
        yield from _contrast(pollutant, at_kerbs, hour_of_day)
        yield _left_out(pollutant, at_kerbs, hour_of_day)
        yield _spread(pollutant, at_kerbs, away, hour_of_day)


def _pairs(air: RecordedAir, pollutant: Pollutant, at: NDArray[np.int64], of: NDArray[np.int64]) -> _Pairs:
    """Stations, and what those of the background make of them; one that is among these is left out in its turn."""
    values = np.where(air.values[pollutant] > 0, air.values[pollutant], np.nan)
    apart = distance_m(
        air.latitude[at][:, None], air.longitude[at][:, None], air.latitude[of][None], air.longitude[of][None]
    )
    weight = np.where(at[:, None] == of, 0.0, weights_at(apart))
    return _Pairs.of(values[:, at], interpolate(weight, values[:, of].T).T)


def _ratio(pairs: _Pairs) -> Floats:
    """Measured over interpolated, of the sums over all hours: by station."""
    ratio: Floats = np.nansum(pairs.measured, axis=0) / np.nansum(pairs.background, axis=0)
    return ratio


def _by_hour(pairs: _Pairs, hour_of_day: NDArray[np.int64]) -> Floats:
    """The same of each hour of the day, as a mean over stations; NaN where an hour is never there."""
    found = np.full(_HOURS, np.nan)
    for hour in range(_HOURS):
        some = hour_of_day == hour
        if np.isfinite(pairs.measured[some]).mean() > _MOST:
            found[hour] = _ratio(_Pairs(pairs.measured[some], pairs.background[some])).mean()
    return found


_MOST: Final = 0.2


def _waves(ratio: Floats) -> Floats:
    """A mean and two waves of the day fitted to ratios less 1 by hour of the day, float64[5]."""
    known = np.isfinite(ratio)
    return np.linalg.lstsq(_design(np.arange(_HOURS)[known]), ratio[known] - 1.0, rcond=None)[0].astype(np.float64)


def _design(hour_of_day: NDArray[np.int64]) -> Floats:
    angle = 2 * np.pi * hour_of_day / _HOURS
    waves = [np.ones(len(hour_of_day)), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    return np.stack(waves, axis=1)


def _contrast(pollutant: Pollutant, pairs: _Pairs, hour_of_day: NDArray[np.int64]) -> Iterator[Figure]:
    ratio = np.sort(_ratio(pairs))
    size = f"{len(ratio)} stations, {np.isfinite(pairs.measured).sum():,} hours of them"
    spread = f"by station {ratio[0]:.2f} to {ratio[-1]:.2f}, of the mean {ratio.std(ddof=1) / np.sqrt(len(ratio)):.2f}"
    yield Figure(f"{pollutant}, kerb over background", f"{ratio.mean():.3f}", spread, size)
    fitted = _waves(_by_hour(pairs, hour_of_day))
    taken = ", ".join(f"{value:+.3f}" for value in contrast.WAVES[pollutant])
    yield Figure(
        f"{pollutant}, contrast by hour", ", ".join(f"{value:+.3f}" for value in fitted), f"taken: {taken}", size
    )


def _left_out(pollutant: Pollutant, pairs: _Pairs, hour_of_day: NDArray[np.int64]) -> Figure:
    """How far off kerbs are told by the other kerbs: without a contrast, with one for all hours, and by hour."""
    told = {"none": np.ones(pairs.measured.shape), "one": np.empty(0), "by hour": np.empty(0)}
    told["one"], told["by hour"] = np.empty(pairs.measured.shape), np.empty(pairs.measured.shape)
    for station in range(pairs.measured.shape[1]):
        others = _Pairs(np.delete(pairs.measured, station, axis=1), np.delete(pairs.background, station, axis=1))
        told["one"][:, station] = _ratio(others).mean()
        told["by hour"][:, station] = 1.0 + _design(hour_of_day) @ _waves(_by_hour(others, hour_of_day))
    unit = 1000.0 if pollutant in {Pollutant.O3, Pollutant.NO2} else 1.0
    found = []
    for way, ratio in told.items():
        off = unit * (pairs.background * ratio - pairs.measured)
        by_station = np.abs(np.nanmean(off, axis=0)).mean()
        found.append(f"{way} {np.sqrt(np.nanmean(off**2)):.2f} ({np.nanmean(off):+.2f}, {by_station:.2f})")
    what = f"{pollutant}, left out: RMSE (bias, mean absolute bias of a station)"
    return Figure(what, ", ".join(found), "", "ppb" if unit > 1 else "µg/m³")


def _spread(pollutant: Pollutant, kerbs: _Pairs, away: _Pairs, hour_of_day: NDArray[np.int64]) -> Figure:
    """What kerbs are missed by more than stations away from them, in all and in common, on the scale of ln x."""
    ratio = 1.0 + _design(hour_of_day) @ np.array(contrast.WAVES[pollutant])
    shift = SHIFT[pollutant]
    at_kerbs = np.log((kerbs.measured + shift) / (kerbs.background * ratio[:, None] + shift))
    elsewhere = np.log((away.measured + shift) / (away.background + shift))
    mean = np.nanmean(kerbs.measured)
    to_ln_x = (mean + shift) / mean
    between = float(np.nanmean(elsewhere**2))
    all_of_it = max(float(np.nanmean(at_kerbs**2)) - between, 0.0)
    shared = max(_in_common(at_kerbs) - _in_common(elsewhere), 0.0)
    own = max(all_of_it - shared, 0.0)
    width = NORMAL_90 * np.sqrt(between + own + shared)
    held = float((np.abs(at_kerbs) <= width).sum() / np.isfinite(at_kerbs).sum())
    found = f"own {np.sqrt(own) * to_ln_x:.3f}, shared {np.sqrt(shared) * to_ln_x:.3f}; intervals hold {held:.0%}"
    taken = f"taken: own {contrast.OWN_SPREAD[pollutant]:.3f}, shared {contrast.SHARED_SPREAD[pollutant]:.3f}"
    size = f"{at_kerbs.shape[1]} and {elsewhere.shape[1]} stations"
    return Figure(f"{pollutant}, spread of roads", found, taken, size)


def _in_common(errors: Floats) -> float:
    """The mean product of the errors of two stations in one hour."""
    known = np.isfinite(errors)
    filled, count = np.where(known, errors, 0.0), known.sum(axis=1)
    pairs = filled.sum(axis=1) ** 2 - (filled**2).sum(axis=1)
    return float(pairs.sum() / (count * (count - 1)).sum())
