"""What is inhaled on the way, and how the air there is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.index import index_of_hour
from air.pollutants import WHO_GUIDELINE_UG_M3, Pollutant, ug_m3_per_unit
from router.exposure.concentration import WEIGHED, Background, StreetAir
from router.exposure.field import STATISTICS
from router.search.kernel import Ints

_SECONDS_AN_HOUR = 3600.0

SCORE_OF_INDEX: Final = ((0.0, 100.0), (50.0, 75.0), (100.0, 50.0), (250.0, 25.0), (500.0, 0.0))
"""The score at the bounds of the Korean index's four grades, linear between: each grade is a quarter of the scale."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What is inhaled of one pollutant.

    Attributes:
        pollutant: Which.
        dose_ug: Concentration times ventilation times time, summed along the way, µg.
        lower_ug: The same of the forecast's 10 % quantile.
        upper_ug: The same of the forecast's 90 % quantile.
        mean_concentration_ug_m3: The mean over the time on the way.
    """

    pollutant: Pollutant
    dose_ug: float
    lower_ug: float
    upper_ug: float
    mean_concentration_ug_m3: float


def doses(
    air: StreetAir, background: Background, arcs: Ints, seconds: Floats, ventilation_m3_h: float
) -> tuple[Dose, ...]:
    """The dose of each pollutant that is known, on arcs (int32[k]) that take `seconds` each (float64[k]).

    The quantiles are carried through as if the forecast erred by the same share on all of the way: no averaging makes
    the interval narrower.
    """
    found = []
    for pollutant in background.known:
        seconds_at = air.on_arcs(background, pollutant, arcs) @ seconds
        inhaled = dict(zip(STATISTICS, (seconds_at * ventilation_m3_h / _SECONDS_AN_HOUR).tolist(), strict=True))
        taken = float(seconds.sum())
        mean = inhaled["median"] * _SECONDS_AN_HOUR / (ventilation_m3_h * taken) if taken > 0 else 0.0
        found.append(Dose(pollutant, inhaled["median"], inhaled["lower"], inhaled["upper"], mean))
    return tuple(found)


def weighed(found: Sequence[Dose]) -> float | None:
    """The doses of NO2 and PM2.5 in shares of their WHO guidelines, summed, m³; None when neither is known."""
    shares = [dose.dose_ug / WHO_GUIDELINE_UG_M3[dose.pollutant] for dose in found if dose.pollutant in WEIGHED]
    return sum(shares) if shares else None


def air_quality_score(found: Sequence[Dose]) -> float | None:
    """The Korean index of the mean concentrations on the way, as a score from 0 to 100 (SCORE_OF_INDEX).

    None when no pollutant is known. Of the index's six pollutants it sees those that are forecast.
    """
    if not found:
        return None
    index = index_of_hour(
        {dose.pollutant: dose.mean_concentration_ug_m3 / ug_m3_per_unit(dose.pollutant) for dose in found}
    )
    indices, scores = zip(*SCORE_OF_INDEX, strict=True)
    return float(np.interp(index, indices, scores))
