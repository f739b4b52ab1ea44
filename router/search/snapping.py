"""From a point on the map to the nearest place on a street."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from air.geodesy import distance_m
from air.places import Point
from mesh.errors import InvalidInput
from router.graph.graph import Graph
from router.plane import on_plane, stretch
from router.search.components import strong_components
from router.search.engine import Place
from router.search.kernel import Floats, Ints
from router.search.shapes import Shapes, one_arc_an_edge, point_at, steps_m

FARTHEST_M: Final = 500.0
"""A point farther than this from every way that the travel mode may use is not on the graph."""

MAIN_SHARE: Final = 0.1
"""A component with this share of the largest one's nodes is a street network in its own right."""


class PointOffGraph(InvalidInput):
    """No way near the point; `metadata["distance_meters"]` says how far the nearest is."""

    reason = "POINT_OFF_GRAPH"


class Snapper:
    """Finds the nearest place on a street that a travel mode may use.

    Maps are full of islands: a footway in a courtyard, drawn but not joined to the street beside it. A point snapped to
    one of those goes nowhere, so a point goes to the nearest edge within FARTHEST_M of which both ends belong to a main
    component, even where an island is nearer: strongly connected for this mode, with MAIN_SHARE of the nodes of the
    largest one or more. Only where there is none it goes to the nearest island within FARTHEST_M.
    """

    def __init__(self, graph: Graph, shapes: Shapes, is_open: NDArray[np.bool_]) -> None:
        """Of the arcs that are open (bool[m]); any number of threads may ask at once."""
        self._shapes = shapes
        component = strong_components(graph.first_out, graph.head, is_open)
        size = np.bincount(component, minlength=1)
        self._component = component
        self._is_main = size >= MAIN_SHARE * size[0]
        self._head = graph.head
        edges = _open_edges(graph, is_open)
        joined = component[graph.tail[edges]] == component[graph.head[edges]]
        main = joined & self._is_main[component[graph.head[edges]]]
        self._main = _Edges(edges[main], shapes)
        self._islands = _Edges(edges[~main], shapes)

    def snap(self, point: Point, field: str) -> Place:
        """The place nearest to the point.

        Raises PointOffGraph, on the request's field, when nothing is within FARTHEST_M.
        """
        arc = self._main.nearest(point, FARTHEST_M)
        if arc is None:
            arc = self._islands.nearest(point, FARTHEST_M)
        if arc is None:
            raise self._off_graph(point, field)
        return _nearest_on(arc, self._shapes.of(arc), point)

    def is_connected(self, place: Place) -> bool:
        """True when the place lies on a main component, from which the whole of that can be reached and back."""
        return bool(self._is_main[self._component[self._head[place.arc]]])

    def _off_graph(self, point: Point, field: str) -> PointOffGraph:
        # Takes half a second to import, and tells people a distance: no search needs it.
        from geopy.distance import geodesic

        arc = self._main.nearest(point, None)
        if arc is None:
            return PointOffGraph("There is no way for this travel mode on the street network.", field=field)
        nearest = _nearest_on(arc, self._shapes.of(arc), point).point
        away = geodesic((point.latitude, point.longitude), (nearest.latitude, nearest.longitude))
        told = f"{away.meters:.0f} m" if away.meters < 10_000 else f"{away.kilometers:.0f} km"  # noqa: PLR2004 - for people
        return PointOffGraph(
            f"The nearest way for this travel mode is {told} away; choose a point within {FARTHEST_M:.0f} m of one.",
            field=field,
            metadata={"distance_meters": f"{away.meters:.0f}", "limit_meters": f"{FARTHEST_M:.0f}"},
        )


class _Edges:
    """A tree of edges on the plane."""

    def __init__(self, arcs: Ints, shapes: Shapes) -> None:
        self._arcs = arcs
        points, arc_of_point = shapes.of_many(arcs)
        # With indices it answers with an array, which its types leave open.
        lines = cast("NDArray[np.object_]", shapely.linestrings(on_plane(points), indices=arc_of_point))
        self._tree = shapely.STRtree(lines)

    def nearest(self, point: Point, within_m: float | None) -> int | None:
        """The nearest arc, the lowest where several are; None when there is none so near."""
        if len(self._arcs) == 0:
            return None
        x, y = on_plane(np.array([[point.latitude, point.longitude]]))[0]
        found = self._tree.query_nearest(
            shapely.Point(x, y),
            max_distance=None if within_m is None else within_m * float(stretch(np.array(point.latitude))),
            all_matches=True,
        )
        return int(self._arcs[found].min()) if len(found) else None


def _open_edges(graph: Graph, is_open: NDArray[np.bool_]) -> Ints:
    """One arc of each edge that is open at least one way."""
    reverse = graph.reverse
    open_some_way = is_open | np.where(reverse >= 0, is_open[reverse], False)
    return np.flatnonzero(open_some_way & one_arc_an_edge(graph)).astype(np.int32)


def _nearest_on(arc: int, shape: Floats, point: Point) -> Place:
    """The place on an arc nearest to a point."""
    line = on_plane(shape)
    target = on_plane(np.array([[point.latitude, point.longitude]]))[0]
    step = np.diff(line, axis=0)
    square = np.maximum(np.sum(step**2, axis=1), np.finfo(float).tiny)
    share = np.clip(np.sum((target - line[:-1]) * step, axis=1) / square, 0.0, 1.0)
    off = np.hypot(*(line[:-1] + share[:, None] * step - target).T)
    nearest = int(np.argmin(off))
    length = steps_m(shape)
    total = float(length.sum())
    along = float(length[:nearest].sum() + share[nearest] * length[nearest])
    fraction = min(along / total, 1.0) if total > 0 else 0.0
    there = point_at(shape, fraction)
    away = distance_m(
        np.array(point.latitude), np.array(point.longitude), np.array(there.latitude), np.array(there.longitude)
    )
    return Place(arc, fraction, there, float(away))
