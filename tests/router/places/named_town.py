"""A small town with names of every kind, as an extract."""

from __future__ import annotations

from tests.router.graph.drawing import Drawing

STATION = (36.0000, 127.0000)
FAR_SHOP = (36.0300, 127.0300)
NEAR_SHOP = (36.0010, 127.0010)


def named_town() -> Drawing:
    """A station with its building, two stops of one name, two branches, a park, a school, and three streets.

    종로 is two ways that meet, and a third far away that has the same name; 그 길 has a point that is not there.
    """
    places = {
        1: STATION,
        2: (36.0001, 127.0001),
        3: (36.0002, 126.9990),
        4: (36.0003, 126.9991),
        5: NEAR_SHOP,
        6: FAR_SHOP,
        7: (36.0100, 127.0100),
        8: (36.0200, 127.0200),
        9: (36.0050, 127.0050),
        10: (36.0060, 127.0060),
        11: (36.0055, 127.0058),
        12: (36.0000, 127.0100),
        13: (36.0100, 127.0000),
        20: (36.0020, 126.9950),
        21: (36.0020, 127.0000),
        22: (36.0020, 127.0050),
        23: (36.5000, 127.5000),
        24: (36.5000, 127.5010),
        25: (36.0080, 126.9950),
    }
    node_tags = {
        1: {"railway": "station", "name": "강남", "name:en": "Gangnam", "wikidata": "Q1"},
        3: {"highway": "bus_stop", "name": "강남역앞"},
        4: {"highway": "bus_stop", "name": "강남역앞", "name:en": "Gangnam Station"},
        5: {"shop": "convenience", "name": "GS25", "addr:street": "종로", "addr:housenumber": "12"},
        6: {"shop": "convenience", "name": "GS25"},
        7: {"place": "suburb", "name": "서초구", "name:en": "Seocho-gu"},
        8: {"place": "city", "name": "서울", "name:en": "Seoul", "name:ko": "서울특별시"},
        12: {"amenity": "school", "name": "서울초등학교"},
        13: {"addr:street": "세종로", "addr:housenumber": "7", "building": "yes"},
    }
    ways = [
        ([1, 2, 3, 1], {"railway": "station", "building": "yes", "name": "강남"}),
        ([9, 10, 11, 9], {"leisure": "park", "name": "도산공원", "name:en": "Dosan Park"}),
        ([20, 21], {"highway": "primary", "name": "종로", "name:en": "Jong-ro"}),
        ([21, 22], {"highway": "residential", "name": "종로", "name:en": "Jong-ro"}),
        ([23, 24], {"highway": "residential", "name": "종로", "name:en": "Jong-ro"}),
        ([20, 25, 99], {"highway": "footway", "name": "그 길"}),
        ([9, 10], {"highway": "residential"}),
    ]
    return Drawing(places, ways, node_tags)
