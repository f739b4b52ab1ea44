"""The seasons, by which scores differ most: what is learnt in one is not what the next needs."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from predictor.models.calendar import LOCAL_OFFSET_HOURS


class Season(StrEnum):
    """By months."""

    WINTER = "winter"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"


def seasons_of(hours: NDArray[np.int64]) -> NDArray[np.object_]:
    """The seasons of hours since 1970-01-01T00Z, by Korea's calendar: winter is December to February."""
    local = (hours + LOCAL_OFFSET_HOURS).astype("datetime64[h]").astype("datetime64[M]")
    month = local.astype(np.int64) % 12
    seasons: NDArray[np.object_] = np.array(tuple(Season), dtype=np.object_)[(month + 1) % 12 // 3]
    return seasons
