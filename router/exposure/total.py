"""What is inhaled on several ways, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from air.pollutants import FORECAST_POLLUTANTS
from router.exposure.dose import Dose


def total(parts: Sequence[tuple[float, Sequence[Dose]]]) -> tuple[Dose, ...]:
    """The doses on ways that take so many seconds each, of the pollutants that are known on all of them.

    Intervals are added up as if all ways erred together: forecasts of one day do so nearly.
    """
    by_pollutant = [{dose.pollutant: (seconds, dose) for dose in doses} for seconds, doses in parts if seconds > 0]
    known = [pollutant for pollutant in FORECAST_POLLUTANTS if all(pollutant in part for part in by_pollutant)]
    return tuple(_sum([part[pollutant] for part in by_pollutant]) for pollutant in known if by_pollutant)


def _sum(parts: Sequence[tuple[float, Dose]]) -> Dose:
    taken = sum(seconds for seconds, _ in parts)
    return Dose(
        pollutant=parts[0][1].pollutant,
        dose_ug=sum(dose.dose_ug for _, dose in parts),
        lower_ug=sum(dose.lower_ug for _, dose in parts),
        upper_ug=sum(dose.upper_ug for _, dose in parts),
        mean_concentration_ug_m3=sum(seconds * dose.mean_concentration_ug_m3 for seconds, dose in parts) / taken,
        mean_lower_ug_m3=sum(seconds * dose.mean_lower_ug_m3 for seconds, dose in parts) / taken,
        mean_upper_ug_m3=sum(seconds * dose.mean_upper_ug_m3 for seconds, dose in parts) / taken,
    )
