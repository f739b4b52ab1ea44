"""One least-cost way at a time over one contracted graph, from any place on an arc to any other."""

from __future__ import annotations

import numpy as np

from router.graph.graph import Graph
from router.plane import on_plane
from router.search.contraction import Contraction
from router.search.contraction_query import ContractionQuery
from router.search.customization import CustomizedMetric
from router.search.engine import Path, Place, share, way_on_one_arc, ways_along
from router.search.kernel import Ints
from router.search.nested_dissection import contraction_order


def order_of(graph: Graph) -> Ints:
    """The order in which the nodes of a graph are best contracted, int32[n]; seconds of work, once a graph."""
    plane = on_plane(np.stack([graph.latitude, graph.longitude], axis=1))
    return contraction_order(graph.tail, graph.head, plane)


class ContractionEngine:
    """Finds ways through one graph, as Engine does, by metrics brought into its contraction."""

    def __init__(self, graph: Graph, contraction: Contraction) -> None:
        self._graph = graph
        self._query = ContractionQuery(contraction)

    def find(self, metric: CustomizedMetric, origin: Place, destination: Place) -> Path | None:
        """The way of least cost, exactly; None when there is none."""
        graph, weight = self._graph, metric.weight
        starts, ends = ways_along(graph, weight, origin), ways_along(graph, weight, destination)
        direct, direct_path = way_on_one_arc(weight, starts, ends)
        found = self._query.find(
            metric,
            [(int(graph.head[arc]), share(weight, arc, 1.0 - at)) for arc, at in starts],
            [(int(graph.tail[arc]), share(weight, arc, at)) for arc, at in ends],
            below=direct,
        )
        if found is None:
            return direct_path
        first_arc, start_fraction = starts[found.seed]
        last_arc, end_fraction = ends[found.entry]
        arcs = np.empty(len(found.arcs) + 2, dtype=np.int32)
        arcs[0], arcs[1:-1], arcs[-1] = first_arc, found.arcs, last_arc
        return Path(found.cost, arcs, start_fraction, end_fraction)
