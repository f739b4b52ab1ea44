"""A line that others have drawn, brought onto our own streets."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import EARTH_RADIUS_M, Floats
from router.graph.graph import Graph
from router.plane import on_plane, stretch
from router.search.kernel import Ints
from router.search.metric import Metric
from router.search.shapes import Shapes, steps_m

OFF_M: Final = 10.0
"""A street this far from the line costs twice its length."""

FARTHEST_M: Final = 200.0
"""A street farther from the line than this costs what one at this distance costs."""

ON_IT_M: Final = 25.0
"""A line is on a way where that is no farther from it: maps draw a street's two sides apart, or as one."""

_SAMPLED_EVERY_M: Final = 10.0
_COST_A_METER: Final = 100.0


def metric_along(line: Floats, graph: Graph, shapes: Shapes, is_open: NDArray[np.bool_]) -> Metric:
    """What makes the way along a line the least: each arc costs its length, times 1 + its mean distance in OFF_M.

    So a way follows the line where there are streets, and takes
    the shortest detour where there are none.

    Args:
        line: float64[p, 2], latitude and longitude in degrees; p is at least 2.
        graph: The streets.
        shapes: Theirs.
        is_open: Which arcs may be used, bool[m].
    """
    off = np.full(graph.arc_count, FARTHEST_M)
    near = _near(line, graph)
    if len(near):
        points, which = shapes.of_many(near)
        # Of many it answers with an array, which its types leave open.
        lines = cast("NDArray[np.object_]", shapely.linestrings(on_plane(points), indices=which))
        sampled, arc = shapely.get_coordinates(
            shapely.segmentize(lines, _SAMPLED_EVERY_M * _stretch_of(line)), return_index=True
        )
        off[near] = np.bincount(arc, _off_m(sampled, line)) / np.bincount(arc)
    return Metric.of(graph.length_m * (1.0 + off / OFF_M) * _COST_A_METER, graph.length_m, is_open)


def share_on(line: Floats, way: Floats) -> float:
    """The share of a line that runs along a way, 0 to 1; both float64[p, 2], degrees."""
    along = np.concatenate([[0.0], np.cumsum(steps_m(line))])
    marks = np.linspace(0.0, along[-1], 1 + int(np.ceil(along[-1] / _SAMPLED_EVERY_M)))
    samples = np.stack([np.interp(marks, along, line[:, axis]) for axis in (0, 1)], axis=1)
    return float(np.mean(_off_m(on_plane(samples), way) <= ON_IT_M))


def _near(line: Floats, graph: Graph) -> Ints:
    """The arcs of which an end lies in the line's box, with FARTHEST_M around it."""
    wide = np.degrees(FARTHEST_M / EARTH_RADIUS_M)
    margin = np.array([wide, wide / max(np.cos(np.radians(np.abs(line[:, 0]).max())), 1e-3)])
    (south, west), (north, east) = line.min(axis=0) - margin, line.max(axis=0) + margin
    inside = (graph.latitude >= south) & (graph.latitude <= north)
    inside &= (graph.longitude >= west) & (graph.longitude <= east)
    return np.flatnonzero(inside[graph.tail] | inside[graph.head]).astype(np.int32)


def _off_m(points: Floats, line: Floats) -> Floats:
    """How far points of the map (float64[k, 2]) are from a line in degrees, float64[k], metres, at most FARTHEST_M."""
    on_map = on_plane(line)
    drawn = cast("NDArray[np.object_]", shapely.linestrings(np.stack([on_map[:-1], on_map[1:]], axis=1)))
    pieces = shapely.STRtree(drawn)
    scale = _stretch_of(line)
    (found, _), away = pieces.query_nearest(
        shapely.points(points),
        max_distance=FARTHEST_M * scale,
        return_distance=True,
        all_matches=False,
    )
    off = np.full(len(points), FARTHEST_M)
    off[found] = away / scale
    return off


def _stretch_of(line: Floats) -> float:
    """How many metres of the map one metre is where the line runs."""
    return float(stretch(np.array(line[:, 0].mean())))
