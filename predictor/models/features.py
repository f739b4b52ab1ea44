"""From what was measured to what the nets read; the same for training and for serving.

Shapes: B rows (a station at an issue hour), 168 hours of window, 72 horizons, 4 forecast pollutants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.calendar import waves, waves_from
from predictor.models.channels import CHANNELS, FORECAST, NEAR, OWN, SECTOR, SECTOR_POLLUTANTS, WINDOW_HOURS
from predictor.models.day_marks import MARKS, Days, day_marks, day_marks_from
from predictor.models.gaps import fill
from predictor.models.scale import usual_to_z
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather, scaled

_DAY: Final = 24

# First hour, hour after the last, and hours a step: the older, the coarser.
_BINS: Final = ((0, 96, 24), (96, 144, 6), (144, 156, 2), (156, 168, 1))
_STEP_HOURS: Final = tuple(hours for first, end, hours in _BINS for _ in range((end - first) // hours))
STEPS: Final = len(_STEP_HOURS)
_COARSE: Final = sum(hours > 1 for hours in _STEP_HOURS)
_LAST_HOURS: Final = (6, _DAY, WINDOW_HOURS)
_SIX, _DAY_LONG, _WEEK = range(len(_LAST_HOURS))
_USUAL_LOG_STEP: Final = 2.5

_AGE_HOURS, _OLDEST_AGE = 6.0, 4.0
_ENOUGH_OLD_HOURS: Final = 12
_MEMORIES_HOURS: Final = (6.0, 24.0)
_SMALLEST_SHARE: Final = 0.5

_SECTOR_CHANNELS: Final = SECTOR.stop - SECTOR.start
_VALUES_AND_MASKS: Final = CHANNELS + OWN.stop + 1 + _SECTOR_CHANNELS // SECTOR_POLLUTANTS
_WEATHER: Final = slice(_VALUES_AND_MASKS, _VALUES_AND_MASKS + OBSERVED)
_WEATHER_KNOWN: Final = slice(_VALUES_AND_MASKS, _VALUES_AND_MASKS + OBSERVED + 1)
_HOURLY: Final = _WEATHER_KNOWN.stop + 2
SEQUENCE: Final = _HOURLY + 1
STATE: Final = 9 * FORECAST
PAST: Final = STEPS * 2 * FORECAST + 3 * _SECTOR_CHANNELS + 2 * (OWN.stop - FORECAST) + 2 * OBSERVED + 1 + 3 * FORECAST
NEXT: Final = 3 * FORECAST + MARKS + FORESEEN + 1 + len(_MEMORIES_HOURS) * OBSERVED


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was measured, on the scale, NaN in gaps.

    Attributes:
        window: The last 168 hours, all channels, oldest first, (B, 168, CHANNELS).
        week_before: The forecast pollutants in the 168 hours before those, (B, 168, 4).
    """

    window: Tensor
    week_before: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """What is usual at the hours of the window and of the horizons, and what kind of day they fall on.

    Attributes:
        usual_window: The climatology on the scale, (B, 168, 4).
        usual_next: The same of the horizons, (B, 72, 4).
        clock: Sine and cosine of the window's hours of the day, (B, 168, 2).
        marks: Of the horizons, (B, 72, MARKS).
    """

    usual_window: Tensor
    usual_next: Tensor
    clock: Tensor
    marks: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What a net reads, float32 without NaN.

    Attributes:
        sequence: For the recurrent part, one step an hour at the end and one a day at the beginning,
            (B, STEPS, SEQUENCE).
        state: The newest values, their age, and means of the window, (B, STATE).
        past: For the linear part: window and surroundings, (B, PAST).
        next: Of each horizon: what is usual, the kind of day and the weather, (B, 72, NEXT).
        station: The place in the table of stations, 0 where unknown, (B,), int64.
        network: 0 urban, 1 roadside, 2 other, (B,), int64.
    """

    sequence: Tensor
    state: Tensor
    past: Tensor
    next: Tensor
    station: Tensor
    network: Tensor


def times_of(issue_hour: Tensor, pattern: Tensor, holidays: Days) -> Times:
    """Times at issue hours (B,), int64, hours since 1970-01-01T00Z; `pattern` is the climatology's, (4, WAVES)."""
    # Stations of one network share their issue hours, so there are few to work out.
    distinct, of_row = torch.unique(issue_hour, return_inverse=True)
    first, hours = 1 - WINDOW_HOURS, WINDOW_HOURS + HORIZON_HOURS
    if len(distinct) == 1:
        start = int(distinct) + first
        usual = usual_to_z(waves_from(start, hours) @ pattern.T).expand(len(of_row), -1, -1)
        marks = day_marks_from(start, hours, holidays.tobytes()).expand(len(of_row), -1, -1)
    else:
        hour = distinct.unsqueeze(-1) + torch.arange(first, first + hours)
        usual, marks = usual_to_z(waves(hour) @ pattern.T)[of_row], day_marks(hour, holidays)[of_row]
    return Times(
        usual_window=usual[:, :WINDOW_HOURS],
        usual_next=usual[:, WINDOW_HOURS:],
        clock=marks[:, :WINDOW_HOURS, :2],
        marks=marks[:, WINDOW_HOURS:],
    )


def features(measured: Measured, weather: Weather, times: Times, station: Tensor, network: Tensor) -> Features:
    """The features of B rows; every part of the arguments has B rows."""
    filled, known = fill(measured.window)
    observed, observed_known = scaled(weather.observed)
    hourly = _hourly(filled, known, observed, observed_known, times.clock)
    # All averages of hours are one product: the steps' first, then those of the last hours.
    means = (hourly @ _AVERAGES).mT
    sequence = _sequence(hourly, means)
    last = means[:, _COARSE:]
    old = _week_before(measured.week_before, last[:, _WEEK, :FORECAST])
    past = torch.cat(
        [
            sequence[..., :FORECAST].flatten(1),
            sequence[..., NEAR].flatten(1),
            *(each[:, SECTOR] for each in (hourly[..., -1], last[:, _SIX], last[:, _DAY_LONG])),
            *(each[:, FORECAST : OWN.stop] for each in (hourly[..., -1], last[:, _DAY_LONG])),
            *(each[:, _WEATHER] for each in (hourly[..., -1], last[:, _DAY_LONG])),
            observed_known[:, -1],
            old,
            times.usual_window[:, -1],
            times.usual_window.mean(dim=1),
        ],
        dim=1,
    )
    return Features(
        sequence=sequence,
        state=_state(filled[..., :FORECAST].mT, known[..., :FORECAST].mT, last, old, times.usual_window),
        past=past,
        next=_next(filled[..., :FORECAST].mT, hourly[:, _WEATHER_KNOWN, -_DAY:], weather.foreseen, times),
        station=station,
        network=network,
    )


def _hourly(filled: Tensor, known: Tensor, observed: Tensor, observed_known: Tensor, clock: Tensor) -> Tensor:
    """Values, masks, weather and time of day, (B, _HOURLY, 168)."""
    hourly = torch.empty(len(filled), _HOURLY, WINDOW_HOURS)
    mask = known.mT
    # A sector's and the neighbourhood's first pollutant stands for all of theirs: they come and go together.
    masks = [mask[:, OWN], mask[:, NEAR.start : NEAR.start + 1], mask[:, SECTOR.start :: SECTOR_POLLUTANTS]]
    first = 0
    for part in (filled.mT, *masks, observed.mT, observed_known.mT, clock.mT):
        hourly[:, first : first + part.shape[1]] = part
        first += part.shape[1]
    return hourly


def _sequence(hourly: Tensor, means: Tensor) -> Tensor:
    """What each step shows, and how long it is."""
    sequence = torch.empty(len(hourly), STEPS, SEQUENCE)
    sequence[:, :_COARSE, :_HOURLY] = means[:, :_COARSE]
    sequence[:, _COARSE:, :_HOURLY] = hourly[..., _COARSE - STEPS :].mT
    sequence[..., _HOURLY] = _LENGTHS
    return sequence


def _week_before(values: Tensor, week: Tensor) -> Tensor:
    """The mean of the week before the window, (B, 4); the window's own where there is too little of it."""
    count = torch.from_numpy(np.isfinite(values.numpy()).sum(axis=1, dtype=np.float32))
    mean = values.nan_to_num(0.0).sum(dim=1) / count.clamp_min(1)
    return torch.where(count >= _ENOUGH_OLD_HOURS, mean, week)


def _state(values: Tensor, known: Tensor, last: Tensor, old: Tensor, usual: Tensor) -> Tensor:
    newest, day, week = values[..., -1], last[:, _DAY_LONG, :FORECAST], last[:, _WEEK, :FORECAST]
    hours = torch.arange(WINDOW_HOURS, 0, -1, dtype=torch.float32)
    # The newest known hour has the largest of those that count down to it; 0 where none is known.
    age = ((hours * known.flip(-1)).amax(dim=-1).neg() + WINDOW_HOURS) / _AGE_HOURS
    extremes = values[..., -_DAY:].aminmax(dim=-1)
    lately = [day, extremes.max, extremes.min]
    age = age.clamp(max=_OLDEST_AGE)
    return torch.cat([newest, age, week, *lately, old, week - usual.mean(dim=1), newest - usual[:, -1]], dim=1)


def _next(values: Tensor, past: Tensor, foreseen: Tensor, times: Times) -> Tensor:
    # What the hour's place in the day was like yesterday, and in the week's mean.
    days = values.reshape(len(values), FORECAST, -1, _DAY)
    same_hour = torch.cat([days[..., -1, :], days.mean(dim=-2)], dim=1).mT.repeat(1, HORIZON_HOURS // _DAY, 1)
    expected, known = scaled(foreseen)
    to_come = torch.cat([expected[..., :OBSERVED] * known, known], dim=-1).mT
    lately = _faded_means(torch.cat([past, to_come], dim=-1))
    return torch.cat([same_hour, times.usual_next, times.marks, expected, known, lately], dim=-1)


def _faded_means(weather: Tensor) -> Tensor:
    """Weather up to each horizon, the older the less: rain washes the air for hours, and calm fills it.

    Takes the last day's hours and the horizons, (B, OBSERVED + 1, 24 + 72), the last row telling the known ones;
    gives for each horizon the means by memory, (B, 72, 2 · OBSERVED).
    """
    sums = weather @ _FADING
    # Few known hours make a mean near 0, the usual value, and no wild one.
    means = sums[:, :OBSERVED] / sums[:, OBSERVED:].clamp_min(_SMALLEST_SHARE)
    return torch.cat(torch.split(means, HORIZON_HOURS, dim=-1), dim=1).mT


def _fading() -> Tensor:
    """How much each hour counts in each horizon's means, (24 + 72, 2 · 72)."""
    age = torch.arange(HORIZON_HOURS) + _DAY - torch.arange(_DAY + HORIZON_HOURS)[:, None]
    return torch.cat([torch.where(age >= 0, torch.exp(-age / memory), 0.0) for memory in _MEMORIES_HOURS], dim=1)


def _averages() -> Tensor:
    """How much each hour counts in each average, (168, 24): of each longer step, of the last hours, and in nothing.

    The product is a third faster with three columns of nothing: so it has a multiple of eight.
    """
    spans = [(first, hours) for begin, end, hours in _BINS if hours > 1 for first in range(begin, end, hours)]
    spans += [(WINDOW_HOURS - hours, hours) for hours in _LAST_HOURS]
    averages = torch.zeros(WINDOW_HOURS, math.ceil(len(spans) / 8) * 8)
    for place, (first, hours) in enumerate(spans):
        averages[first : first + hours, place] = 1 / hours
    return averages


_AVERAGES: Final = _averages()
_FADING: Final = _fading()
_LENGTHS: Final = torch.log(torch.tensor(_STEP_HOURS, dtype=torch.float32)) / _USUAL_LOG_STEP
