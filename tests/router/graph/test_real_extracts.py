"""Real cities: counts near those measured independently, and nothing that refers to what is not there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from router.graph.graph import Access, Graph, RoadClass, check
from router.graph.osm import ImportReport, UnreadableExtract, import_extract
from router.prepared import load, prepare, save
from tests.router.real_streets import real_streets

pytestmark = pytest.mark.real_data


@dataclass(frozen=True)
class Measured:
    """Streets counted by another program; it did not contract across ways, so its counts lie near ours, not on them."""

    nodes: int
    edges: int
    kilometers: float
    largest: float
    within: float = 0.12


CITIES = {
    "helsinki_central": Measured(31_090, 38_715, 623, 0.905),
    "porto_metro_highways": Measured(70_019, 92_919, 9_656, 0.966),
    "seoul_sinchon_ewha": Measured(985, 1_296, 68, 0.981),
    "monaco": Measured(3_008, 3_908, 112, 0.979),
    "tiny_finland_missing_refs": Measured(529, 664, 59, 0.992),
    "tiny_singapore_bayfront": Measured(401, 502, 25, 0.952, within=0.2),
}

Imported = dict[str, tuple[Graph, ImportReport]]


@pytest.fixture(scope="module")
def imported(real_data: Path) -> Imported:
    return {city: real_streets(real_data, city) for city in CITIES}


@pytest.mark.parametrize("city", CITIES)
def test_a_city_has_the_streets_that_others_counted(imported: Imported, city: str) -> None:
    graph, report = imported[city]
    measured = CITIES[city]
    check(graph)
    one_an_edge = (graph.reverse < 0) | (graph.reverse > np.arange(graph.arc_count))
    edges = int(np.count_nonzero(one_an_edge))
    # The other program left motorways out.
    not_for_cars_alone = one_an_edge & (graph.access != Access.CAR)
    kilometers = graph.length_m[not_for_cars_alone].sum() / 1000
    assert report.nodes == pytest.approx(measured.nodes, rel=measured.within)
    assert edges == pytest.approx(measured.edges, rel=measured.within)
    assert kilometers == pytest.approx(measured.kilometers, rel=measured.within)
    assert report.largest_component_share == pytest.approx(measured.largest, abs=0.01)
    assert not report.simulated


@pytest.mark.parametrize("city", CITIES)
def test_a_city_lies_where_it_lies(imported: Imported, city: str) -> None:
    graph, _ = imported[city]
    assert np.ptp(graph.latitude) < 1
    assert np.ptp(graph.longitude) < 1
    assert graph.length_m.max() < 20_000
    assert np.median(graph.length_m) < 100


def test_missing_nodes_are_counted_and_ways_cut_there(imported: Imported) -> None:
    graph, report = imported["tiny_finland_missing_refs"]
    assert 300 < report.missing_nodes <= 471
    assert report.cut_ways > 20
    assert graph.length_m.max() < 3_000, "no street jumps over what is missing"
    assert all(imported[city][1].missing_nodes == 0 for city in CITIES if city != "tiny_finland_missing_refs")


@pytest.mark.parametrize("city", ["porto_metro_highways", "helsinki_central", "seoul_sinchon_ewha"])
def test_one_ways_bind_bicycles_alone(imported: Imported, city: str) -> None:
    graph, _ = imported[city]
    foot, bike = (graph.access & Access.FOOT) > 0, (graph.access & Access.BIKE) > 0
    against = graph.reverse[bike & foot]
    only_walked_back = (against >= 0) & ~bike[against] & foot[against]
    assert only_walked_back.mean() > 0.02
    assert foot[graph.reverse[foot & (graph.reverse >= 0)]].mean() > 0.999


def test_helsinki_has_park_paths_and_korean_streets_their_names(imported: Imported) -> None:
    helsinki, _ = imported["helsinki_central"]
    in_parks = helsinki.road_class == RoadClass.PARK_PATH
    assert 30_000 < helsinki.length_m[in_parks].sum() / 2 < 120_000
    assert "신촌로" in imported["seoul_sinchon_ewha"][0].streets


def test_a_city_comes_back_from_its_file(imported: Imported, tmp_path: Path) -> None:
    graph, _ = imported["helsinki_central"]
    save(prepare(graph), tmp_path / "helsinki.graph")
    loaded = load(tmp_path / "helsinki.graph").graph
    check(loaded)
    assert (loaded.version, loaded.streets) == (graph.version, graph.streets)


def test_a_city_cut_short_is_told(real_data: Path, tmp_path: Path) -> None:
    cut = tmp_path / "monaco.osm.pbf"
    cut.write_bytes((real_data / "roads" / "monaco.osm.pbf").read_bytes()[:200_000])
    with pytest.raises(UnreadableExtract, match=r"monaco\.osm\.pbf"):
        import_extract(cut)


@pytest.mark.slow
def test_many_cities_at_once_are_imported(real_data: Path) -> None:
    graph, report = import_extract(real_data / "roads" / "bench_multi_city_merged.osm.pbf")
    check(graph)
    assert report.nodes == pytest.approx(216_104, rel=0.1)
    assert report.components > 1_000


def test_contraction_agrees_exactly_with_another_program_where_all_streets_are_of_one_kind(real_data: Path) -> None:
    graph, report = import_extract(real_data / "roads" / "seoul_wide_walk_subgraph_202607.osm.pbf")
    check(graph)
    assert (report.nodes, report.arcs, report.components) == (11_303, 2 * 17_716, 12)
    assert report.kilometers == pytest.approx(2_264, rel=0.005)
