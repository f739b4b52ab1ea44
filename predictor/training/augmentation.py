"""More gaps than were recorded, so that the nets forecast through whatever is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import NEAR, OWN, SECTOR, WINDOW_HOURS
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.training.rows import Rows

_SEASON_DAYS: Final = 10.0
_YEAR_DAYS: Final = 365.25
_DAY_HOURS: Final = 24
_MORNING: Final = 9
"""From this hour on the network's service is silent on most days."""

_MORNING_SILENT: Final = 0.97

# In which share of rows there is so much less to see.
_SCATTERED, _MORNINGS, _BLOCK, _SILENT_END = 0.15, 0.25, 0.12, 0.08
_OWN_SILENT, _OWN_NEVER, _NO_HISTORY = 0.04, 0.02, 0.15
_NO_POLLUTANT: Final = (0.03, 0.03, 0.03, 0.03, 0.2, 0.2)
_NO_NEIGHBOURS, _NO_SECTORS = 0.15, 0.25
_NO_WEATHER, _NONE_OBSERVED, _NONE_FORESEEN, _FORECAST_CUT = 0.15, 0.05, 0.08, 0.06
_UNKNOWN_STATION: Final = 0.3


def augmented(rows: Rows, chance: torch.Generator) -> Rows:
    """The same rows with random gaps, without their weather, as of unknown stations, and with the season blurred."""
    random = _Random(len(rows.window), chance)
    window = rows.window.masked_fill(_silent(rows.clock, random)[..., None], torch.nan)
    window[..., OWN] = window[..., OWN].masked_fill(_own_silent(random), torch.nan)
    window[..., NEAR] = window[..., NEAR].masked_fill(random.rows(_NO_NEIGHBOURS)[..., None], torch.nan)
    window[..., SECTOR] = window[..., SECTOR].masked_fill(random.rows(_NO_SECTORS)[..., None], torch.nan)
    none = random.rows(_NO_WEATHER)
    ahead = torch.arange(HORIZON_HOURS)
    cut = random.rows(_FORECAST_CUT) & (ahead >= torch.floor(random.uniform(1) * HORIZON_HOURS))
    return replace(
        rows,
        window=window,
        week_before=rows.week_before.masked_fill(random.rows(_NO_HISTORY)[..., None], torch.nan),
        observed=rows.observed.masked_fill((none | random.rows(_NONE_OBSERVED))[..., None], torch.nan),
        foreseen=rows.foreseen.masked_fill((none | random.rows(_NONE_FORESEEN) | cut)[..., None], torch.nan),
        station=torch.where(random.rows(_UNKNOWN_STATION)[:, 0], 0, rows.station),
        marks=_blurred(rows.marks, random),
    )


class _Random:
    """Random numbers for so many rows."""

    def __init__(self, rows: int, chance: torch.Generator) -> None:
        self._rows, self._chance = rows, chance

    def uniform(self, columns: int) -> Tensor:
        """From 0 to 1, (rows, columns)."""
        return torch.rand(self._rows, columns, generator=self._chance)

    def normal(self) -> Tensor:
        """Of mean 0 and variance 1, (rows, 1)."""
        return torch.randn(self._rows, 1, generator=self._chance)

    def rows(self, share: float) -> Tensor:
        """This share of the rows, (rows, 1), bool."""
        return self.uniform(1) < share

    def hours(self, least: int, more: int, power: int) -> Tensor:
        """Whole hours from the least to so many more, the more the rarer, (rows, 1)."""
        return least + torch.floor(self.uniform(1) ** power * more)


def _silent(clock: Tensor, random: _Random) -> Tensor:
    """Hours in which the whole network is not heard, (rows, 168)."""
    hour = torch.arange(WINDOW_HOURS)
    scattered = (random.uniform(WINDOW_HOURS) < 0.35 * random.uniform(1)) & random.rows(_SCATTERED)
    turn = torch.atan2(clock[..., 0], clock[..., 1]) / (2 * math.pi)
    of_day = torch.remainder(torch.round(turn * _DAY_HOURS), _DAY_HOURS)
    late = (of_day >= _MORNING) & (of_day <= random.hours(_MORNING, 4, 3))
    mornings = late & (random.uniform(WINDOW_HOURS) < _MORNING_SILENT) & random.rows(_MORNINGS)
    start = torch.floor(random.uniform(1) * WINDOW_HOURS)
    block = (hour >= start) & (hour < start + random.hours(4, 60, 2)) & random.rows(_BLOCK)
    end = (hour >= WINDOW_HOURS - random.hours(1, 12, 3)) & random.rows(_SILENT_END)
    return scattered | mornings | block | end


def _own_silent(random: _Random) -> Tensor:
    """What of the station's own is not there, while its neighbours are, (rows, 168, 6)."""
    end = (torch.arange(WINDOW_HOURS) >= WINDOW_HOURS - random.hours(1, 24, 3)) & random.rows(_OWN_SILENT)
    pollutant = random.uniform(len(INPUT_POLLUTANTS)) < torch.tensor(_NO_POLLUTANT)
    return (end | random.rows(_OWN_NEVER))[..., None] | pollutant[:, None]


def _blurred(marks: Tensor, random: _Random) -> Tensor:
    """The day of the year is off by some days: few years make a season, and none is like the other."""
    turn = 2 * math.pi / _YEAR_DAYS * _SEASON_DAYS * random.normal()
    sine, cosine = marks[..., -2], marks[..., -1]
    season = torch.stack(
        [sine * torch.cos(turn) + cosine * torch.sin(turn), cosine * torch.cos(turn) - sine * torch.sin(turn)], dim=-1
    )
    return torch.cat([marks[..., :-2], season], dim=-1)
