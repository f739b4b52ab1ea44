"""Which recorded hours are for training, tuning and testing; a forecast belongs to the part of its valid hour."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.training.recordings import TEST, TRAIN, TUNE

Ints = NDArray[np.int64]

_FIRST_TUNED_DAY, _LAST_TUNED_DAY = 18, 21
_TUNED_YEARS: Final = (2017, 2021, 2025)
_YEAR_TUNED: Final = 2021
_WINTER_TUNED: Final = np.datetime64("2025-11-20T00", "h")
_WINTER_TESTED: Final = np.datetime64("2025-12-01T00", "h")


class Split(StrEnum):
    """What a training is for."""

    EVALUATION = "evaluation"
    """Years, days and a winter are kept from the fit, to score it."""

    FINAL = "final"
    """All hours are for the fit but four days a month of three years, which tell when to stop."""


class Kind(StrEnum):
    """What kind of recording it is: each is split in its own way."""

    DOWNTOWN = "downtown mean"
    STATIONS_2017 = "stations of 2017"
    KOREA = "Korea"
    ABROAD = "abroad"


def parts(split: Split, kind: Kind, first_hour: int, hours: int) -> Ints:
    """TRAIN, TUNE or TEST by hour, of so many hours from the first (since 1970-01-01T00Z), by Korea's calendar."""
    local = (first_hour + LOCAL_OFFSET_HOURS + np.arange(hours)).astype("datetime64[h]")
    day = (local.astype("datetime64[D]") - local.astype("datetime64[M]")).astype(np.int64) + 1
    year = local.astype("datetime64[Y]").astype(np.int64) + 1970
    tuned_days = (day >= _FIRST_TUNED_DAY) & (day <= _LAST_TUNED_DAY)
    if kind is Kind.ABROAD:
        return np.full(hours, TRAIN)
    if split is Split.FINAL:
        return np.where(tuned_days & np.isin(year, _TUNED_YEARS), TUNE, TRAIN)
    if kind is Kind.DOWNTOWN:
        return np.select([year < _YEAR_TUNED, year == _YEAR_TUNED], [TRAIN, TUNE], TEST)
    if kind is Kind.STATIONS_2017:
        return np.select([day < _FIRST_TUNED_DAY, tuned_days], [TRAIN, TUNE], TEST)
    return np.select([local < _WINTER_TUNED, local < _WINTER_TESTED], [TRAIN, TUNE], TEST)
