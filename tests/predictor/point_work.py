"""Made-up forecasts at points, and the work of making them as a cache asks for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from air.places import Point
from predictor.exceedance import grade_confidences
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.prediction import NoForecastYet
from predictor.prediction_cache import Edition
from tests.predictor.air import NOON

EDITION = Edition(NOON, "m-1+01234567", "ab" * 8, 7)
POINTS = [Point(37.5 + step / 100, 127.0) for step in range(5)]


def forecast(point: Point) -> Forecast:
    quantiles = np.round(point.latitude + np.arange(72)[:, None, None] + np.zeros((72, 4, 1)) + [-0.1, 0.0, 0.3], 4)
    lacking = frozenset({Limitation.INTERPOLATED, Limitation.WEATHER_MISSING})
    confidences = grade_confidences(quantiles)
    return Forecast(point, NOON, "m-1", range(1, 73), quantiles, quantiles[..., 1] / 3, confidences, NOON, lacking)


class Work:
    """Works forecasts out, one batch at a time, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[Point]] = []
        self.go = threading.Event()
        self.go.set()
        self.fails = False

    def __call__(self, points: Sequence[Point]) -> list[Forecast]:
        self.batches.append(list(points))
        self.go.wait(20)
        if self.fails:
            raise NoForecastYet("not today")
        return [forecast(point) for point in points]
