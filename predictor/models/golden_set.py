"""The examination that a model must pass before it may serve: a small network of made-up air, the same for ever.

The air is no measurement of anybody's: a climate of waves with noise that fades, drawn from a seeded generator. It has
what real hours have: neighbours that go together, gaps, a station that has fallen silent, one that has no past, and
hours with and without weather. Two kinds of fault are told apart. What is unsound (not finite, unordered, unlike what
the file itself says it answered when it was saved) never serves. What is weak (it does not react, or is far worse than
the baseline) is refused where a model is to be taken in.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.places import Network, Point, Station
from predictor.models.axes import HORIZON_HOURS
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.models.model import Model
from predictor.models.observed import Observed
from predictor.models.weather_input import Weather, no_weather

Floats = NDArray[np.float32]

KEPT_LEADS: Final = (1, 6, 24, 72)
"""The hours ahead of which a file keeps its answers."""

TOLERANCE: Final = 1e-3
"""How far an answer may be from the one that was kept, relative to it: other machines add in another order."""

_WORST: Final = 1.5
_RATIO: Final = "rmse_to_baseline_"
_LARGEST: Final = 1e5
_HOURS: Final = 336
_MISSING, _RAINY = 0.06, 0.05
_OBSERVED_WEATHER_HOURS: Final = 168
_ISSUES: Final = ((491_000, False), (495_403, True), (489_254, True))
"""Issue hours in three seasons, and whether there is weather."""

_STATIONS: Final = (
    Station("종로구", "golden 1", Point(37.5720, 127.0050), Network.URBAN),
    Station("golden-2", "golden 2", Point(37.5643, 126.9745), Network.ROADSIDE),
    Station("golden-3", "golden 3", Point(37.4820, 126.7560), Network.URBAN),
    Station("golden-4", "golden 4", Point(37.2010, 127.1200), Network.BACKGROUND),
    Station("golden-5", "golden 5", Point(37.9000, 126.7700), Network.URBAN),
)
_SILENT, _NEW = 3, 4
_RAIN, _SPEED = 5, 4
_USUAL: Final = np.array([22.0, 42.0, 0.032, 0.022, 0.45, 0.0035])
_SWING: Final = np.array([-0.10, -0.05, 0.45, -0.20, -0.12, 0.05])
_NOISE: Final = np.array([0.085, 0.075, 0.11, 0.10, 0.06, 0.08])
_FADES: Final = 0.975
_USUAL_WEATHER: Final = np.array([11.0, 62.0, 0.8, -0.6, 2.3, 0.1, 5.0])


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What is known of the network at an issue hour, and what came, (stations, 72, 4)."""

    observed: Observed
    truth: Floats


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of it.

    Attributes:
        unsound: Why it may never serve; empty when it may.
        weak: Why it must not be taken in; empty when it may.
        figures: How well it forecast, by name.
    """

    unsound: tuple[str, ...]
    weak: tuple[str, ...]
    figures: Mapping[str, float]


def examine(model: Model, kept: Floats | None, baseline: Model) -> Examination:
    """Lets a model forecast the examples. Takes some tens of milliseconds of CPU time.

    Args:
        model: The candidate.
        kept: What `answers` gave when its file was saved; None where the file holds nothing of it.
        baseline: What it must not be far worse than.
    """
    cases = examples()
    try:
        said = [model.forecast(case.observed) for case in cases]
        again = model.forecast(cases[0].observed)
        louder = model.forecast(_louder(cases[0].observed))
    except (RuntimeError, ValueError, IndexError, TypeError, FloatingPointError) as error:
        return Examination((f"it cannot forecast the golden set ({type(error).__name__})",), (), {})
    unsound = dict.fromkeys(fault for one in said for fault in _faults(one))
    if not unsound and not _same(said[0], again):
        unsound["it does not say the same twice"] = None
    if not unsound:
        unsound = dict.fromkeys(_forgotten(_kept_of(said), kept))
    told = [] if unsound else [model.prior.apply(one) for one in said]
    unsound |= dict.fromkeys(fault for one in told for fault in _faults(one))
    if unsound:
        return Examination(tuple(unsound), (), {})
    usual = [baseline.prior.apply(baseline.forecast(case.observed)) for case in cases]
    figures = _figures(model, told, usual)
    weak = [
        f"on the golden set its error in {name.removeprefix(_RATIO)} is {ratio:.2f} times the baseline's,"
        f" and may be {_WORST:g} times"
        for name, ratio in figures.items()
        if name.startswith(_RATIO) and not ratio <= _WORST
    ]
    if np.allclose(said[0].mean, louder.mean, rtol=0.01):
        weak.append("it says the same of twice the air")
    return Examination((), tuple(weak), figures)


def answers(model: Model) -> Floats:
    """What a model's members say of the golden set, for its file: (examples, members, stations, KEPT_LEADS, 4, 4).

    Last the mean, then the quantiles.
    """
    return _kept_of([model.forecast(case.observed) for case in examples()])


@functools.cache
def examples() -> tuple[Example, ...]:
    """The golden set."""
    return tuple(
        _example(np.random.default_rng(seed), issue_hour, with_weather=with_weather)
        for seed, (issue_hour, with_weather) in enumerate(_ISSUES)
    )


def _example(random: np.random.Generator, issue_hour: int, *, with_weather: bool) -> Example:
    hours = _HOURS + HORIZON_HOURS
    stations = len(_STATIONS)
    own, shared = (random.standard_normal((hours, count, len(_USUAL))) for count in (stations, 1))
    noise = np.zeros((stations, len(_USUAL)))
    anomaly = np.empty((stations, hours, len(_USUAL)))
    for hour in range(hours):
        noise = _FADES * noise + _NOISE * (0.5 * own[hour] + 0.85 * shared[hour])
        anomaly[:, hour] = noise
    at = issue_hour - _HOURS + 1 + np.arange(hours)
    local = 2 * math.pi * (at + 9) / 24
    day = np.stack([np.sin(local - 2.2), np.sin(2 * local - 1.0)], axis=-1)
    waves = _SWING * (0.9 * day[:, :1] + 0.4 * day[:, 1:])
    level = 0.12 * random.standard_normal((stations, 1, len(_USUAL)))
    air = (_USUAL * np.exp(anomaly + waves + level)).astype(np.float32)
    values, truth = air[:, :_HOURS].copy(), air[:, _HOURS:, :4].copy()
    values[random.random(values.shape) < _MISSING] = np.nan
    values[:, -26] = np.nan
    values[_SILENT, -30:] = np.nan
    values[_NEW] = np.nan
    weather = _weather(at, random) if with_weather else no_weather(stations)
    return Example(Observed(_STATIONS, issue_hour, values, weather), truth)


def _weather(at: NDArray[np.int64], random: np.random.Generator) -> Weather:
    local = 2 * math.pi * (at[_HOURS - _OBSERVED_WEATHER_HOURS :] + 9) / 24
    swing = np.array([4.0, -12.0, 1.0, 0.8, 0.9, 0.0, 2.0]) * np.sin(local - 2.4)[:, None]
    hours = (
        _USUAL_WEATHER
        + swing
        + np.array([1.0, 5.0, 0.5, 0.5, 0.3, 0.0, 1.0]) * random.standard_normal((len(local), len(_USUAL_WEATHER)))
    )
    hours[:, _SPEED] = np.hypot(hours[:, 2], hours[:, 3])
    hours[:, _RAIN] = np.where(random.random(len(local)) < _RAINY, 1.2, 0.0)
    everywhere = torch.from_numpy(np.repeat(hours[None], len(_STATIONS), axis=0).astype(np.float32))
    return Weather(everywhere[:, :_OBSERVED_WEATHER_HOURS, :6], everywhere[:, _OBSERVED_WEATHER_HOURS:])


def _louder(observed: Observed) -> Observed:
    return Observed(observed.stations, observed.issue_hour, 2 * observed.values, observed.weather)


def _faults(said: MemberForecasts | FieldForecast) -> Iterator[str]:
    both = np.concatenate([said.mean[..., None], said.quantiles], axis=-1)
    if not np.isfinite(both).all():
        yield "it says on the golden set what is no finite number"
        return
    if (both < 0).any():
        yield "it says less than 0 on the golden set"
    if (both > _LARGEST).any():
        yield f"it says more than {_LARGEST:g} on the golden set"
    if (np.diff(said.quantiles, axis=-1) < 0).any():
        yield "its quantiles do not ascend on the golden set"


def _same(one: MemberForecasts, other: MemberForecasts) -> bool:
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.quantiles, other.quantiles)


def _kept_of(said: list[MemberForecasts]) -> Floats:
    at = [one.at(KEPT_LEADS) for one in said]
    return np.stack([np.concatenate([one.mean[..., None], one.quantiles], axis=-1) for one in at]).astype(np.float32)


def _forgotten(given: Floats, kept: Floats | None) -> list[str]:
    if kept is None:
        return ["it does not hold what it answered when it was saved: save it anew"]
    if kept.shape != given.shape:
        return ["what it holds of its answers is of another shape"]
    # A value near 0 is held to what is usual of the pollutant, not to itself.
    room = TOLERANCE * np.maximum(np.abs(kept), 0.01 * _USUAL[:4, None])
    if not (np.abs(given - kept) <= room).all():
        return ["it does not answer as it did when it was saved"]
    return []


def _figures(model: Model, told: list[FieldForecast], usual: list[FieldForecast]) -> dict[str, float]:
    """By pollutant: the error of the mean against the baseline's, and the share inside the 80 % interval."""
    truth = np.stack([case.truth for case in examples()])
    mean = np.stack([one.mean for one in told])
    quantiles = np.stack([one.quantiles for one in told])
    axes = (0, 1, 2)
    own, others = (
        np.sqrt(np.mean((said - truth).astype(np.float64) ** 2, axis=axes))
        for said in (mean, np.stack([one.mean for one in usual]))
    )
    inside = ((truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])).mean(axis=axes)
    names = [pollutant.value.lower() for pollutant in model.pollutants]
    ratios = {f"{_RATIO}{name}": round(float(ratio), 4) for name, ratio in zip(names, own / others, strict=True)}
    return ratios | {f"coverage_{name}": round(float(share), 4) for name, share in zip(names, inside, strict=True)}
