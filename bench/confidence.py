"""How often the grade that a forecast told was the one that was measured, by the confidence that it told with.

Recorded hours of Seoul are forecast on days that the shipped model has not seen, the 18th to 20th of each month,
without weather, every seven hours; the model learns from what comes true as it does when it serves.
"""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.index import GRADE_ENDS
from air.places import Network, Point, Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from bench.figures import Figure
from predictor.evaluation.known_weather import KnownWeather
from predictor.evaluation.learning_forecaster import LearningForecaster
from predictor.exceedance import above_grades, grade_confidences
from predictor.models.model_file import SHIPPED, load
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.training.hourly_file import Hours, read_hours
from predictor.training.screening import screened

Floats = NDArray[np.float64]

_EVERY_HOURS: Final = 7
_WINDOW_HOURS: Final = 336
_UNSEEN_DAYS: Final = (18, 20)
_HORIZONS: Final = np.array([1, 3, 6, 12, 24, 48, 72])
_BANDS: Final = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_KOREA: Final = timedelta(hours=9)
_PM25: Final = FORECAST_POLLUTANTS.index(Pollutant.PM25)


def measure() -> Iterator[Figure]:
    """Measures on the real data under CLEANAIR_REAL_DATA; without any there is nothing to forecast."""
    folder = Path(os.environ.get("CLEANAIR_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not (folder / "air").is_dir():
        yield Figure("confidence", "no real data: set CLEANAIR_REAL_DATA to its folder")
        return
    hours, stations = _recording(folder / "air")
    quantiles, came = _forecasts(hours, stations)
    known = np.isfinite(came[..., _PM25])
    confidence = grade_confidences(quantiles)
    right = _told_grade(quantiles) == _grade(came[..., _PM25])

    def compared(what: str, there: NDArray[np.bool_]) -> Figure:
        told, met = confidence[known & there].mean(), right[known & there].mean()
        size = f"{(known & there).sum():,} hours of stations"
        return Figure(what, f"told {told:.1%}, right {met:.1%}", size=size)

    yield compared("grade of PM2.5", known)
    for low, high in itertools.pairwise(_BANDS):
        yield compared(f"told {low:.0%} to {high:.0%}", (confidence > low) & (confidence <= high))
    for horizon in _HORIZONS:
        yield compared(f"+{horizon} h", np.broadcast_to((horizon == _HORIZONS)[None, None], known.shape))


def _recording(folder: Path) -> tuple[Hours, Sequence[Station]]:
    with (folder / "seoul_stations.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["station"]: row for row in csv.DictReader(file)}
    hours = read_hours(next(iter(sorted(folder.glob("seoul_airkorea_hourly_*.parquet")))), pollutants=INPUT_POLLUTANTS)
    stations = [
        Station(
            name,
            name,
            Point(float(rows[name]["lat"]), float(rows[name]["lon"])),
            Network.ROADSIDE if rows[name]["network_en"] == "roadside" else Network.URBAN,
        )
        for name in hours.stations
    ]
    return Hours(hours.stations, hours.first_hour, np.where(hours.values < 0, np.nan, hours.values)), stations


def _forecasts(hours: Hours, stations: Sequence[Station]) -> tuple[Floats, Floats]:
    """Quantiles (issue hours, stations, horizons, pollutants, 3) of unseen days, and what came."""
    forecaster = LearningForecaster("shipped", load(SHIPPED), hours, stations, KnownWeather(None))
    issues = np.arange(_WINDOW_HOURS, len(hours.values) - _HORIZONS[-1], _EVERY_HOURS)
    told = forecaster.forecast(issues, _HORIZONS)
    days = [_day(hours.first_hour + issue) for issue in issues.tolist()]
    unseen = np.array([_UNSEEN_DAYS[0] <= day <= _UNSEEN_DAYS[1] for day in days])
    came = screened(hours.values)[issues[unseen, None] + _HORIZONS].transpose(0, 2, 1, 3)
    if told.quantiles is None:
        raise TypeError("a model tells quantiles")
    return told.quantiles[unseen], came[..., : len(FORECAST_POLLUTANTS)]


def _day(hour: int) -> int:
    """The day of the month in Korea."""
    return (datetime.fromtimestamp(hour * 3600, UTC) + _KOREA).day


def _grade(concentration: Floats) -> NDArray[np.int64]:
    return np.searchsorted(np.array(GRADE_ENDS[Pollutant.PM25]), concentration)


def _told_grade(quantiles: Floats) -> NDArray[np.int64]:
    above = above_grades(quantiles)[..., _PM25, :]
    edges = [np.ones_like(above[..., :1]), above, np.zeros_like(above[..., :1])]
    likeliest: NDArray[np.int64] = np.argmax(-np.diff(np.concatenate(edges, axis=-1), axis=-1), axis=-1)
    return likeliest
