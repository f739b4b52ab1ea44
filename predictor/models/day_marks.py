"""What kind of day an hour falls on: the time of day and of year, week-ends and public holidays."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from predictor.models.calendar import LOCAL_OFFSET_HOURS

Days = NDArray[np.int64]

MARKS: Final = 12
"""Sine and cosine of the day and of its halves and thirds; Saturday; Sunday or holiday; Monday; the day before a
holiday; sine and cosine of the year."""

_HOURS: Final = 24
_YEAR_DAYS: Final = 365.25
_MONDAY, _SATURDAY, _SUNDAY = 0, 5, 6
_WEEKDAY_OF_1970: Final = 3
"""1970-01-01 was a Thursday; weeks begin on Monday."""


def day_marks(hour: Tensor, holidays: Days) -> Tensor:
    """The marks of hours since 1970-01-01T00Z (int64, any shape): one more axis of `MARKS` values, float32.

    `holidays` are Korea's public holidays but Sundays, as days since 1970-01-01 on its calendar; those that are not
    given count as working days.
    """
    local = hour.numpy() + LOCAL_OFFSET_HOURS
    day = local // _HOURS
    hour_of_day = local % _HOURS
    january = local.astype("datetime64[h]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    weekday = (day + _WEEKDAY_OF_1970) % 7
    turn = 2 * np.pi * hour_of_day / _HOURS
    year = 2 * np.pi * (day - january + hour_of_day / _HOURS) / _YEAR_DAYS
    marks = [
        *(wave(times * turn) for times in (1, 2, 3) for wave in (np.sin, np.cos)),
        weekday == _SATURDAY,
        (weekday == _SUNDAY) | np.isin(day, holidays),
        weekday == _MONDAY,
        np.isin(day + 1, holidays),
        np.sin(year),
        np.cos(year),
    ]
    return torch.from_numpy(np.stack(marks, axis=-1).astype(np.float32))


@functools.lru_cache(maxsize=8)
def day_marks_from(first: int, hours: int, holidays: bytes) -> Tensor:
    """The marks of so many hours from the first on, (hours, MARKS), for all who ask for these; not to be written to.

    `holidays` are the bytes of the days.
    """
    return day_marks(torch.arange(first, first + hours), np.frombuffer(holidays, dtype=np.int64))
