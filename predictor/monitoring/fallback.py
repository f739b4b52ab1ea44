"""Whether the champion may forecast, or has fallen so far behind damped persistence that this does in its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from air.pollutants import Pollutant
from predictor.monitoring.scores import ScoreSums

DAYS: Final = 7
"""Judged is by the newest days, so many."""

LEAST_CASES: Final = 200
"""Of fewer forecasts nothing is said."""

LEAST_DAYS: Final = 3
"""Within fewer days all forecasts may be of one and the same weather, in which either may be lucky."""

MARGIN: Final = 0.03
"""The champion is behind where its RMSE is larger by more than this share; it is back where it is no larger at all."""

GROSS_MARGIN: Final = 0.5
"""So much larger it is by no bad luck, in however few days."""

_POLLUTANT: Final = Pollutant.PM25
_HORIZONS: Final = (6, 12, 24, 48)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The champion beside damped persistence, over the same forecasts of PM2.5 so many hours ahead, in µg/m³."""

    horizon: int
    days: int
    champion_rmse: float
    baseline_rmse: float

    @property
    def excess(self) -> float:
        """By which share the champion's is larger."""
        if self.baseline_rmse == 0:
            return math.inf if self.champion_rmse else 0.0
        return self.champion_rmse / self.baseline_rmse - 1

    @property
    def margin(self) -> float:
        """By which share it may be larger."""
        return MARGIN if self.days >= LEAST_DAYS else GROSS_MARGIN


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the champion is behind damped persistence; nowhere, when all is well."""

    behind: tuple[Comparison, ...] = ()

    @property
    def fallback(self) -> bool:
        """Whether damped persistence forecasts in its place."""
        return bool(self.behind)

    @property
    def alerts(self) -> Sequence[str]:
        """What an operator should look at."""
        if not self.behind:
            return ()
        worst = max(self.behind, key=lambda one: one.excess)
        horizons = ", ".join(f"+{one.horizon} h" for one in self.behind)
        rmse = f"{worst.champion_rmse:.1f} µg/m³ against {worst.baseline_rmse:.1f}"
        sentence = (
            f"The champion has fallen behind damped persistence over {DAYS} days (PM2.5, {horizons}; at"
            f" +{worst.horizon} h its RMSE is {rmse}): that forecasts in its place until it has caught up."
        )
        return (sentence,)


def judge(sums: Iterable[ScoreSums], *, fallback: bool) -> Verdict:
    """Judges the champion by its sums over DAYS; `fallback` is how it has been so far, and stays in between."""
    comparisons = [
        Comparison(
            one.horizon,
            one.days_beside,
            math.sqrt(one.beside["squared_error"] / one.beside["count"]),
            math.sqrt(one.baseline["squared_error"] / one.baseline["count"]),
        )
        for one in sums
        if one.pollutant is _POLLUTANT and one.horizon in _HORIZONS and one.beside["count"] >= LEAST_CASES
    ]
    # Without scores, after a long silence, say, there is no reason to mistrust it.
    far_off = (one for one in comparisons if one.excess > (0.0 if fallback else one.margin))
    behind = tuple(sorted(far_off, key=lambda one: one.horizon))
    return Verdict(behind)
