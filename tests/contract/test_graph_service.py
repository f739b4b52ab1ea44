"""GraphService as a client sees it: which graphs are served, and what a reload takes, keeps and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import graph_service_pb2 as wire
from cleanair.router.v1 import graph_service_pb2_grpc

from mesh.wire import time_from_wire
from router.graph.graph import version_of
from router.graph_service import OPERATOR_METHODS, GraphService
from router.planner import Planner
from router.prepared import Prepared, prepare, save
from router.regions import Regions
from router.route import RouteRequest, RouteType
from router.search.snapping import PointOffGraph
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.router.air_plan import NOW
from tests.router.street_plan import Edge, at, plan

Stub: TypeAlias = "graph_service_pb2_grpc.GraphServiceAsyncStub"

KEY = (("x-api-key", OPERATOR_KEY),)


def town(north_m: float, name: str, edges: int = 1) -> Prepared:
    """A town of streets one after the other, 500 m each, so far in the north."""
    nodes = [(500.0 * i, north_m) for i in range(edges + 1)]
    return prepare(replace(plan(nodes, [Edge(i, i + 1) for i in range(edges)]), name=name))


SOUTH, NORTH = town(0, "south"), town(5_000, "north")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def time_of_day() -> list[datetime]:
    """The hour that it is, in the one place of the list."""
    return [NOW]


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner([], stale_after=timedelta(hours=3))


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[GraphService, grpc.aio.Server], None]:
    return graph_service_pb2_grpc.add_GraphServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[graph_service_pb2_grpc.GraphServiceStub]:
    return graph_service_pb2_grpc.GraphServiceStub


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    return OPERATOR_METHODS


@pytest.fixture(scope="module")
def regions(folder: Path, planner: Planner, time_of_day: list[datetime]) -> Regions:
    return Regions(folder, planner, clock=lambda: time_of_day[0])


@pytest.fixture(scope="module")
def grpc_servicer(regions: Regions) -> GraphService:
    return GraphService(regions)


@pytest.fixture(autouse=True)
def two_towns(folder: Path, regions: Regions, time_of_day: list[datetime]) -> None:
    """The two towns are served, as of NOW."""
    for file in folder.iterdir():
        file.unlink()
    save(SOUTH, folder / "a-south.graph")
    save(NORTH, folder / "b-north.graph")
    time_of_day[0] = NOW
    assert regions.read() == ()
    time_of_day[0] = NOW + timedelta(hours=1)


def walked_m(planner: Planner, north_m: float) -> float:
    request = RouteRequest(at(0, north_m), at(500, north_m), route_types=(RouteType.FASTEST,))
    return planner.plan(request, NOW).routes[0].length_m


async def listed(stub: Stub) -> list[wire.StreetGraph]:
    return list((await stub.ListGraphs(wire.ListGraphsRequest())).graphs)


async def test_graphs_are_told_in_the_order_of_their_files(grpc_stub: Stub, planner: Planner) -> None:
    south, north = await listed(grpc_stub)
    assert (south.name, north.name) == ("south", "north")
    assert south.version == SOUTH.graph.version
    assert (south.nodes, south.arcs, south.simulated) == (2, 2, True)
    assert south.south_west.longitude < south.north_east.longitude
    assert north.south_west.latitude > south.north_east.latitude
    assert walked_m(planner, 0) == pytest.approx(500, abs=1)
    assert walked_m(planner, 5_000) == pytest.approx(500, abs=1)


async def test_a_point_off_all_graphs_is_told_how_far_the_nearest_is(planner: Planner) -> None:
    with pytest.raises(PointOffGraph) as off:
        walked_m(planner, 5_800)
    assert float(off.value.metadata["distance_meters"]) == pytest.approx(800, abs=5)
    with pytest.raises(PointOffGraph) as off:
        planner.plan(RouteRequest(at(0, 0), at(0, 5_000)), NOW)
    assert off.value.field == "destination"


async def test_only_operators_reload(grpc_stub: Stub) -> None:
    refused = await refusal_of(grpc_stub.ReloadGraphs(wire.ReloadGraphsRequest()))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAUTHENTICATED, "OPERATOR_KEY_REQUIRED")


async def test_a_changed_graph_replaces_the_old_and_the_rest_is_kept(
    grpc_stub: Stub, folder: Path, planner: Planner
) -> None:
    before = planner.regions
    save(town(5_000, "north", edges=2), folder / "b-north.graph")
    save(town(9_000, "farther"), folder / "c-farther.graph")
    answer = await grpc_stub.ReloadGraphs(wire.ReloadGraphsRequest(), metadata=KEY)
    assert not answer.refused
    assert [(graph.name, graph.nodes) for graph in answer.graphs] == [("south", 2), ("north", 3), ("farther", 2)]
    assert list(answer.graphs) == await listed(grpc_stub)
    hours = [time_from_wire(graph.loaded_at) - NOW for graph in answer.graphs]
    assert hours == [timedelta(0), timedelta(hours=1), timedelta(hours=1)]
    assert planner.regions[0] is before[0]
    assert walked_m(planner, 9_000) == pytest.approx(500, abs=1)


async def test_a_graph_whose_file_is_gone_goes_and_the_last_one_stays(
    grpc_stub: Stub, folder: Path, planner: Planner
) -> None:
    (folder / "a-south.graph").unlink()
    answer = await grpc_stub.ReloadGraphs(wire.ReloadGraphsRequest(), metadata=KEY)
    assert [graph.name for graph in answer.graphs] == ["north"]
    with pytest.raises(PointOffGraph):
        walked_m(planner, 0)
    (folder / "b-north.graph").unlink()
    refused = await refusal_of(grpc_stub.ReloadGraphs(wire.ReloadGraphsRequest(), metadata=KEY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_GRAPH")
    assert [graph.name for graph in await listed(grpc_stub)] == ["north"]
    assert walked_m(planner, 5_000) == pytest.approx(500, abs=1)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def of_another_version(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:8] + (99).to_bytes(4, "little") + whole[12:])


def with_a_broken_invariant(file: Path) -> None:
    too_long = replace(NORTH.graph, length_m=NORTH.graph.length_m * 2)
    save(replace(NORTH, graph=replace(too_long, version=version_of(too_long))), file)


def with_links_to_nowhere(file: Path) -> None:
    save(replace(NORTH, contraction=NORTH.contraction._replace(upper=NORTH.contraction.upper + 7)), file)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut_short, "DAMAGED_GRAPH_FILE"),
        (of_another_version, "UNKNOWN_GRAPH_FORMAT"),
        (with_a_broken_invariant, "BROKEN_GRAPH"),
        (with_links_to_nowhere, "BROKEN_GRAPH"),
    ],
)
async def test_a_bad_file_is_refused_by_name_while_the_old_graph_serves(
    grpc_stub: Stub, folder: Path, planner: Planner, spoil: Callable[[Path], None], reason: str
) -> None:
    # Written beside and put in place, as whoever deploys a graph does: the old one is mapped.
    spoilt = folder / "new.part"
    save(NORTH, spoilt)
    spoil(spoilt)
    spoilt.replace(folder / "b-north.graph")
    reload = asyncio.ensure_future(grpc_stub.ReloadGraphs(wire.ReloadGraphsRequest(), metadata=KEY))
    while not reload.done():
        assert await asyncio.to_thread(walked_m, planner, 5_000) == pytest.approx(500, abs=1)
    answer = await reload
    assert [(one.file, one.reason) for one in answer.refused] == [("b-north.graph", reason)]
    assert answer.refused[0].message.endswith(".")
    assert [graph.name for graph in answer.graphs] == ["south", "north"]
    assert walked_m(planner, 5_000) == pytest.approx(500, abs=1)


async def test_a_server_of_one_file_keeps_it_when_the_file_is_spoilt(folder: Path) -> None:
    planner = Planner([], stale_after=timedelta(hours=3))
    regions = Regions(folder / "a-south.graph", planner, clock=lambda: NOW)
    regions.read()
    (folder / "a-south.graph").unlink()
    (refused,) = regions.read()
    assert (refused.file, refused.error.reason) == ("a-south.graph", "NO_SUCH_GRAPH_FILE")
    assert walked_m(planner, 0) == pytest.approx(500, abs=1)
