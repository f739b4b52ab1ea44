from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from air.geodesy import distance_m
from air.places import Network, Point
from router.graph.components import weak_components
from router.graph.graph import Access, Graph, RoadClass, check, full_shapes
from router.graph.osm import ImportReport
from simulation.city import DEFAULT_SEED, District, districts, ensure_city
from simulation.city_names import in_english

SEED = DEFAULT_SEED


@dataclass(frozen=True)
class City:
    path: Path
    graph: Graph
    report: ImportReport
    districts: tuple[District, ...]


@pytest.fixture(scope="module")
def city(simulated_city: Path, simulated_streets: tuple[Graph, ImportReport]) -> City:
    graph, report = simulated_streets
    return City(simulated_city, graph, report, districts(SEED))


def test_the_real_importer_reads_a_large_city_in_one_piece(city: City) -> None:
    check(city.graph)
    on_foot = (city.graph.access & Access.FOOT) > 0
    component = weak_components(city.graph.node_count, city.graph.tail[on_foot], city.graph.head[on_foot])
    assert np.count_nonzero(component == 0) >= 60_000
    assert city.report.largest_component_share >= 0.98
    assert (city.report.missing_nodes, city.report.dropped_ways) == (0, 0)


def test_a_city_is_drawn_once(city: City) -> None:
    drawn_at = city.path.stat().st_mtime_ns
    assert ensure_city(city.path.parent, SEED) == city.path
    assert city.path.stat().st_mtime_ns == drawn_at
    assert list(city.path.parent.iterdir()) == [city.path], "nothing half-drawn is left"


def test_it_is_named_as_simulated_wherever_it_shows(city: City) -> None:
    assert city.graph.simulated
    assert "simulated" in city.graph.name
    assert all(name.startswith("모의") for name in city.graph.streets if name)
    assert all(district.name.startswith("모의") for district in city.districts)
    assert all(district.latin_name.startswith("Simulated ") for district in city.districts)
    named = osmium.FileProcessor(city.path).with_filter(osmium.filter.KeyFilter("name"))
    names = [(entity.tags["name"], entity.tags["name:en"]) for entity in named]
    assert all(name.startswith("모의") and english.startswith("Simulated ") for name, english in names)


def test_each_district_has_places_to_look_for(city: City) -> None:
    named = osmium.FileProcessor(city.path, osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("railway", "amenity"))
    names = {entity.tags["name"]: entity.tags["name:en"] for entity in named}
    assert len(names) == 3 * 25
    assert names["모의가람역"] == "Simulated Garam Station"
    assert names["모의푸름초등학교"] == "Simulated Pureum Elementary School"


def test_a_name_that_is_none_of_the_citys_has_no_english() -> None:
    assert in_english("모의2대교") == "Simulated 2 Bridge"
    assert in_english("모의강변북로") == "Simulated North Riverside Road"
    with pytest.raises(ValueError, match="광화문"):
        in_english("광화문")


def test_it_lies_where_no_city_is(city: City) -> None:
    assert 36.2 < city.graph.latitude.min() < city.graph.latitude.max() < 36.5
    assert 127.7 < city.graph.longitude.min() < city.graph.longitude.max() < 128.1


def test_it_has_streets_of_every_kind_in_a_citys_proportions(city: City) -> None:
    kilometers = {kind: city.graph.length_m[city.graph.road_class == kind].sum() / 2000 for kind in RoadClass}
    assert kilometers[RoadClass.LOCAL] > kilometers[RoadClass.COLLECTOR] > kilometers[RoadClass.ARTERIAL] > 150
    assert all(length > 20 for length in kilometers.values())
    bike, foot = ((city.graph.access & mode) > 0 for mode in (Access.BIKE, Access.FOOT))
    oneway = foot & ~bike & (city.graph.road_class == RoadClass.LOCAL)
    assert oneway.sum() > 1_000


def test_its_streets_are_no_lattice(city: City) -> None:
    latitude, longitude, first = full_shapes(city.graph)
    start, end = first[:-1], first[1:] - 1
    east = (longitude[end] - longitude[start]) * np.cos(np.radians(36.35))
    bearing = np.degrees(np.arctan2(latitude[end] - latitude[start], east)) % 90
    share, _ = np.histogram(bearing, bins=9, range=(0, 90), density=False)
    assert share.max() < 3 * share.min()


def test_the_river_is_crossed_by_bridges_alone(city: City) -> None:
    river = next(
        shapely.Polygon([(node.lon, node.lat) for node in way.nodes])
        for way in osmium.FileProcessor(city.path, osmium.osm.NODE | osmium.osm.WAY)
        .with_locations()
        .with_filter(osmium.filter.TagFilter(("natural", "water")))
        if isinstance(way, osmium.osm.Way)
    )
    latitude, longitude, first = full_shapes(city.graph)
    lines = shapely.linestrings(
        np.column_stack((longitude, latitude)),
        indices=np.repeat(np.arange(city.graph.arc_count), np.diff(first)),
    )
    shapely.prepare(river)
    crossing = np.flatnonzero(shapely.intersects(river, lines))
    names = {city.graph.streets[city.graph.street[arc]] for arc in crossing}
    assert len(names) >= 6
    assert all(re.fullmatch(r"모의\d+(대교|보행교)", name) for name in names)


def test_there_are_25_districts_with_a_station_each(city: City) -> None:
    assert len({district.name for district in city.districts}) == 25
    assert len({district.station for district in city.districts}) == 25
    networks = [district.network for district in city.districts]
    assert (networks.count(Network.ROADSIDE), networks.count(Network.URBAN)) == (8, 17)
    for district in city.districts:
        assert _metres(city.graph, district.centre, np.arange(city.graph.node_count)) < 400
    assert districts(SEED) == city.districts
    assert districts(SEED + 1) != city.districts


def test_roadside_stations_stand_on_arterials_and_the_others_away_from_them(city: City) -> None:
    latitude, longitude, first = full_shapes(city.graph)
    x = longitude * np.cos(np.radians(36.35))
    arterials = shapely.MultiLineString(
        [
            np.column_stack((x[first[arc] : first[arc + 1]], latitude[first[arc] : first[arc + 1]]))
            for arc in np.flatnonzero(city.graph.road_class == RoadClass.ARTERIAL)
        ]
    )
    for district in city.districts:
        station = shapely.Point(district.station.longitude * np.cos(np.radians(36.35)), district.station.latitude)
        metres = shapely.distance(station, arterials) * 111_195
        assert metres < 15 if district.network is Network.ROADSIDE else metres > 100


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 2**31])
def test_any_seed_gives_25_districts(seed: int) -> None:
    named = districts(seed)
    assert len({district.name for district in named}) == 25
    for one in named:
        assert min(_apart(one.station, other.station) for other in named if other is not one) > 250


def _metres(graph: Graph, place: Point, nodes: np.typing.NDArray[np.int64]) -> float:
    here = np.array([place.latitude]), np.array([place.longitude])
    return float(distance_m(*here, graph.latitude[nodes], graph.longitude[nodes]).min())


def _apart(one: Point, other: Point) -> float:
    places = (np.array([value]) for value in (one.latitude, one.longitude, other.latitude, other.longitude))
    return float(distance_m(*places)[0])
