"""From a point on the map to the nearest place on a street."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Point
from mesh.errors import InvalidInput
from router.graph.graph import Graph
from router.search.components import strong_components
from router.search.edge_grid import CLOSED_EDGE, ISLAND, MAIN, EdgeGrid
from router.search.engine import Place

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

    def __init__(self, graph: Graph, edges: EdgeGrid, is_open: NDArray[np.bool_]) -> None:
        """Of the arcs that are open (bool[m]); any number of threads may ask at once."""
        self._edges = edges
        component = strong_components(graph.first_out, graph.head, is_open)
        size = np.bincount(component, minlength=1)
        at_head, is_main = component[graph.head], size >= MAIN_SHARE * size[0]
        self._is_main: NDArray[np.bool_] = is_main[at_head]
        joined = component[graph.tail] == at_head
        open_some_way = is_open | np.where(graph.reverse >= 0, is_open[graph.reverse], False)
        kinds = np.where(joined & self._is_main, MAIN, ISLAND)
        self._kinds = np.where(open_some_way, kinds, CLOSED_EDGE).astype(np.uint8)

    def snap(self, point: Point, field: str) -> Place:
        """The place nearest to the point.

        Raises PointOffGraph, on the request's field, when nothing is within FARTHEST_M.
        """
        found = self._edges.nearest(point.latitude, point.longitude, FARTHEST_M, self._kinds)
        if found is None:
            raise self._off_graph(point, field)
        arc, fraction, latitude, longitude, away_m = found
        return Place(arc, fraction, Point(latitude, longitude), away_m)

    def is_connected(self, place: Place) -> bool:
        """True when the place lies on a main component, from which the whole of that can be reached and back."""
        return bool(self._is_main[place.arc])

    def _off_graph(self, point: Point, field: str) -> PointOffGraph:
        # Takes half a second to import, and tells people a distance: no search needs it.
        from geopy.distance import geodesic

        found = self._edges.nearest_anywhere(point.latitude, point.longitude, self._kinds)
        if found is None:
            return PointOffGraph("There is no way for this travel mode on the street network.", field=field)
        away = geodesic((point.latitude, point.longitude), found[2:4])
        told = f"{away.meters:.0f} m" if away.meters < 10_000 else f"{away.kilometers:.0f} km"  # noqa: PLR2004 - for people
        return PointOffGraph(
            f"The nearest way for this travel mode is {told} away; choose a point within {FARTHEST_M:.0f} m of one.",
            field=field,
            metadata={"distance_meters": f"{away.meters:.0f}", "limit_meters": f"{FARTHEST_M:.0f}"},
        )
