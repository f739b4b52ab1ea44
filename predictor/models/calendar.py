"""The hour's place in the day and in the year, as smooth waves."""

from __future__ import annotations

import functools
from typing import Final

import torch
from torch import Tensor

LOCAL_OFFSET_HOURS: Final = 9
"""Korea's clock is nine hours ahead of UTC all year round; traffic and people keep it."""

_DAY_HOURS: Final = 24
_YEAR_HOURS: Final = 8766
_YEAR_WAVES: Final = 2
_DAY_WAVES: Final = 4
_CROSSED_DAY_WAVES: Final = 3

WAVES: Final = 1 + 2 * _YEAR_WAVES + 2 * _DAY_WAVES + (2 * _YEAR_WAVES) * (2 * _CROSSED_DAY_WAVES)
"""How many there are: a constant, those of the year, those of the day, and the day's changing over the year."""


def waves(hour: Tensor) -> Tensor:
    """Harmonics at hours since 1970-01-01T00Z (int64, any shape): one more axis of `WAVES` values, float32."""
    local = hour + LOCAL_OFFSET_HOURS
    # Whole hours are reduced before they become float32, which could not tell them apart.
    day = torch.remainder(local, _DAY_HOURS).to(torch.float32) * (2 * torch.pi / _DAY_HOURS)
    year = torch.remainder(local, _YEAR_HOURS).to(torch.float32) * (2 * torch.pi / _YEAR_HOURS)
    of_year = _pairs(year, _YEAR_WAVES)
    of_day = _pairs(day, _DAY_WAVES)
    crossed = of_year.unsqueeze(-1) * of_day[..., : 2 * _CROSSED_DAY_WAVES].unsqueeze(-2)
    return torch.cat([torch.ones_like(day).unsqueeze(-1), of_year, of_day, crossed.flatten(-2)], dim=-1)


@functools.lru_cache(maxsize=8)
def waves_from(first: int, hours: int) -> Tensor:
    """The waves of so many hours from the first on, (hours, WAVES), for all who ask for these; not to be written to."""
    return waves(torch.arange(first, first + hours))


def _pairs(phase: Tensor, count: int) -> Tensor:
    """Cos and sin of 1 to `count` times the phase."""
    turns = phase.unsqueeze(-1) * torch.arange(1, count + 1, dtype=torch.float32)
    return torch.stack([torch.cos(turns), torch.sin(turns)], dim=-1).flatten(-2)
