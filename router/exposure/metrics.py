"""What each route type makes least, as metrics of one graph."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.exposure.background import Background
from router.exposure.concentration import StreetAir
from router.exposure.recent import Recent
from router.graph.graph import Graph
from router.modes import TravelMode, is_open, seconds
from router.search.metric import Metric
from router.traveller import LOAD_WORTH, Sensitivity

MOST_KEPT: Final = 24
"""How many healthiest metrics are kept: two hours of three modes and four sensitivities."""

_MILLI = 1000.0


class Metrics:
    """Time in milliseconds, length in millimetres, and time weighed by the air's load, by travel mode.

    The healthiest metric holds for one hour of one field: all of a route is costed at the hour in which it starts. It
    is time times load, and so the weighed dose but for the ventilation, which is one value a mode; as it grows with
    time, it bounds detours by itself. Metrics are made when first asked for and never changed; any number of threads
    may ask at once.
    """

    def __init__(self, graph: Graph, air: StreetAir) -> None:
        self._length_m = graph.length_m
        self._air = air
        self.open: dict[TravelMode, NDArray[np.bool_]] = {mode: is_open(graph, mode) for mode in TravelMode}
        self.seconds: dict[TravelMode, Floats] = {mode: seconds(graph, mode) for mode in TravelMode}
        self._fastest = {mode: self._metric(self.seconds[mode] * _MILLI, mode) for mode in TravelMode}
        self._shortest = {mode: self._metric(graph.length_m * _MILLI, mode) for mode in TravelMode}
        self._healthiest: Recent[tuple[Background | None, TravelMode, Sensitivity], Metric] = Recent(MOST_KEPT)

    def fastest(self, mode: TravelMode) -> Metric:
        """Time."""
        return self._fastest[mode]

    def shortest(self, mode: TravelMode) -> Metric:
        """Length."""
        return self._shortest[mode]

    def healthiest(self, mode: TravelMode, background: Background | None, sensitivity: Sensitivity) -> Metric:
        """Time weighed by the load of an hour's background, or of the streets alone where there is none."""
        return self._healthiest.get(
            (background, mode, sensitivity),
            lambda: self._metric(self.seconds[mode] * _MILLI * self._weight(background, sensitivity), mode),
        )

    def _weight(self, background: Background | None, sensitivity: Sensitivity) -> Floats:
        load, worth = self._air.load(background), LOAD_WORTH[sensitivity]
        return load if math.isinf(worth) else 1.0 + worth * load

    def _metric(self, cost: Floats, mode: TravelMode) -> Metric:
        return Metric.of(cost, self._length_m, self.open[mode])
