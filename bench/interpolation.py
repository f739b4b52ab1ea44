"""Interpolation between the stations of a recorded year, each left out in its turn.

Errors are of measured hours. What a forecast loses by interpolation is worked out from the intervals of damped
persistence: widened or narrowed at every lead until they hold 80 % of what came at the stations themselves, they hold
less at a station that is left out; the deviation is what makes it 80 % again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air import interpolation
from air.geodesy import Floats, distance_m
from air.places import Point, Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from bench.figures import Figure
from predictor.models.model_file import BASELINE, load
from predictor.models.observed import Observed
from predictor.models.weather_input import no_weather
from router.exposure.comparison import FORECAST_SECONDS, STATIONS_M
from tests.backing.recorded_air import RecordedAir, recorded_air

_EVERY_HOURS: Final = 97
_MOST: Final = 0.5
_WINDOW_HOURS: Final = 336
_LEADS: Final = (1, 3, 6, 12, 24, 48, 72)
_REACH_M: Final = 50_000.0
_EXCLUDED_KM: Final = (0, 6, 10, 15, 25)
_BANDS_KM: Final = ((1, 3), (3, 5), (5, 10), (10, 15), (15, 20), (20, 30))
_PAIRS_KM: Final = ((0.7, 1.5), (1.5, 3.0), (3.0, 5.0), (5.0, 10.0), (10.0, 20.0))
_RANGE_M, _NUGGET = 50_000.0, 0.3
"""Of the variogram of kriging: the best of 10, 20 and 50 km, and of a nugget of 0.1 and 0.3 of the rest."""

_SHIFT: Final = {Pollutant.PM25: 5.0, Pollutant.PM10: 10.0, Pollutant.O3: 0.020, Pollutant.NO2: 0.010}
_NORMAL: Final = 1.2815515655446004


@dataclass(frozen=True, slots=True, eq=False)
class _Network:
    """The stations away from kerbs; values (hours, stations, pollutants), distances (stations, stations) in metres."""

    first_hour: int
    values: Floats
    latitude: Floats
    longitude: Floats
    apart: Floats


def measure() -> Iterator[Figure]:
    """Measures on the real data under CLEANAIR_REAL_DATA; without any there is nothing to interpolate."""
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not (folder / "air").is_dir():
        yield Figure("interpolation", "no real data: set CLEANAIR_REAL_DATA to its folder")
        return
    network = _network(recorded_air(folder))
    yield from _of_measurements(network)
    yield from _of_pairs(network)
    yield from _of_forecasts(network)


def _network(air: RecordedAir) -> _Network:
    ours = np.flatnonzero(np.isfinite(air.latitude) & ~air.roadside)
    latitude, longitude = air.latitude[ours], air.longitude[ours]
    values = np.stack([air.values[pollutant][:, ours] for pollutant in FORECAST_POLLUTANTS], axis=-1)
    apart = distance_m(latitude[:, None], longitude[:, None], latitude, longitude)
    np.fill_diagonal(apart, np.inf)
    return _Network(air.first_hour, np.where(values > 0, values, np.nan), latitude, longitude, apart)


def _collected(network: _Network) -> NDArray[np.bool_]:
    """Which hours most stations have."""
    most: NDArray[np.bool_] = np.isfinite(network.values[..., 0]).mean(axis=1) > _MOST
    return most


def _of_measurements(network: _Network) -> Iterator[Figure]:
    values = network.values[_collected(network)][::_EVERY_HOURS]
    trend = _drift(network, 2)
    regressed, rest = _regressed(values, trend)
    by_way: Mapping[str, Floats] = {
        "inverse distance squared": _weighted(values, _weight(network.apart, 2.0)),
        "inverse distance": _weighted(values, _weight(network.apart, 1.0)),
        "nearest station": _weighted(values, _weight(network.apart, 64.0)),
        "mean within 50 km": _weighted(values, _weight(network.apart, 0.0)),
        f"ordinary kriging, {_RANGE_M / 1000:.0f} km": _kriged(values, network.apart, _drift(network, 0)),
        "regression on place": regressed,
        "regression, its rest by inverse squares": regressed + _weighted(rest, _weight(network.apart, 2.0)),
        "regression, its rest kriged": _kriged(values, network.apart, trend),
    }
    known = np.isfinite(values) & np.all([np.isfinite(estimate) for estimate in by_way.values()], axis=0)
    squared = by_way["inverse distance squared"]
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        unit, name = (1000.0, "ppb") if pollutant in {Pollutant.O3, Pollutant.NO2} else (1.0, "µg/m³")
        size = f"{known[..., axis].sum():,} hours of stations, {name}"
        truth = np.where(known[..., axis], values[..., axis], np.nan)
        for way, estimate in by_way.items():
            error = unit * (estimate[..., axis] - truth)
            found = f"{_rms(error):.2f}, {np.nanmean(np.abs(error)):.2f}, {np.nanmean(error):+.2f}"
            held = _held(estimate[..., axis], truth, _SHIFT[pollutant])
            against = _rms(error) / _rms(unit * (squared[..., axis] - truth)) - 1.0
            what = f"{pollutant}, {way}: RMSE, MAE, bias; of intervals of one width"
            yield Figure(what, f"{found}; {held:.0%}", f"RMSE to inverse squares: {against:+.1%}", size)


def _rms(error: Floats) -> float:
    return float(np.sqrt(np.nanmean(error**2)))


def _held(estimate: Floats, truth: Floats, shift: float) -> float:
    """The share of every second hour's values that lies in an interval that held 80 % of the others."""
    off = np.abs(np.log(np.maximum(estimate, 0.0) + shift) - np.log(truth + shift))
    width = np.nanquantile(off[::2], 0.8)
    others = off[1::2]
    return float((others <= width).sum() / np.isfinite(others).sum())


def _drift(network: _Network, degree: int) -> Floats:
    """Powers of latitude and longitude up to a degree in all, (stations, powers); the first is constant."""
    north, east = (network.latitude - 36.5) / 1.5, (network.longitude - 127.5) / 1.5
    powers = [north**i * east**j for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.stack(powers, axis=1)


def _regressed(values: Floats, drift: Floats) -> tuple[Floats, Floats]:
    """What a regression on places makes of each station, left out of it; and what all others have beside the whole."""
    estimate, rest = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for case, axis in np.ndindex(len(values), values.shape[2]):
        known = np.flatnonzero(np.isfinite(values[case, :, axis]))
        own, at = values[case, known, axis], drift[known]
        hat = at @ np.linalg.pinv(at)
        over = own - hat @ own
        rest[case, known, axis] = over
        estimate[case, known, axis] = own - over / (1.0 - np.diag(hat))
    return estimate, rest


def _of_pairs(network: _Network) -> Iterator[Figure]:
    """Half the mean squared difference of two stations by how far they are apart: what comparisons of ways rest on."""
    values = network.values[_collected(network)][::_EVERY_HOURS]
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        scale = np.log(values[..., axis] + _SHIFT[pollutant])
        deviation = float(interpolation.added_deviation(np.array([2000.0]))[0, axis])
        found, taken = [], []
        for low, high in _PAIRS_KM:
            one, other = np.nonzero(np.triu((network.apart >= 1000 * low) & (network.apart < 1000 * high)))
            found.append(float(np.sqrt(np.nanmean((scale[:, one] - scale[:, other]) ** 2) / 2)))
            grown = 1.0 - np.exp(-network.apart[one, other] / STATIONS_M)
            taken.append(deviation * np.sqrt(float(grown.mean())))
        # Beside what grows with the distance there is what two stations never have in common, the same at any.
        never = np.sqrt(max(float(np.mean(np.square(found)) - np.mean(np.square(taken))), 0.0))
        bands = [f"{low}-{high} km {value:.3f}" for (low, high), value in zip(_PAIRS_KM, found, strict=True)]
        fitted = [f"{np.hypot(never, value):.3f}" for value in taken]
        yield Figure(f"{pollutant}, half differences", ", ".join(bands), f"taken, and {never:.3f}: {', '.join(fitted)}")


def _weight(apart: Floats, power: float, excluded_m: float = 0.0) -> Floats:
    """Weights (targets, stations) of stations within 50 km that are not nearer than `excluded_m`."""
    # Distances in kilometres: the high power that stands for the nearest would overflow in metres.
    weight = np.maximum(apart, interpolation.NEAREST_M) / 1000.0
    return np.where((apart <= _REACH_M) & (apart >= excluded_m), weight**-power, 0.0)


def _weighted(values: Floats, weight: Floats) -> Floats:
    """Estimates in the shape of values (cases, stations, ...)."""
    return np.moveaxis(interpolation.interpolate(weight, np.moveaxis(values, 1, 0)), 0, 1)


def _kriged(values: Floats, apart: Floats, drift: Floats) -> Floats:
    """Kriging with a drift, each station left out, by one inverse an hour (Dubrule, Math. Geology 15, 1983)."""
    estimate = np.full(values.shape, np.nan)
    covariance = np.exp(-np.where(np.isfinite(apart), apart, 0.0) / _RANGE_M) + _NUGGET * np.eye(len(apart))
    for case, axis in np.ndindex(len(values), values.shape[2]):
        known = np.flatnonzero(np.isfinite(values[case, :, axis]))
        covered, at = covariance[np.ix_(known, known)], drift[known]
        system = np.block([[covered, at], [at.T, np.zeros((at.shape[1], at.shape[1]))]])
        inverse = np.linalg.inv(system)[: len(known), : len(known)]
        own = values[case, known, axis]
        estimate[case, known, axis] = own - inverse @ own / np.diag(inverse)
    return estimate


def _of_forecasts(network: _Network) -> Iterator[Figure]:
    told, came = _calibrated_forecasts(network)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        missing, distances = _missing_width(network.apart, told[..., axis, :], came[..., axis], _SHIFT[pollutant])
        found = []
        for low, high in _BANDS_KM:
            there = missing[(distances >= low) & (distances < high)]
            deviation = np.sqrt(max(float(np.quantile(there, 0.8)), 0.0)) / _NORMAL
            found.append(f"{low}-{high} km {deviation:.3f}")
        ends = interpolation.added_deviation(np.array([1000.0, 30_000.0]))[:, axis]
        taken = f"taken: {ends[0]:.3f} at 1 km to {ends[1]:.3f} at 30 km"
        yield Figure(f"{pollutant}, deviation added", ", ".join(found), taken, f"{missing.size:,} cases")
        yield _likeness(pollutant, told[..., axis, :], came[..., axis])


def _likeness(pollutant: Pollutant, told: Floats, came: Floats) -> Figure:
    """How alike a forecast's errors are at two leads, in shares of its width; what comparisons of hours rest on."""
    scale = np.log(told + _SHIFT[pollutant])
    error = np.log(came + _SHIFT[pollutant]) - scale[..., 1]
    width = np.where(error > 0, scale[..., 2] - scale[..., 1], scale[..., 1] - scale[..., 0])
    found, taken = [], []
    for near, far in pairwise(range(len(_LEADS) - 2)):
        both = np.stack([(error / width)[..., lead].ravel() for lead in (near, far)])
        known = both[:, np.isfinite(both).all(axis=0)]
        alike = np.mean(np.prod(known - known.mean(axis=1, keepdims=True), axis=0)) / np.prod(known.std(axis=1))
        found.append(f"{_LEADS[near]} and {_LEADS[far]} h {alike:.2f}")
        taken.append(f"{np.exp(-3600 * (_LEADS[far] - _LEADS[near]) / FORECAST_SECONDS):.2f}")
    return Figure(f"{pollutant}, likeness of errors", ", ".join(found), f"taken: {', '.join(taken)}")


def _calibrated_forecasts(network: _Network) -> tuple[Floats, Floats]:
    """Quantiles (cases, stations, leads, pollutants, 3) that hold 80 % at each lead; and what came, one axis less."""
    model = load(BASELINE).model
    stations = [
        Station(str(row), str(row), Point(latitude, longitude))
        for row, (latitude, longitude) in enumerate(zip(network.latitude, network.longitude, strict=True))
    ]
    leads = np.array(_LEADS)
    issues = np.arange(_WINDOW_HOURS, len(network.values) - leads[-1], _EVERY_HOURS)
    issues = issues[_collected(network)[issues]]
    told = []
    for issue in issues.tolist():
        window = network.values[issue + 1 - _WINDOW_HOURS : issue + 1].transpose(1, 0, 2).astype(np.float32)
        observed = Observed(
            stations, network.first_hour + issue, np.ascontiguousarray(window), no_weather(len(stations))
        )
        told.append(model.prior.apply(model.forecast(observed)).at(_LEADS).quantiles)
    came = network.values[issues[:, None] + leads].transpose(0, 2, 1, 3)
    shift = np.array([_SHIFT[pollutant] for pollutant in FORECAST_POLLUTANTS])
    scale = np.log(np.stack(told).astype(np.float64) + shift[:, None])
    beyond = np.log(came + shift) - scale[..., 1]
    for side, sign in ((0, -1.0), (2, 1.0)):
        width = np.maximum(sign * (scale[..., side] - scale[..., 1]), 1e-6)
        factor = np.nanquantile(sign * beyond / width, 0.9, axis=(0, 1))
        scale[..., side] = scale[..., 1] + sign * width * factor
    return np.exp(scale) - shift[:, None], came


def _missing_width(apart: Floats, told: Floats, came: Floats, shift: float) -> tuple[Floats, Floats]:
    """Of stations left out, with all those within some kilometres: squared error minus squared width, and distance.

    Errors and widths, on the side of the error, are on the scale of ln(x + shift), distances in kilometres.
    """
    missing, distances = [], []
    for excluded in _EXCLUDED_KM:
        weight = _weight(apart, 2.0, 1000.0 * excluded)
        reached = np.flatnonzero(weight.any(axis=1))
        weight = weight[reached] / weight[reached].sum(axis=1, keepdims=True)
        at = np.log(np.maximum(np.einsum("ts,csl...->ctl...", weight, told), 0.0) + shift)
        error = np.log(came[:, reached] + shift) - at[..., 1]
        width = np.where(error > 0, at[..., 2] - at[..., 1], at[..., 1] - at[..., 0])
        nearest = np.where(apart >= 1000.0 * excluded, apart, np.inf)[reached].min(axis=1) / 1000.0
        known = np.isfinite(error)
        missing.append((error**2 - width**2)[known])
        distances.append(np.broadcast_to(nearest[:, None], error.shape)[known])
    return np.concatenate(missing), np.concatenate(distances)
