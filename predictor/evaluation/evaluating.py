"""Asks every forecaster the same questions, and scores the answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from air.index import Grade
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.day_ahead import right_grades
from predictor.evaluation.errors import ErrorSums, error_sums, ratio
from predictor.evaluation.forecasters import Forecaster
from predictor.evaluation.seasons import Season, seasons_of
from predictor.training.hourly_file import Hours
from predictor.training.scores import SCORED_HOURS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class Score:
    """One forecaster, pollutant and horizon; numbers are None where there is nothing to work them out from.

    Attributes:
        forecaster: Its name.
        pollutant: What was forecast.
        horizon_hours: How far ahead.
        count: Cases, the same for all forecasters.
        mae: Mean absolute error of the median, in the pollutant's unit, as the next three.
        rmse: Root mean square error of the mean.
        bias: Mean of the mean minus what was measured.
        pinball: Mean pinball loss of the quantiles.
        skill_persistence: 1 - RMSE / RMSE of persistence.
        skill_damped_persistence: Likewise.
        coverage: The share of what was measured inside the 80 % interval.
    """

    forecaster: str
    pollutant: Pollutant
    horizon_hours: int
    count: int
    mae: float | None
    rmse: float | None
    bias: float | None
    pinball: float | None
    skill_persistence: float | None
    skill_damped_persistence: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases whose probability lay in one tenth: how many, their mean probability, and the share that came true."""

    count: int
    probability: float
    observed: float


@dataclass(frozen=True, slots=True)
class Exceedance:
    """How well hours above 35 µg/m³ of PM2.5 were announced.

    Attributes:
        forecaster: Its name.
        horizon_hours: How far ahead.
        count: Cases.
        observed: Those above.
        announced: Those announced to be above.
        hits: Those that were both.
        pod: Probability of detection, hits / observed.
        far: False alarm ratio, the share of announced ones that were not.
        f1: 2 · hits / (observed + announced).
        brier: Mean of (probability - 1 if above else 0)²: 0 is perfect.
        brier_skill: 1 - brier / that of the share of observed ones, told always.
        reliability: By bins of the probability.
    """

    forecaster: str
    horizon_hours: int
    count: int
    observed: int
    announced: int
    hits: int
    pod: float | None
    far: float | None
    f1: float | None
    brier: float | None
    brier_skill: float | None
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class DayAhead:
    """How often tomorrow's grade of PM2.5, told at 17 h, was right: told by the mean, and told as the most probable."""

    forecaster: str
    count: int
    right: int
    accuracy: float | None
    likeliest_right: int
    likeliest_accuracy: float | None


@dataclass(frozen=True, slots=True)
class SeasonScores:
    """The scores of the issue hours of one season; skill is against the references in that season."""

    season: Season
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores; `grades` counts the days of stations by their grade, `seasons` are those that have issue hours."""

    scores: tuple[Score, ...]
    seasons: tuple[SeasonScores, ...]
    exceedances: tuple[Exceedance, ...]
    day_ahead: tuple[DayAhead, ...]
    grades: dict[Grade, int]


def evaluate(
    truth: Hours, forecasters: Sequence[Forecaster], issues: Ints, day_issues: Ints, *, damped: str
) -> Evaluation:
    """Scores forecasters on the cases for which all of them have a forecast.

    Args:
        truth: What was measured, screened.
        forecasters: Among them one called persistence.
        issues: Rows of issue hours.
        day_issues: Rows of issue hours; from those at 17 h tomorrow's grade is told.
        damped: The name of the forecaster that is the damped persistence.
    """
    by_season = _sums(truth, forecasters, issues)
    sums = {name: reduce(add, seasons.values()) for name, seasons in by_season.items()}
    days, right, grades = right_grades(truth, forecasters, day_issues)
    return Evaluation(
        _scored(sums, damped),
        tuple(
            SeasonScores(season, _scored({name: own[season] for name, own in by_season.items()}, damped))
            for season in by_season[forecasters[0].name]
        ),
        tuple(one for forecaster in forecasters for one in _exceedances(forecaster.name, sums[forecaster.name])),
        tuple(
            DayAhead(name, days, own.by_mean, ratio(own.by_mean, days), own.likeliest, ratio(own.likeliest, days))
            for name, own in right.items()
        ),
        grades,
    )


def _scored(sums: Mapping[str, ErrorSums], damped: str) -> tuple[Score, ...]:
    """The scores of all forecasters, by name, with their skill."""
    scores = [score for name, own in sums.items() for score in _scores(name, own)]
    rmse = {(score.forecaster, score.pollutant, score.horizon_hours): score.rmse for score in scores}

    def skill(score: Score, reference: str) -> float | None:
        best = rmse[reference, score.pollutant, score.horizon_hours]
        return None if score.rmse is None or not best else 1 - score.rmse / best

    return tuple(
        replace(score, skill_persistence=skill(score, "persistence"), skill_damped_persistence=skill(score, damped))
        for score in scores
    )


def _sums(truth: Hours, forecasters: Sequence[Forecaster], issues: Ints) -> dict[str, dict[Season, ErrorSums]]:
    """The sums of each forecaster by season over all cases, worked out batch by batch to spare memory."""
    horizons = np.array(SCORED_HOURS)
    seasons = seasons_of(issues + truth.first_hour)
    sums: dict[str, dict[Season, ErrorSums]] = {forecaster.name: {} for forecaster in forecasters}
    at_once = max(1, _AT_ONCE // len(truth.stations))
    for start in range(0, len(issues), at_once):
        batch, season_of = issues[start : start + at_once], seasons[start : start + at_once]
        told = [forecaster.forecast(batch, horizons) for forecaster in forecasters]
        measured = _measured(truth, batch, horizons)
        use = np.isfinite(measured) & np.all([np.isfinite(forecasts.mean) for forecasts in told], axis=0)
        for season in Season:
            of_season = use & (season_of == season)[:, None, None, None]
            if not (season_of == season).any():
                continue
            for forecaster, forecasts in zip(forecasters, told, strict=True):
                own, new = sums[forecaster.name], error_sums(forecasts, measured, of_season)
                own[season] = own[season] + new if season in own else new
    return sums


def _measured(truth: Hours, issues: Ints, horizons: Ints) -> Floats:
    """What came, (issue hours, stations, horizons, pollutants); NaN beyond the end."""
    at = issues[:, None] + horizons
    last = len(truth.values) - 1
    values = np.where((at <= last)[..., None, None], truth.values[np.minimum(at, last)], np.nan)
    return values.transpose(0, 2, 1, 3)


def _scores(name: str, sums: ErrorSums) -> Iterator[Score]:
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        for place, horizon in enumerate(SCORED_HOURS):
            here = (place, axis)
            count = float(sums.count[here])
            mean_square = ratio(float(sums.squared[here]), count)
            yield Score(
                forecaster=name,
                pollutant=pollutant,
                horizon_hours=horizon,
                count=int(count),
                mae=ratio(float(sums.absolute[here]), count),
                rmse=None if mean_square is None else math.sqrt(mean_square),
                bias=ratio(float(sums.signed[here]), count),
                pinball=ratio(float(sums.pinball[here]), count),
                skill_persistence=None,
                skill_damped_persistence=None,
                coverage=ratio(float(sums.inside[here]), count),
            )


def _exceedances(name: str, sums: ErrorSums) -> Iterator[Exceedance]:
    axis = FORECAST_POLLUTANTS.index(Pollutant.PM25)
    for place, horizon in enumerate(SCORED_HOURS):
        columns = (sums.count, sums.observed, sums.alarms, sums.hits)
        count, observed, announced, hits = (int(column[place, axis]) for column in columns)
        false_alarms = announced - hits
        brier, usual = ratio(float(sums.brier[place, axis]), count), ratio(observed * (count - observed), count**2)
        yield Exceedance(
            name,
            horizon,
            count,
            observed,
            announced,
            hits,
            pod=ratio(hits, observed),
            far=ratio(false_alarms, announced),
            f1=ratio(2 * hits, observed + announced),
            brier=brier,
            brier_skill=None if brier is None or not usual else 1 - brier / usual,
            reliability=tuple(
                Bin(int(cases), probability / cases, above / cases)
                for cases, probability, above in sums.bins[place].tolist()
                if cases
            ),
        )
