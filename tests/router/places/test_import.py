from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from air.places import Point
from mesh.errors import CleanAirError
from router.importing import import_file
from router.places.gazetteer import gather
from router.places.index import PlaceIndex
from router.places.store import PlacesFile, places_path, save
from tests.router.places.named_town import named_town


def test_an_import_writes_places_beside_the_graph(tmp_path: Path) -> None:
    graph = tmp_path / "town.graph"
    import_file(named_town().write(tmp_path / "town.osm.pbf"), graph)
    assert places_path(graph).is_file()
    with closing(PlaceIndex(PlacesFile.open(places_path(graph)))) as index:
        assert index.search("ㄱㄴㅇ", None, 1)[0].place.name == "강남"

    before = places_path(graph).read_bytes()
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not an extract")
    with pytest.raises(CleanAirError):
        import_file(broken, graph)
    assert places_path(graph).read_bytes() == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".graph", ".places", ".pbf"}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("신촌역", "신촌역"),
        ("ㅅㅊㅇ", "신촌역"),
        ("tlschsdur", "신촌역"),
        ("신쵼역", "신촌역"),
        ("연세대학교", "연세대학교 신촌캠퍼스"),
        ("Yonsei University", "연세대학교 신촌캠퍼스"),
        ("올림픽파크빌", "올림픽파크빌"),
    ],
)
def test_names_of_seoul(seoul: PlaceIndex, typed: str, expected: str) -> None:
    assert expected in [found.place.name for found in seoul.search(typed, Point(37.556, 126.94), 5)]


@pytest.fixture(scope="module")
def seoul(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> PlaceIndex:
    path = tmp_path_factory.mktemp("seoul") / "seoul.places"
    save(gather(real_data / "roads" / "seoul_patches_3.osm.pbf"), path)
    return PlaceIndex(PlacesFile.open(path))
