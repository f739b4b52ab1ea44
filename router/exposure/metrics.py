"""What each route type makes least, as metrics of one graph."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
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
from router.search.customization import (
    TARIFFS,
    CustomizedMetric,
    CustomizedMetrics,
    Customizer,
    WeightsTooLarge,
    arc_places,
)
from router.search.kernel import Ints
from router.search.metric import Metric
from router.search.tariff import FASTEST, SHORTEST, Floats32, Tariff, charge_all, whole
from router.traveller import LOAD_WORTH, Sensitivity

GENERATIONS: Final = 2
"""Rooms for the air of this hour: that which is served, and that which comes."""

HOURS_KEPT: Final = 2
"""How many other hours' metrics are kept where nothing else is said."""

_STATIC: Final = {RouteType.FASTEST: 0, RouteType.SHORTEST: 1}
_BY_SENSITIVITY: Final = {sensitivity: tariff for tariff, sensitivity in enumerate(Sensitivity)}
_ROW: Final = {mode: PROFILES.index(profile(mode)) for mode in TravelMode}
_PLAIN_KEPT: Final = 12
_LEAST_LOAD: Final = 1e-6

_log: Final = structlog.stdlib.get_logger("metrics")


class Customized:
    """Metrics of all profiles by some tariffs, brought into the contraction together."""

    def __init__(self, metrics: CustomizedMetrics) -> None:
        self.metrics = metrics
        self._rows: list[list[CustomizedMetric]] | None = None

    def of(self, mode: TravelMode, route_type: RouteType, sensitivity: Sensitivity) -> CustomizedMetric | None:
        """One of them; None when the contraction cannot hold them, so that `Metrics.plain` must do."""
        tariff = _STATIC[route_type] if route_type in _STATIC else _BY_SENSITIVITY[sensitivity]
        return None if self._rows is None else self._rows[_ROW[mode]][tariff]

    def customize(self, customizer: Customizer, tariffs: Sequence[Tariff], kept: int = TARIFFS) -> None:
        """Brings in what the metrics' `load` says, by these tariffs; the first so many are kept."""
        self._rows = None
        try:
            customizer.customize(self.metrics, tariffs)
        except WeightsTooLarge as error:
            # Rare, and not wrong: the search without a contraction takes over, a hundred times slower.
            _log.warning("metrics too large to be contracted", reason=error.reason, message=error.message)
            return
        if kept < TARIFFS:
            self.metrics = self.metrics.first(kept)
        self._rows = [[self.metrics.metric(row, tariff) for tariff in range(kept)] for row in range(len(PROFILES))]


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
        self._touched: list[CustomizedMetrics] = []
        self._static = self._make_static()
        self._at_once = GENERATIONS + hours_kept - 1
        self._hours: Rooms[Background, Customized] = Rooms(self._build, GENERATIONS + hours_kept, built=GENERATIONS)
        self._plain: Recent[tuple[TravelMode, Tariff, Background | None], Metric] = Recent(_PLAIN_KEPT)

    def customized(self, route_type: RouteType, background: Background) -> AbstractContextManager[Customized]:
        """The metrics of a route type in that air, for the contraction.

        They are not to be used when the block is left. The first to ask for an hour waits until they are made.
        """
        if route_type is not RouteType.HEALTHIEST:
            return nullcontext(self._static)
        return self._hours.read(background, lambda hour: self._fill(hour, background))

    def plain(
        self, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, background: Background
    ) -> Metric:
        """The same as a weight for each arc, for searches that need no contraction."""
        of: Background | None = None
        tariff = FASTEST if route_type is RouteType.FASTEST else SHORTEST
        if route_type is RouteType.HEALTHIEST:
            tariff, of = tariffs(background)[_BY_SENSITIVITY[sensitivity]], background
        return self._plain.get((profile(mode), tariff, of), lambda: self._weighed(profile(mode), tariff, of))

    def make_ready(self, backgrounds: tuple[Background, ...]) -> None:
        """Makes what requests in these hours need before they come, and keeps that of the first until others are.

        Of more hours than have room beside the one that is served, the last are left out.
        """
        for background in backgrounds[: self._at_once]:
            with self.customized(RouteType.HEALTHIEST, background):
                pass
        self._hours.hold(frozenset(backgrounds[:1]))

    def _build(self) -> Customized:
        return Customized(self._touched.pop() if self._touched else self._customizer.room())

    def _make_static(self) -> Customized:
        room = self._customizer.room()
        static = Customized(room)
        static.customize(self._customizer, [FASTEST, SHORTEST, FASTEST, FASTEST], kept=len(_STATIC))
        self._touched.append(room)
        return static

    def _fill(self, hour: Customized, background: Background) -> None:
        _write_load(background.load, self._cell, self._features, hour.metrics.load)
        with self._customizing:
            hour.customize(self._customizer, tariffs(background))

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
    for sensitivity in Sensitivity:
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
