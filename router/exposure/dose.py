"""What is inhaled of a pollutant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from air.geodesy import Floats
from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant
from router.exposure.background import WEIGHED, Background
from router.exposure.concentration import StreetAir
from router.exposure.score import score_of
from router.search.kernel import Ints


class Dose(NamedTuple):
    """What is inhaled of one pollutant; intervals hold the truth with a probability of 80 %.

    A tuple, because a dozen are made in each request, in a fifth of the time.

    Attributes:
        pollutant: Which.
        dose_ug: Concentration times ventilation times time, summed along the way, µg.
        lower_ug: Its interval's lower end.
        upper_ug: Its interval's upper end.
        mean_concentration_ug_m3: The mean over the time on the way.
        mean_lower_ug_m3: Its interval's lower end.
        mean_upper_ug_m3: Its interval's upper end.
    """

    pollutant: Pollutant
    dose_ug: float
    lower_ug: float
    upper_ug: float
    mean_concentration_ug_m3: float
    mean_lower_ug_m3: float = 0.0
    mean_upper_ug_m3: float = 0.0


def doses(
    air: StreetAir, background: Background, arcs: Ints, seconds: Floats, ventilation_m3_h: float
) -> tuple[Dose, ...]:
    """The dose of each pollutant that is known, on arcs (int32[k]) that take `seconds` each (float64[k])."""
    found = []
    for pollutant in background.known:
        seconds_at = air.on_arcs(background, pollutant, arcs) @ seconds
        low, middle, high, _ = (seconds_at * ventilation_m3_h / 3600.0).tolist()
        taken = float(seconds.sum())
        mean = middle * 3600.0 / (ventilation_m3_h * taken) if taken > 0 else 0.0
        found.append(Dose(pollutant, middle, low, high, mean, mean, mean))
    return tuple(found)


def weighed(found: Sequence[Dose]) -> float | None:
    """The doses of NO2 and PM2.5 in shares of their WHO guidelines, summed, m³; None when neither is known."""
    shares = [dose.dose_ug / WHO_GUIDELINE_UG_M3[dose.pollutant] for dose in found if dose.pollutant in WEIGHED]
    return sum(shares) if shares else None


def air_quality_score(found: Sequence[Dose]) -> float | None:
    """The score of the mean concentrations on the way; None when no pollutant is known."""
    if not found:
        return None
    told = {dose.pollutant: dose.mean_concentration_ug_m3 for dose in found}
    return score_of(np.array([told.get(pollutant, np.nan) for pollutant in FORECAST_POLLUTANTS]))
