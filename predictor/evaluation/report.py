"""From files to a report: what is read, what is asked, and what a reader of the figures must know."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.korea import KST
from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.evaluation.asked import Asked
from predictor.evaluation.day_ahead import ISSUE_HOUR, LEAST_HOURS
from predictor.evaluation.errors import ALARM_PROBABILITY, UNHEALTHY_PM25
from predictor.evaluation.evaluating import Evaluation, evaluate
from predictor.evaluation.forecasters import WINDOW_HOURS, Climatology, Forecaster, Persistence
from predictor.evaluation.gradient_boosting import GradientBoosting
from predictor.evaluation.known_weather import KnownWeather, weather_known
from predictor.evaluation.learning_forecaster import LearningForecaster
from predictor.evaluation.model_forecasters import ModelForecaster
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.model_file import BASELINE, SHIPPED, load
from predictor.training.hourly_file import Hours, HoursUnusable, pollutants_of, read_hours
from predictor.training.scores import SCORED_HOURS
from predictor.training.screening import screened
from predictor.window import hour_of, time_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCHEMA: Final = "cleanair-evaluation/1"
"""What the report calls its own form; docs/forecasting.md describes it."""

DAMPED: Final = "damped-persistence"
"""The damped persistence that all others are held against."""

_NOTES: Final = (
    "Whether a model was fitted to some of these hours is for its card to say: if so, its figures are too good.",
    f"Inputs are the values as published, below 0 left out, with their gaps; the last {WINDOW_HOURS} h are seen.",
    "Screened as for training is what was measured: no 0 and below, no same value for 12 h and more, no lone spikes.",
    "A case counts for all forecasters or for none: all must have a forecast, and the valid hour must be measured.",
    "MAE is that of the median, RMSE and bias are those of the mean; where a forecaster tells one number, it is both.",
    "Pinball loss is the mean over the 10, 50 and 90 % quantiles; one number stands for all three.",
    f"PM2.5 above {UNHEALTHY_PM25:g} µg/m³ is announced from a probability of {ALARM_PROBABILITY:g} on.",
    f"Tomorrow's grade, told at {ISSUE_HOUR} h, is that of its mean PM2.5, of {LEAST_HOURS} hours or more.",
    "The likeliest grade is the most probable one by the day's quantiles, each the mean of its hours'.",
    "Seasons are those of the issue hours.",
)
_NO_BOOSTING: Final = "LightGBM is left out: {}."


@dataclass(frozen=True, slots=True)
class Told:
    """A forecaster, and what it is."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report; its fields are those of the JSON."""

    schema: str
    readings: str
    stations: tuple[str, ...]
    stations_left_out: tuple[str, ...]
    first_issue_hour: str
    last_issue_hour: str
    every_hours: int
    issue_hours: int
    horizons: tuple[int, ...]
    units: Mapping[Pollutant, str]
    damped_persistence: str
    exceedance_above: float
    alarm_probability: float
    forecasters: tuple[Told, ...]
    notes: tuple[str, ...]
    evaluation: Evaluation

    def as_json(self) -> str:
        """The report as text of JSON, with null where a number cannot be worked out."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def report_on(readings: Path, places: Mapping[str, Station], asked: Asked) -> Report:
    """Scores the shipped model and the baselines on a file of hours.

    Args:
        readings: A file for `read_hours`.
        places: The stations whose places are known, by their names in the file; others are left out, and named.
        asked: What to score, and when.

    Raises:
        HoursUnusable: The file lacks something.
        ModelUnusable: A model file cannot be used.
    """
    torch.set_num_threads(1)
    everything = read_hours(readings, pollutants=pollutants_of(readings))
    weather = weather_known(asked.weather, as_forecast=asked.weather_as_forecast)
    seen = _of_known_stations(readings, everything, places)
    hours = replace(seen, values=seen.values[..., : len(FORECAST_POLLUTANTS)])
    inputs = replace(hours, values=_usable(hours.values))
    truth = replace(hours, values=screened(hours.values))
    day_issues = _issues(readings, hours, asked)
    issues = day_issues[(day_issues + hours.first_hour + LOCAL_OFFSET_HOURS) % asked.every_hours == 0]
    forecasters: list[Forecaster] = [
        Persistence(inputs),
        Climatology(inputs),
        *_models(replace(seen, values=_usable(seen.values)), places, asked.models, weather),
    ]
    boosting, word = _boosting(readings, inputs, truth, asked.train_until)
    forecasters += boosting
    return Report(
        schema=SCHEMA,
        readings=readings.name,
        stations=hours.stations,
        stations_left_out=tuple(sorted({*everything.stations} - {*hours.stations})),
        first_issue_hour=_korean(hours.first_hour + int(issues[0])),
        last_issue_hour=_korean(hours.first_hour + int(issues[-1])),
        every_hours=asked.every_hours,
        issue_hours=len(issues),
        horizons=SCORED_HOURS,
        units={p: "µg/m³" if p in {Pollutant.PM25, Pollutant.PM10} else "ppm" for p in FORECAST_POLLUTANTS},
        damped_persistence=DAMPED,
        exceedance_above=UNHEALTHY_PM25,
        alarm_probability=ALARM_PROBABILITY,
        forecasters=tuple(Told(forecaster.name, forecaster.tells) for forecaster in forecasters),
        notes=(*_NOTES, *word, weather.told),
        evaluation=evaluate(truth, forecasters, issues, day_issues, damped=DAMPED),
    )


def _of_known_stations(readings: Path, hours: Hours, places: Collection[str]) -> Hours:
    known = [station in places for station in hours.stations]
    if not any(known):
        raise HoursUnusable(readings, "none of its stations is in the list of stations")
    stations = tuple(station for station, is_known in zip(hours.stations, known, strict=True) if is_known)
    return Hours(stations, hours.first_hour, hours.values[:, known])


def _issues(readings: Path, hours: Hours, asked: Asked) -> Ints:
    """The rows of all hours that are asked for, with a window before them, but for the last. Raises HoursUnusable."""
    first = WINDOW_HOURS - 1
    if asked.since is not None:
        first = max(first, hour_of(asked.since) - hours.first_hour)
    if asked.train_until is not None:
        first = max(first, hour_of(asked.train_until) - hours.first_hour + 1)
    # Among so many hours on end is one issue hour.
    if first + asked.every_hours > len(hours.values) - 1:
        raise HoursUnusable(
            readings,
            f"of its {len(hours.values)} hours none can be forecast from: that needs {WINDOW_HOURS} hours up to it, and"
            " one to score after it",
        )
    return np.arange(first, len(hours.values) - 1)


def _boosting(
    readings: Path, inputs: Hours, truth: Hours, train_until: datetime | None
) -> tuple[list[Forecaster], list[str]]:
    """LightGBM if it can be fitted; else a word why not. Raises HoursUnusable where there are too few hours for it."""
    if train_until is None:
        return [], [_NO_BOOSTING.format("--train-until does not say what to fit it to")]
    until = hour_of(train_until) - inputs.first_hour
    if until < WINDOW_HOURS:
        raise HoursUnusable(readings, f"LightGBM needs {WINDOW_HOURS} hours before --train-until")
    try:
        return [GradientBoosting(inputs, truth, until)], []
    except ModuleNotFoundError:
        return [], [_NO_BOOSTING.format("the package lightgbm is not installed")]


def _models(
    seen: Hours, places: Mapping[str, Station], files: Sequence[Path], weather: KnownWeather
) -> list[Forecaster]:
    """The models that are scored: the baseline as its file has it, the others learning as they go."""
    stations = [places[name] for name in seen.stations]
    learning = {"ensemble": load(SHIPPED), **{path.stem: load(path) for path in files}}
    return [
        ModelForecaster(DAMPED, load(BASELINE).model, seen, stations, weather),
        *(LearningForecaster(name, loaded, seen, stations, weather) for name, loaded in learning.items()),
    ]


def _usable(values: Floats) -> Floats:
    return np.where(values >= 0, values, np.nan)


def _korean(hour: int) -> str:
    return time_of(hour).astimezone(KST).isoformat()
