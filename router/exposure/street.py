"""How the air on a street differs from the air above the roofs.

Stations of the urban background stand away from traffic. What one breathes on a street is taken to be the background
times a ratio that depends on the pollutant, on how near main roads are, and on the kind of street:

    ratio = quiet · (1 + contrast · influence)

`influence` is 1 on an arterial road and falls off beside it. Ratios do not depend on wind, traffic or hour, and their
own uncertainty is not in the intervals of a dose: those carry the forecast's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import Floats
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from router.graph.graph import Graph, RoadClass
from router.plane import on_plane, stretch
from router.search.shapes import Shapes, one_arc_an_edge

CONTRAST: Final[Mapping[Pollutant, float]] = {
    Pollutant.NO2: 0.31,
    Pollutant.PM10: 0.08,
    Pollutant.O3: -0.16,
    Pollutant.PM25: 0.0,
}
"""Roadside over background, less 1.

Measured: Seoul's 15 roadside stations over its 25 urban ones, hourly, 2025-26: NO2 1.31 (0.98 to 1.65), PM10 1.08, O3
0.84, PM2.5 0.92. For PM2.5 this says that there is no contrast to be had, not that main roads are clean: we take 0, in
line with the synthesis of 41 roadside studies that finds no trend of particle mass with distance from the road (Karner
et al. 2010, 10.1021/es100008x). The ratios are averages over hours and roads: no street's own.
"""

INFLUENCE: Final[Mapping[RoadClass, float]] = {RoadClass.ARTERIAL: 1.0, RoadClass.COLLECTOR: 0.5}
"""How much of the contrast a road makes. Measured for arterial roads, beside which the stations stand; half of it on
collectors is assumed, and none on local streets, among which the background stations stand."""

FADING_M: Final = 60.0
"""Beside a road its influence falls by e over this distance.

Assumed; it leaves 5 % at 180 m, in the range of 115 to 570 m at which pollutants are back at background (Karner et al.
2010). It keeps a pavement that is drawn beside an arterial road from counting as a quiet footpath.
"""

QUIET: Final[Mapping[Pollutant, Mapping[RoadClass, float]]] = {
    Pollutant.NO2: {
        RoadClass.FOOTWAY: 0.95,
        RoadClass.STEPS: 0.95,
        RoadClass.CYCLEWAY: 0.95,
        RoadClass.PARK_PATH: 0.85,
    },
}
"""Where no car drives, as a share of the background; 1 where nothing is said.

Assumed for NO2. In parks 22 % less than average was measured for particle number (von Schneidemesser et al. 2019,
Science of the Total Environment 688:691), which is traffic's own as NO2 is only in part; a year in three parks showed
no fall of NO2 within 75 m of the road (Marmett et al. 2019, 10.4236/ojap.2019.84005): the road's nearness covers that.
"""

_REACH_M = 4 * FADING_M


class StreetContrast:
    """The ratio of street to background, by arc and pollutant, for one graph."""

    def __init__(self, graph: Graph, shapes: Shapes) -> None:
        self._road_class = graph.road_class
        self.influence: Floats = _influence(graph, shapes)
        self._quiet = np.ones((len(FORECAST_POLLUTANTS), len(RoadClass)))
        for pollutant, shares in QUIET.items():
            for road_class, share in shares.items():
                self._quiet[FORECAST_POLLUTANTS.index(pollutant), road_class] = share

    def ratio(self, pollutant: Pollutant, arcs: NDArray[np.int32] | slice) -> Floats:
        """Street over background on each of the arcs."""
        quiet = self._quiet[FORECAST_POLLUTANTS.index(pollutant)][self._road_class[arcs]]
        ratio: Floats = quiet * (1.0 + CONTRAST[pollutant] * self.influence[arcs])
        return ratio


def _influence(graph: Graph, shapes: Shapes) -> Floats:
    """The mean influence of main roads along each arc, float64[m], 0 to 1: Simpson's rule on its ends and middle."""
    edges = np.flatnonzero(one_arc_an_edge(graph)).astype(np.int32)
    points, edge_of_point = shapes.of_many(edges)
    # With indices it answers with an array, which its types leave open.
    lines = cast("NDArray[np.object_]", shapely.linestrings(on_plane(points), indices=edge_of_point))
    nodes = on_plane(np.stack([graph.latitude, graph.longitude], axis=1))
    # Likewise: with many coordinates an array of points.
    ends = cast("NDArray[np.object_]", shapely.points(nodes))
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    per_meter = stretch(graph.latitude)
    at_end, at_middle = np.zeros(graph.node_count), np.zeros(len(edges))
    for road_class, share in INFLUENCE.items():
        roads = lines[graph.road_class[edges] == road_class]
        at_end = np.maximum(at_end, share * _fading(ends, roads, per_meter))
        at_middle = np.maximum(at_middle, share * _fading(middles, roads, per_meter[graph.tail[edges]]))
    along = (at_end[graph.tail[edges]] + 4.0 * at_middle + at_end[graph.head[edges]]) / 6.0
    influence = np.zeros(graph.arc_count)
    influence[edges] = along
    back = graph.reverse[edges]
    influence[back[back >= 0]] = along[back >= 0]
    return influence


def _fading(points: NDArray[np.object_], roads: NDArray[np.object_], per_meter: Floats) -> Floats:
    """1 on a road, falling off with the distance from the nearest one; 0 out of reach."""
    left = np.zeros(len(points))
    if len(roads) and len(points):
        (near, _), away = shapely.STRtree(roads).query_nearest(
            points, max_distance=_REACH_M * float(per_meter.max()), return_distance=True, all_matches=False
        )
        left[near] = np.exp(-away / per_meter[near] / FADING_M)
    return left
