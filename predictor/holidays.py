"""Korea's public holidays, as the models count days."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import holidays
import numpy as np

from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.day_marks import Days

_HOURS_A_DAY: Final = 24
_EPOCH: Final = date(1970, 1, 1)


def holidays_around(issue_hour: int) -> Days:
    """The holidays of the year of an hour (since 1970-01-01T00Z), in Korea, and of the years beside it.

    With substitutes, election days and those that a government has declared for once, as far as the release of
    `holidays` that is installed knows of them; see `day_marks`.
    """
    local_day = (issue_hour + LOCAL_OFFSET_HOURS) // _HOURS_A_DAY
    return _of_years_around(date.fromordinal(_EPOCH.toordinal() + local_day).year)


@lru_cache(maxsize=8)
def _of_years_around(year: int) -> Days:
    known = holidays.country_holidays("KR", years=range(year - 1, year + 2))
    days = np.array(sorted(day.toordinal() - _EPOCH.toordinal() for day in known), dtype=np.int64)
    days.setflags(write=False)
    return days
