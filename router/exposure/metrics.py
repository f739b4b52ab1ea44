"""What each route type makes least, as metrics of one graph."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from air.geodesy import Floats
from router.exposure.background import Background
from router.exposure.concentration import StreetAir
from router.exposure.recent import Recent
from router.exposure.street import Features
from router.graph.graph import Graph
from router.modes import PROFILES, TravelMode, is_open, profile, seconds
from router.read_only import read_only
from router.rooms import Rooms
from router.route import RouteType
from router.search.compiled import compiled
from router.search.contraction import Contraction
from router.search.customization import CustomizedMetric, CustomizedMetrics, Customizer, WeightsTooLarge, arc_places
from router.search.kernel import Ints
from router.search.metric import Metric
from router.search.tariff import FASTEST, SHORTEST, Floats32, Tariff, charge_all, whole
from router.traveller import LOAD_WORTH, Sensitivity

GENERATIONS: Final = 2
"""Rooms for the air of this hour: that which is served, and that which comes."""

HOURS_KEPT: Final = 2
"""How many other hours' metrics are kept where nothing else is said."""

_STATIC: Final = (RouteType.FASTEST, RouteType.SHORTEST)
_SENSITIVITIES: Final = tuple(Sensitivity)
_PLAIN_KEPT: Final = 12
_LEAST_LOAD: Final = 1e-6

_log: Final = structlog.stdlib.get_logger("metrics")


@dataclass(slots=True, eq=False)
class _Hour:
    """The healthiest metrics of one hour; `fits` says whether the contraction could hold them."""

    metrics: CustomizedMetrics
    fits: bool = False


class Metrics:
    """Time in milliseconds, length in millimetres, and time weighed by the air's load, by travel mode.

    The healthiest metric holds for one hour of one field: all of a route is costed at the hour in which it starts. It
    charges for time and for time times load, and so for the weighed dose but for the ventilation, which is one value a
    mode; as it grows with time, it bounds detours by itself. Those of all profiles and sensitivities are brought into
    the contraction together, in a room of their own. Any number of threads may ask at once.
    """

    def __init__(self, graph: Graph, contraction: Contraction, air: StreetAir, *, hours_kept: int) -> None:
        """Prepares a graph.

        Args:
            graph: The streets.
            contraction: The same contracted.
            air: The same with what is known of the air on them.
            hours_kept: For how many hours beside the current one metrics are kept.
        """
        self.seconds: dict[TravelMode, Floats] = {mode: read_only(seconds(graph, mode)) for mode in TravelMode}
        self._length_m = graph.length_m
        self._air = air
        self._place = place = arc_places(contraction)
        milliseconds = np.full((len(PROFILES), graph.arc_count), -1, dtype=np.int32)
        for row, mode in enumerate(PROFILES):
            milliseconds[row, place] = np.where(is_open(graph, mode), whole(self.seconds[mode]), -1)
        millimeters = np.empty(graph.arc_count, dtype=np.int32)
        millimeters[place] = whole(graph.length_m)
        cell, features = np.empty_like(air.cell), np.empty_like(air.features)
        cell[place], features[place] = air.cell, air.features
        self._cell, self._features = cell, features
        self._customizer = Customizer(contraction, milliseconds, millimeters)
        self._customizing = threading.Lock()
        self._static = self._make_static()
        self._hours: Rooms[Background, _Hour] = Rooms(self._build, GENERATIONS + hours_kept, built=GENERATIONS)
        self._plain: Recent[tuple[TravelMode, Tariff, Background | None], Metric] = Recent(_PLAIN_KEPT)

    @contextmanager
    def customized(
        self, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, background: Background
    ) -> Iterator[CustomizedMetric | None]:
        """What the route type makes least, for the contraction; None when it cannot hold that, so that others must.

        It is not to be used when the block is left. The first to ask for an hour waits until its metrics are made.
        """
        row = PROFILES.index(profile(mode))
        if route_type is not RouteType.HEALTHIEST:
            static = self._static
            yield static.metrics.metric(row, _STATIC.index(route_type)) if static.fits else None
            return
        with self._hour(background) as hour:
            yield hour.metrics.metric(row, _SENSITIVITIES.index(sensitivity)) if hour.fits else None

    def plain(
        self, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, background: Background
    ) -> Metric:
        """The same as a weight for each arc, for searches that need no contraction."""
        of: Background | None = None
        tariff = FASTEST if route_type is RouteType.FASTEST else SHORTEST
        if route_type is RouteType.HEALTHIEST:
            tariff, of = tariffs(background)[_SENSITIVITIES.index(sensitivity)], background
        return self._plain.get((profile(mode), tariff, of), lambda: self._weighed(profile(mode), tariff, of))

    def make_ready(self, backgrounds: tuple[Background, ...]) -> None:
        """Makes what requests in these hours need before they come, and keeps that of the first until others are."""
        for background in backgrounds:
            with self._hour(background):
                pass
        self._hours.hold(frozenset(backgrounds[: GENERATIONS - 1]))

    def _hour(self, background: Background) -> AbstractContextManager[_Hour]:
        return self._hours.read(background, lambda hour: self._fill(hour, background))

    def _build(self) -> _Hour:
        return _Hour(self._customizer.room())

    def _make_static(self) -> _Hour:
        hour = self._build()
        self._customize(hour, [FASTEST, SHORTEST, FASTEST, FASTEST])
        return _Hour(hour.metrics.first(len(_STATIC)), hour.fits)

    def _fill(self, hour: _Hour, background: Background) -> None:
        _write_load(background.load, self._cell, self._features, hour.metrics.load)
        self._customize(hour, tariffs(background))

    def _customize(self, hour: _Hour, of: list[Tariff]) -> None:
        hour.fits = False
        try:
            with self._customizing:
                self._customizer.customize(hour.metrics, of)
        except WeightsTooLarge as error:
            # Rare, and not wrong: the search without a contraction takes over, a thousand times slower.
            _log.warning("metrics too large to be contracted", reason=error.reason, message=error.message)
            return
        hour.fits = True

    def _weighed(self, mode: TravelMode, tariff: Tariff, background: Background | None) -> Metric:
        metrics, row = self._static.metrics, PROFILES.index(mode)
        load, weight = np.zeros(len(self._place), dtype=np.float32), np.empty(len(self._place), dtype=np.int32)
        if background is not None:
            _write_load(background.load, self._cell, self._features, load)
        charge_all(tariff, metrics.milliseconds[row], load, metrics.millimeters, weight)
        return Metric.weighing(read_only(weight[self._place]), self._length_m)


def tariffs(background: Background) -> list[Tariff]:
    """What each sensitivity charges, in a unit that keeps a cost below the time that it is made of, in milliseconds."""
    most = max(float(np.max(background.load[:, 0] + np.maximum(background.load[:, 1], 0.0))), _LEAST_LOAD)
    found = []
    for sensitivity in _SENSITIVITIES:
        worth = LOAD_WORTH[sensitivity]
        time, load = (0.0, 1.0) if math.isinf(worth) else (1.0, worth)
        unit = time + load * most
        found.append(Tariff(time / unit, load / unit, 0.0))
    return found


@compiled
def _write_load(by_cell: Floats, cell: Ints, features: Features, load: Floats32) -> None:
    """Writes the load on each arc, as `Background.load` has it."""
    for arc in range(len(load)):
        here = cell[arc]
        there = by_cell[here, 0] + by_cell[here, 1] * features[arc, 0] + by_cell[here, 2] * features[arc, 1]
        load[arc] = max(there, 0.0)
