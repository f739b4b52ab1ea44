"""GraphService: the street networks served, told and read again."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
from cleanair.router.v1 import graph_service_pb2 as wire
from cleanair.router.v1 import graph_service_pb2_grpc

from air.places import Point
from mesh.access import operator_methods
from mesh.interceptors.around import Context
from mesh.wire import point_to_wire, time_to_wire
from router.graph.graph import Graph
from router.regions import Refused, Regions, Served

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["GraphService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)


class GraphService(graph_service_pb2_grpc.GraphServiceServicer):
    """Answers for the regions, and has them read again."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._reading = asyncio.Lock()

    async def ListGraphs(self, request: wire.ListGraphsRequest, context: Context) -> wire.ListGraphsResponse:
        """In the order in which they are searched for a point."""
        return wire.ListGraphsResponse(graphs=self._graphs())

    async def ReloadGraphs(self, request: wire.ReloadGraphsRequest, context: Context) -> wire.ReloadGraphsResponse:
        """Routes are planned all the while, on what was served before."""
        async with self._reading:
            refused = await asyncio.to_thread(self._regions.read)
        return wire.ReloadGraphsResponse(graphs=self._graphs(), refused=[_refused_to_wire(one) for one in refused])

    def _graphs(self) -> list[wire.StreetGraph]:
        return [_graph_to_wire(served) for served in self._regions.served]


def _graph_to_wire(served: Served) -> wire.StreetGraph:
    graph = served.region.graph
    south_west, north_east = _corners(graph)
    return wire.StreetGraph(
        name=graph.name,
        version=graph.version,
        nodes=graph.node_count,
        arcs=graph.arc_count,
        south_west=point_to_wire(south_west),
        north_east=point_to_wire(north_east),
        simulated=graph.simulated,
        loaded_at=time_to_wire(served.loaded_at),
    )


def _corners(graph: Graph) -> tuple[Point, Point]:
    latitude = np.concatenate((graph.latitude, graph.shape_latitude))
    longitude = np.concatenate((graph.longitude, graph.shape_longitude))
    return (
        Point(float(latitude.min()), float(longitude.min())),
        Point(float(latitude.max()), float(longitude.max())),
    )


def _refused_to_wire(refused: Refused) -> wire.RefusedGraph:
    return wire.RefusedGraph(file=refused.file, reason=refused.error.reason, message=refused.error.message)
