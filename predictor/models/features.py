"""From what was measured to what the nets read; the same for training and for serving.

Shapes: B rows (a station at an issue hour), 168 hours of window, 72 horizons, 4 forecast pollutants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.calendar import waves
from predictor.models.channels import CHANNELS, FORECAST, NEAR, OWN, SECTOR, SECTOR_POLLUTANTS, WINDOW_HOURS
from predictor.models.day_marks import MARKS, Days, day_marks
from predictor.models.gaps import fill
from predictor.models.scale import usual_to_z
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather, scaled

_DAY: Final = 24

# First hour, hour after the last, and hours a step: the older, the coarser.
_BINS: Final = ((0, 96, 24), (96, 144, 6), (144, 156, 2), (156, 168, 1))
_STEP_HOURS: Final = tuple(hours for first, end, hours in _BINS for _ in range((end - first) // hours))
STEPS: Final = len(_STEP_HOURS)
_USUAL_LOG_STEP: Final = 2.5

_AGE_HOURS, _OLDEST_AGE = 6.0, 4.0
_ENOUGH_OLD_HOURS: Final = 12
_MEMORIES_HOURS: Final = (6.0, 24.0)
_SMALLEST_SHARE: Final = 0.5

_SECTOR_CHANNELS: Final = SECTOR.stop - SECTOR.start
SEQUENCE: Final = CHANNELS + OWN.stop + 1 + _SECTOR_CHANNELS // SECTOR_POLLUTANTS + OBSERVED + 1 + 2 + 1
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
    hour = distinct.unsqueeze(-1) + torch.arange(1 - WINDOW_HOURS, HORIZON_HOURS + 1)
    usual = usual_to_z(waves(hour) @ pattern.T)[of_row]
    marks = day_marks(hour, holidays)[of_row]
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
    sequence = _sequence(filled, known, observed, observed_known, times.clock)
    old = _week_before(measured.week_before, filled)
    past = torch.cat(
        [
            sequence[..., :FORECAST].flatten(1),
            sequence[..., NEAR].flatten(1),
            *(_mean_of_last(filled[..., SECTOR], hours) for hours in (1, 6, _DAY)),
            *(_mean_of_last(filled[..., FORECAST : OWN.stop], hours) for hours in (1, _DAY)),
            *(_mean_of_last(observed, hours) for hours in (1, _DAY)),
            observed_known[:, -1],
            old,
            times.usual_window[:, -1],
            times.usual_window.mean(dim=1),
        ],
        dim=1,
    )
    return Features(
        sequence=sequence,
        state=_state(filled[..., :FORECAST], known[..., :FORECAST], old, times.usual_window),
        past=past,
        next=_next(filled[..., :FORECAST], observed, observed_known, weather.foreseen, times),
        station=station,
        network=network,
    )


def _sequence(filled: Tensor, known: Tensor, observed: Tensor, observed_known: Tensor, clock: Tensor) -> Tensor:
    """Values, masks, weather and time of day, averaged over each step, and the step's length."""
    mask = known.to(torch.float32)
    # A sector's and the neighbourhood's first pollutant stands for all of theirs: they come and go together.
    masks = [mask[..., OWN], mask[..., NEAR.start : NEAR.start + 1], mask[..., SECTOR.start :: SECTOR_POLLUTANTS]]
    hourly = torch.cat([filled, *masks, observed, observed_known, clock], dim=-1)
    steps = [
        hourly[:, first:end].reshape(len(hourly), -1, hours, hourly.shape[-1]).mean(dim=2)
        if hours > 1
        else hourly[:, first:end]
        for first, end, hours in _BINS
    ]
    length = torch.log(torch.tensor(_STEP_HOURS, dtype=torch.float32)) / _USUAL_LOG_STEP
    return torch.cat([torch.cat(steps, dim=1), length[:, None].expand(len(filled), -1, 1)], dim=-1)


def _week_before(values: Tensor, filled: Tensor) -> Tensor:
    """The mean of the week before the window, (B, 4); the window's own where there is too little of it."""
    known = values.isfinite()
    count = known.sum(dim=1)
    mean = torch.where(known, values, 0.0).sum(dim=1) / count.clamp_min(1)
    return torch.where(count >= _ENOUGH_OLD_HOURS, mean, filled[..., :FORECAST].mean(dim=1))


def _state(values: Tensor, known: Tensor, old: Tensor, usual: Tensor) -> Tensor:
    newest, week, day = values[:, -1], values.mean(dim=1), values[:, -_DAY:]
    place = torch.where(known, torch.arange(WINDOW_HOURS)[:, None], -1).amax(dim=1)
    age = ((WINDOW_HOURS - 1 - place) / _AGE_HOURS).clamp(max=_OLDEST_AGE)
    of_day = [day.mean(dim=1), day.amax(dim=1), day.amin(dim=1)]
    return torch.cat([newest, age, week, *of_day, old, week - usual.mean(dim=1), newest - usual[:, -1]], dim=1)


def _next(values: Tensor, observed: Tensor, observed_known: Tensor, foreseen: Tensor, times: Times) -> Tensor:
    # What the hour's place in the day was like yesterday, and in the week's mean.
    days = values.reshape(len(values), -1, _DAY, FORECAST)
    same_hour = torch.cat([days[:, -1], days.mean(dim=1)], dim=-1).repeat(1, HORIZON_HOURS // _DAY, 1)
    expected, known = scaled(foreseen)
    past = torch.cat([observed, observed_known], dim=-1)[:, -_DAY:]
    to_come = torch.cat([expected[..., :OBSERVED] * known, known], dim=-1)
    lately = _faded_means(torch.cat([past, to_come], dim=1))
    return torch.cat([same_hour, times.usual_next, times.marks, expected, known, lately], dim=-1)


def _faded_means(weather: Tensor) -> Tensor:
    """Weather up to each horizon, the older the less: rain washes the air for hours, and calm fills it.

    Takes the last day's hours and the horizons, (B, 24 + 72, OBSERVED + 1), the last column telling the known ones;
    gives for each horizon the means by memory, (B, 72, 2 · OBSERVED).
    """
    sums = torch.einsum("kj,bjc->bkc", _FADING, weather)
    # Few known hours make a mean near 0, the usual value, and no wild one.
    means = sums[..., :OBSERVED] / sums[..., OBSERVED:].clamp_min(_SMALLEST_SHARE)
    return torch.cat(torch.split(means, HORIZON_HOURS, dim=1), dim=-1)


def _fading() -> Tensor:
    """How much each hour counts in each horizon's means, (2 · 72, 24 + 72)."""
    age = torch.arange(HORIZON_HOURS)[:, None] + _DAY - torch.arange(_DAY + HORIZON_HOURS)
    return torch.cat([torch.where(age >= 0, torch.exp(-age / memory), 0.0) for memory in _MEMORIES_HOURS])


def _mean_of_last(values: Tensor, hours: int) -> Tensor:
    return values[:, -hours:].mean(dim=1)


_FADING: Final = _fading()
