"""The scores of a model's card: on the test hours, run forward in time as it serves, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import MEDIAN
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.calibration import LEADS
from predictor.models.ensemble import Ensemble
from predictor.training.forward import run_forward
from predictor.training.hindcast import Hindcast, hindcast
from predictor.training.recordings import TEST, TUNE
from predictor.training.scores import SCORED_HOURS
from predictor.training.splits import Kind
from predictor.training.training_set import TrainingSet

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_PLACES: Final = [LEADS.index(hour) for hour in SCORED_HOURS]
_SEASONS: Final = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
}
_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)
_TITLES: Final = {
    Kind.DOWNTOWN: "downtown mean, 2022 (a year after those of the fit)",
    Kind.STATIONS_2017: "25 stations, test days of 2017 (days between days of the fit)",
    Kind.KOREA: "Seoul's stations, December 2025 to January 2026 (a winter that the training lacks; no weather known)",
}
_THIS, _BARE, _DAMPED, _PERSISTENCE = "this model", "this model, no weather", "damped persistence", "persistence"


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """Forecasts of one forecaster, (issues, stations, scored hours, pollutants); µg/m³ and ppb."""

    mean: Floats
    median: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CardScores:
    """Forecasts of one recording's test hours, and what came.

    Attributes:
        kind: Which recording.
        said: By forecaster.
        truth: (issues, stations, scored hours, pollutants), NaN where a forecast does not count.
        month: Of the valid hour, (issues, scored hours).
    """

    kind: Kind
    said: Mapping[str, _Said]
    truth: Floats
    month: Ints

    def rmse(self, name: str, axis: int, place: int, use: Bools | None = None) -> float:
        """The root mean square error of the mean."""
        return float(np.sqrt(np.mean(self._errors(self.said[name].mean, axis, place, use) ** 2)))

    def mae(self, name: str, axis: int, place: int) -> float:
        """The mean absolute error of the median."""
        return float(np.mean(np.abs(self._errors(self.said[name].median, axis, place))))

    def coverage(self, name: str, axis: int, place: int, use: Bools | None = None) -> float:
        """The share of what came inside the 80 % interval."""
        one = self.said[name]
        if one.low is None or one.high is None:
            raise ValueError(f"{name} tells no interval")
        above, below = (self._errors(bound, axis, place, use) for bound in (one.high, one.low))
        return float(np.mean((above >= 0) & (below <= 0)))

    def in_months(self, months: Sequence[int], place: int) -> Bools:
        """Which issues fall into them with this hour ahead, (issues, 1)."""
        within: Bools = np.isin(self.month[:, place], months)
        return within[:, None]

    def _errors(self, values: Floats, axis: int, place: int, use: Bools | None = None) -> Floats:
        errors = values[:, :, place, axis] - self.truth[:, :, place, axis]
        known = np.isfinite(errors) if use is None else np.isfinite(errors) & use
        found: Floats = errors[known]
        return found


def scores_of(model: Ensemble, sets: Sequence[TrainingSet]) -> tuple[CardScores, ...]:
    """The scores of all recordings that have test hours."""
    return tuple(_scores(model, one) for one in sets if one.kind in _TITLES and bool((one.part == TEST).any()))


def metrics_of(scores: Sequence[CardScores]) -> dict[str, float]:
    """The share by which the RMSE lies below that of persistence, by recording, pollutant and hours ahead."""
    return {
        f"skill {one.kind} {pollutant} +{hour} h": 1
        - one.rmse(_THIS, axis, place) / one.rmse(_PERSISTENCE, axis, place)
        for one in scores
        for axis, pollutant in enumerate(FORECAST_POLLUTANTS)
        for place, hour in enumerate(SCORED_HOURS)
    }


def markdown(scores: Sequence[CardScores]) -> str:
    """The scores as tables."""
    return "\n".join([*(_table(one) for one in scores), *(_seasons(one) for one in scores)])


def _scores(model: Ensemble, recorded: TrainingSet) -> CardScores:
    parts = [TUNE, TEST]
    whole = hindcast(model, recorded, parts)
    said = {**_references(whole), _THIS: _told(model, whole)}
    if recorded.kind is Kind.DOWNTOWN:
        said[_BARE] = _told(model, hindcast(model, recorded, parts, weather=False))
    row = whole.issue_hours - whole.first_hour
    at = row[:, None] + np.array(SCORED_HOURS)
    inside = np.minimum(at, recorded.hours - 1)
    tested = (at < recorded.hours) & (recorded.part[inside] == TEST)
    # Where nothing was measured at the issue hour persistence has nothing to say.
    heard = np.isfinite(whole.truth[row])[:, None]
    came = np.where(tested[..., None, None] & heard, whole.truth[inside], np.float32(np.nan))
    local = (at + whole.first_hour + LOCAL_OFFSET_HOURS).astype("datetime64[h]").astype("datetime64[M]")
    return CardScores(recorded.kind, said, _units(came.swapaxes(1, 2)), local.astype(np.int64) % 12 + 1)


def _told(model: Ensemble, whole: Hindcast) -> _Said:
    told = run_forward(model.prior, whole).told
    quantiles = np.stack([one.quantiles[:, _PLACES] for one in told])
    return _Said(
        _units(np.stack([one.mean[:, _PLACES] for one in told])),
        *(_units(quantiles[..., place]) for place in (MEDIAN, 0, -1)),
    )


def _references(whole: Hindcast) -> dict[str, _Said]:
    damped = np.stack([one.mean[-1][:, _PLACES] for one in whole.said])
    quantiles = np.stack([one.quantiles[-1][:, _PLACES] for one in whole.said])
    last = whole.truth[whole.issue_hours - whole.first_hour][:, :, None].repeat(len(SCORED_HOURS), axis=2)
    return {
        _PERSISTENCE: _Said(_units(last), _units(last)),
        _DAMPED: _Said(_units(damped), *(_units(quantiles[..., place]) for place in (MEDIAN, 0, -1))),
    }


def _units(values: Floats) -> Floats:
    """From network units to µg/m³ and ppb."""
    return values * np.array([1, 1, 1000, 1000], np.float32)


def _table(scores: CardScores) -> str:
    head = " | ".join(f"+{hour} h" for hour in SCORED_HOURS)
    lines = [f"**{_TITLES[scores.kind]}**", "", f"| | {head} |", "|---" * (len(SCORED_HOURS) + 1) + "|"]
    places = range(len(SCORED_HOURS))
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        for name in scores.said:
            pairs = [f"{scores.mae(name, axis, place):.2f}/{scores.rmse(name, axis, place):.2f}" for place in places]
            lines.append(_line(f"{pollutant} {name}", pairs))
        for reference in (_PERSISTENCE, _DAMPED):
            changes = [
                f"{100 * (scores.rmse(_THIS, axis, place) / scores.rmse(reference, axis, place) - 1):+.0f} %"
                for place in places
            ]
            lines.append(_line(f"{pollutant} RMSE, change against {reference}", changes))
        held = [f"{100 * scores.coverage(_THIS, axis, place):.1f} %" for place in places]
        lines.append(_line(f"{pollutant} inside the 80 % interval", held))
    return "\n".join([*lines, ""])


def _seasons(scores: CardScores) -> str:
    """PM2.5 by season: RMSE of persistence, damped persistence and this model, and its coverage."""
    head = " | ".join(f"+{hour} h" for hour in SCORED_HOURS)
    lines = [
        f"**PM2.5 by season, {_TITLES[scores.kind]}**",
        "",
        "RMSE of persistence / damped persistence / this model; what came inside the 80 % interval:",
        "",
        f"| | {head} |",
        "|---" * (len(SCORED_HOURS) + 1) + "|",
    ]
    for season, months in _SEASONS.items():
        cells = [_of_season(scores, scores.in_months(months, place), place) for place in range(len(SCORED_HOURS))]
        if any(cell != "–" for cell in cells):
            lines.append(_line(season, cells))
    return "\n".join([*lines, ""])


def _of_season(scores: CardScores, use: Bools, place: int) -> str:
    if not np.isfinite(np.where(use, scores.truth[:, :, place, _PM25], np.nan)).any():
        return "–"
    errors = "/".join(f"{scores.rmse(name, _PM25, place, use):.2f}" for name in (_PERSISTENCE, _DAMPED, _THIS))
    return f"{errors}; {100 * scores.coverage(_THIS, _PM25, place, use):.0f} %"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"
