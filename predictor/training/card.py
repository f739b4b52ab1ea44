"""The card of a trained model: what it is, what it was fitted to, what it scores, and where it must not be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.model_file import SHIPPED
from predictor.training.splits import Kind, Split
from predictor.training.train_ensemble import Asked, Trained
from predictor.training.training_set import TrainingSet

_INPUT: Final = (
    "the last 168 hours of a station (PM2.5, PM10, O3, NO2 and, where there are any, CO and SO2), the mean of the week"
    " before, the means of the stations within 30 km and of six sectors up to 250 km away, weather observed and"
    " forecast, the hour, the day, holidays. All of it may be missing"
)

_SPLITS: Final = {
    Split.EVALUATION: {
        Kind.DOWNTOWN: ("to 2020", "2021", "2022"),
        Kind.STATIONS_2017: ("the 1st to 17th of each month", "18th to 21st", "22nd to the end"),
        Kind.KOREA: ("to 2025-11-19", "to 2025-11-30", "from 2025-12-01 on"),
        Kind.ABROAD: ("all", "", ""),
    },
    Split.FINAL: {
        Kind.DOWNTOWN: ("all but the 18th to 21st of each month of 2021", "those days", "none"),
        Kind.STATIONS_2017: ("all but the 18th to 21st of each month", "those days", "none"),
        Kind.KOREA: ("all but the 18th to 21st of each month of 2025", "those days", "none"),
        Kind.ABROAD: ("all", "", ""),
    },
}
_ABOUT: Final = {
    Kind.DOWNTOWN: "mean of three downtown districts of Seoul",
    Kind.STATIONS_2017: "Seoul 2017",
    Kind.KOREA: "Korea (AirKorea), a quarter of the hours missing",
    Kind.ABROAD: "Beijing",
}

_WHAT: Final = """\
An LSTM and a GRU, each beside a linear regression on the station's week and its surroundings, and the damped
persistence, put together by what has lately come true (`predictor/models/calibration.py`). Forecasts PM2.5, PM10, O3
and NO2, 1 to 72 hours ahead, as a mean and the 10, 50 and 90 % quantiles. How the nets work stands in
`predictor/models/recurrent.py`, what they read in `predictor/models/features.py`.
"""

_DATA: Final = """\
Rows are drawn from the four in the shares given. Left out: values of 0 and below, values stuck for 12 hours (48 for
CO and SO2; O3 up to 4 ppb is let be), lone spikes against the province's median. The damped persistence, and with it
the climatology that the nets see, is fitted to the same hours of Seoul.

Air: Seoul Metropolitan Government and Korea Environment Corporation (AirKorea; attribution, no modification); Beijing
Municipal Environmental Monitoring Center by way of the UCI repository (data set 501). Weather: station 108 (Seoul) of
the Korea Meteorological Administration (KOGL type 1). Only fitted parameters are shipped, under the licence of the
product; none of the data.
"""

_TRAINING: Final = """\
Loss: pinball over nine quantiles in units of the linear part's error; the first twelve hours count double, the first
six threefold, PM2.5 one and a half times. The linear part begins as a ridge regression of each hour ahead. In a share
of rows there are extra gaps: scattered hours, the hours from 09:00 on, blocks, a silent end, lost pollutants, no
history at all, no neighbours, no sectors; in 30 % of rows the station is one that is not known; in 15 % there is no
weather at all, in others only a part of it; the season is blurred by ten days. What is kept is the averaged weights
of the step that did best on the tuning hours.

The prior of the calibration is fitted to tuning hours, those of the evaluation split: how members err together, and
how far intervals must reach; the nets are doubted beyond the first day (`predictor/training/fit_calibration.py`).

**Weather forecasts.** None were recorded, so what was observed later is made as wrong as a forecast is, the more the
further ahead: temperature by 1 to 2.5 °C, humidity by 6 to 13 %, the wind's components by 0.8 to 2 m/s, rain moved by
up to 3 hours, missed in 25 to 50 % of wet hours and foretold in 2 to 5 % of dry ones
(`predictor/training/weather_degradation.py` has all figures). They are a guess at KMA's forecasts, not fitted to any.
"""

_HOW_SCORED: Final = """\
MAE of the median / RMSE of the mean, µg/m³, gases in ppb, over hours whose pollutant was measured at the issue hour;
the mean of the damped persistence is 0.3 · q10 + 0.4 · q50 + 0.3 · q90, and it is told as its file has it. The model
is run forward in time as it serves: each hour it learns from what has come true, first in the tuning hours, then in
the test hours, never from what is to come. **The weather to come is what was observed later, made as wrong as
above**: these are figures of what weather would bring if KMA errs as assumed. "No weather" has neither observed nor
forecast weather. Earlier trials of such nets and of the calibration had been scored on these hours: what was chosen
since may favour them a little.
"""

_OF_THE_SAME_RECIPE: Final = """\
**These are not the scores of these very weights**: they have seen all hours that are at hand, so that none are left
to test them on. They are those of the same training, with the same seed, on the split that keeps hours from the fit
(`cleanair train --split evaluation`: the downtown mean to 2020, the 1st to 17th of each month of 2017, Korea to
2025-11-19). How these weights do, hours to come will tell; scored on recorded ones they flatter themselves.
"""

_NOT_SCORED: Final = "Not scored: all hours that are at hand were fitted.\n"

_LIMITS: Final = """\
- Weather was only ever seen at Seoul's one station and in Beijing; for the rest of Korea the nets learnt without. The
  errors of its forecasts are made up: a real forecast that errs otherwise is taken too seriously, or not enough.
- The recording of 2025 and 2026 holds no February and no March: Korean dust storms were seen in Seoul of 2017 to 2022
  only, and are not foreseen.
- PM10 in its first hours is hardly better than damped persistence, and may be worse in RMSE where dust comes and
  goes.
- A winter that the training lacks is where the nets are weakest: there the damped persistence takes over by what
  comes true, within days. Just after a restart without its learnt state the model is as its prior has it.
- The 80 % intervals hold over weeks, by feedback; in a single storm, or where months come in pieces as those of 2017,
  they may not: the tables by season show how far.
- A station that is not in the file's table is forecast as an unknown one. Stations that moved keep their row.
- Outside Korea the hour of the day is not local time, and it should not be used.
"""


@dataclass(frozen=True, slots=True)
class File:
    """The model file as the card tells of it."""

    name: str
    sha256: str


def card(trained: Trained, sets: Sequence[TrainingSet], asked: Asked, file: File, scores: str | None) -> str:
    """The card, in Markdown; `scores` are tables, of these weights or, in the final split, of the same recipe."""
    return "\n".join(
        [
            f"# {SHIPPED.stem}",
            "",
            _WHAT,
            _facts(trained, asked, file),
            "## Data and split",
            _data(sets, asked.split),
            _DATA,
            "## Training",
            _TRAINING,
            "## Scores on the test hours",
            _scored(asked.split, scores),
            "## Limits",
            _LIMITS,
        ]
    )


def _facts(trained: Trained, asked: Asked, file: File) -> str:
    sizes = {name: sum(value.numel() for value in net.parameters()) for name, net in trained.model.nets.nets.items()}
    parameters = " and ".join(f"{size:,} ({name.upper()})" for name, size in sizes.items())
    best = " and ".join(f"{net.best.step:,} ({cell.upper()})" for cell, net in trained.nets.items())
    contents = (
        f"{parameters} parameters, those of the damped persistence, the prior of the calibration and the names of"
        f" {len(trained.model.nets.station_names)} stations, read with `weights_only=True`; tensors of 10,000 numbers"
        " or more in half precision"
    )
    steps = f"one seed each, at most {asked.recipe.steps:,} steps of {asked.recipe.rows} rows on one CPU thread"
    rows = [
        ("", ""),
        ("---", "---"),
        ("File", f"`{file.name}`, {contents}"),
        ("SHA-256", f"`{file.sha256}`"),
        ("Made by", f"`cleanair train --data FOLDER --out FOLDER --split {asked.split} --seed {asked.seed}`"),
        ("Trained", f"{steps}; the averaged weights of step {best} did best on the tuning hours"),
        ("Input", _INPUT),
    ]
    return "\n".join([*(f"| {name} | {what} |" if name != "---" else "|---|---|" for name, what in rows), ""])


def _data(sets: Sequence[TrainingSet], split: Split) -> str:
    lines = ["| set | stations | hours | share of rows | train | tune | test |", "|---" * 7 + "|"]
    for one in sets:
        train, tune, test = _SPLITS[split][one.kind]
        first, last = (_day(one.first_hour + hour) for hour in (0, one.hours - 1))
        cells = (
            _ABOUT[one.kind],
            len(one.stations),
            f"{first} to {last}",
            f"{100 * one.share:.0f} %",
            train,
            tune,
            test,
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, ""])


def _scored(split: Split, scores: str | None) -> str:
    if scores is None:
        return _NOT_SCORED
    return "\n".join([*([_OF_THE_SAME_RECIPE] if split is Split.FINAL else []), _HOW_SCORED, scores])


def _day(hour: int) -> str:
    return str(np.datetime64(hour + LOCAL_OFFSET_HOURS, "h").astype("datetime64[D]"))
