"""The graph as networkx knows graphs: for oracles in tests and for notebooks, not for routing."""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from router.graph.graph import Access, Graph, RoadClass


def to_networkx(graph: Graph, weight: NDArray[np.number], access: Access) -> nx.MultiDiGraph[int]:
    """The nodes by index with their `latitude` and `longitude`, the arcs as edges keyed by arc.

    An edge has `weight`, `length_m`, `road_class` and `street`.

    Args:
        graph: The graph.
        weight: One number per arc, shape (m,).
        access: Whoever travels; arcs that do not carry all of it are left out.
    """
    drawn: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=graph.name)
    places = zip(graph.latitude.tolist(), graph.longitude.tolist(), strict=True)
    drawn.add_nodes_from(
        (node, {"latitude": latitude, "longitude": longitude}) for node, (latitude, longitude) in enumerate(places)
    )
    for arc in np.flatnonzero((graph.access & access) == access).tolist():
        drawn.add_edge(
            int(graph.tail[arc]),
            int(graph.head[arc]),
            key=arc,
            weight=weight[arc].item(),
            length_m=float(graph.length_m[arc]),
            road_class=RoadClass(graph.road_class[arc]).name,
            street=graph.streets[graph.street[arc]],
        )
    return drawn
