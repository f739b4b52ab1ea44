"""How the air on a street differs from the air above the roofs.

Stations of the urban background stand away from traffic. What one breathes on a street is taken to be the background
times a ratio that depends on the pollutant, the hour of the day, how near main roads are, and how far off cars are:

    ratio = 1 + contrast · influence - relief · calm

`influence` is 1 on an arterial road and falls off beside it; `calm` is 1 amid green. docs/exposure.md derives
the figures, and what they err by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import Floats
from air.pollutants import FORECAST_POLLUTANTS
from router.exposure.contrast import OWN_SPREAD, RELIEF, SHARED_SPREAD, contrast
from router.graph.graph import Graph, RoadClass
from router.nearness import away_m
from router.plane import on_plane, stretch
from router.read_only import read_only
from router.search.compiled import compiled
from router.search.shapes import Shapes, one_arc_an_edge

INFLUENCE: Final[Mapping[RoadClass, float]] = {RoadClass.ARTERIAL: 1.0, RoadClass.COLLECTOR: 0.5}
"""How much of the contrast a road makes. Measured for arterial roads, beside which the stations stand; half of it on
collectors is assumed, and none on local streets, among which the background stations stand."""

FADING_M: Final = 60.0
"""Beside a road its influence falls by e over this distance.

Assumed; it leaves 5 % at 180 m, in the range of 115 to 570 m at which pollutants are back at background (Karner et al.
2010, 10.1021/es100008x). It keeps a pavement that is drawn beside an arterial road from counting as a quiet footpath.
"""

CALM: Final[Mapping[RoadClass, float]] = {
    RoadClass.FOOTWAY: 1 / 3,
    RoadClass.STEPS: 1 / 3,
    RoadClass.CYCLEWAY: 1 / 3,
    RoadClass.PARK_PATH: 1.0,
}
"""Where no car drives it is calmer than among local streets, by a third of what it is in a park. Assumed. A street near
green is as calm as the share of its length that is, less what main roads there take of that: a main road is not calm
for a park beside it (Marmett et al. 2019, in router.exposure.contrast)."""

FEATURES: Final = ("influence", "calm")
"""What is known of an arc, in the order of the axis of features."""

Features = NDArray[np.float32]

STREET_COLUMNS: Final = ("contrast", "relief", "own spread", "shared spread")
"""What is known of a pollutant on streets in one hour, in the order of the axis of columns."""

_ALL_GREEN = 255
_REACH_M = 4 * FADING_M


def features(graph: Graph, influence: Features) -> Features:
    """What is known of each arc, float32[m, feature], by FEATURES."""
    by_class = np.array([CALM.get(road_class, 0.0) for road_class in RoadClass])
    calm = np.maximum(by_class[graph.road_class], graph.green / _ALL_GREEN * (1.0 - influence))
    return read_only(np.stack([influence, calm], axis=1).astype(np.float32))


def coefficients(hour_of_day: int | None) -> Floats:
    """What is known of each forecast pollutant on streets, float64[pollutant, column], by STREET_COLUMNS.

    Args:
        hour_of_day: 0 to 23, the local hour that the values' hour ends at; None for the day's mean.
    """
    return np.array(
        [[contrast(p, hour_of_day), RELIEF.get(p, 0.0), OWN_SPREAD[p], SHARED_SPREAD[p]] for p in FORECAST_POLLUTANTS]
    )


@compiled
def ratio_on(feature: Features, arc: int, street: Floats, pollutant: int) -> float:
    """Street over background on an arc; from `features` and `coefficients`."""
    return float(1.0 + street[pollutant, 0] * feature[arc, 0] - street[pollutant, 1] * feature[arc, 1])


def influence_of_roads(graph: Graph, shapes: Shapes) -> Features:
    """The mean influence of main roads along each arc, float32[m], 0 to 1: Simpson's rule on its ends and middle."""
    edges = np.flatnonzero(one_arc_an_edge(graph)).astype(np.int32)
    points, edge_of_point = shapes.of_many(edges)
    # With indices it answers with an array, which its types leave open.
    places = on_plane(points)
    lines = cast("NDArray[np.object_]", shapely.linestrings(places, indices=edge_of_point))
    ends = on_plane(np.stack([graph.latitude, graph.longitude], axis=1))
    middles = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    per_meter = stretch(graph.latitude)
    at_end, at_middle = np.zeros(graph.node_count), np.zeros(len(edges))
    steps = np.flatnonzero(edge_of_point[:-1] == edge_of_point[1:])
    for road_class, share in INFLUENCE.items():
        roads = steps[graph.road_class[edges[edge_of_point[steps]]] == road_class]
        at_end = np.maximum(at_end, share * _fading(ends, places, roads, per_meter))
        at_middle = np.maximum(at_middle, share * _fading(middles, places, roads, per_meter[graph.tail[edges]]))
    along = (at_end[graph.tail[edges]] + 4.0 * at_middle + at_end[graph.head[edges]]) / 6.0
    influence = np.zeros(graph.arc_count, dtype=np.float32)
    influence[edges] = along
    back = graph.reverse[edges]
    influence[back[back >= 0]] = along[back >= 0]
    return read_only(influence)


def _fading(points: Floats, places: Floats, roads: NDArray[np.int64], per_meter: Floats) -> Floats:
    """1 on a road, falling off with the distance from the nearest one; 0 out of reach.

    Args:
        points: float64[p, 2], on the plane.
        places: float64[q, 2], likewise, of lines.
        roads: Those of which there is a road to the next.
        per_meter: float64[p], how many metres of the plane one is at each point.
    """
    if not len(points):
        return np.zeros(0)
    away = away_m(points, places[roads], places[roads + 1], _REACH_M * float(per_meter.max()))
    left: Floats = np.exp(-away / per_meter / FADING_M)
    return left
