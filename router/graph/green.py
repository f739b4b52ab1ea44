"""Where it is green: parks, woods and grass, and the pieces of ways in them or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from router.graph.graph import Floats
from router.graph.permission import Tags
from router.graph.pieces import Outline, Pieces
from router.plane import on_plane, stretch

NEAR_M: Final = 25.0
"""A way at most this far from a green is beside it."""

_PARKS: Final = frozenset({"park", "garden", "nature_reserve"})
_GREEN: Final = {
    "leisure": _PARKS | {"common", "golf_course"},
    "landuse": frozenset({"forest", "grass", "meadow", "orchard", "recreation_ground", "village_green"}),
    "natural": frozenset({"wood", "grassland", "heath", "scrub"}),
}

GREEN_KEYS: Final = tuple(_GREEN)
"""All the keys that say so."""

GREEN_TAGS: Final = frozenset((key, value) for key, values in _GREEN.items() for value in values)
"""All the tags that say so."""

_SAMPLE_M: Final = 50.0
_MOST_SAMPLES: Final = 20
_AT_ONCE: Final = 1 << 18
_CELL: Final = 500.0
_ACROSS: Final = 1 << 20
_MOST_CELLS: Final = 10_000


def is_park(tags: Tags) -> bool:
    """Whether an area with these tags is a park."""
    return tags.get("leisure", "") in _PARKS


def is_green(tags: Tags) -> bool:
    """Whether an area with these tags is green; a park is."""
    return not GREEN_TAGS.isdisjoint(tags.items())


@dataclass(frozen=True, slots=True)
class GreenShares:
    """How green pieces are, each a share of its length, 0 to 1.

    Attributes:
        in_park: float64[k], inside a park.
        near_green: float64[k], at most NEAR_M from a park or another green.
    """

    in_park: Floats
    near_green: Floats


def green_shares(pieces: Pieces, parks: Sequence[Outline], greens: Sequence[Outline]) -> GreenShares:
    """What samples of the pieces say, of which there is one at least in every 50 m, and twenty on a long piece.

    Args:
        pieces: The pieces.
        parks: Outlines of parks; crooked ones are left out.
        greens: Likewise of other greens.
    """
    count = np.clip(np.ceil(pieces.length_m / _SAMPLE_M), 1, _MOST_SAMPLES).astype(np.int64)
    piece = np.repeat(np.arange(len(count)), count)
    inside, near = np.zeros(len(piece)), np.zeros(len(piece))
    if parks or greens:
        areas, is_park_area, reach = _areas(parks, greens)
        places = _places(pieces, piece, count)
        candidates = np.flatnonzero(_beside(places, shapely.bounds(areas), reach))
        for begin in range(0, len(candidates), _AT_ONCE):
            some = candidates[begin : begin + _AT_ONCE]
            # With many coordinates it answers with an array, which its types leave open.
            tree = shapely.STRtree(cast("NDArray[np.object_]", shapely.points(places[some])))
            inside[some[tree.query(areas[is_park_area], predicate="contains")[1]]] = 1.0
            near[some[tree.query(areas, predicate="dwithin", distance=reach)[1]]] = 1.0
    return GreenShares(
        np.bincount(piece, inside, minlength=len(count)) / count, np.bincount(piece, near, minlength=len(count)) / count
    )


def _places(pieces: Pieces, piece: NDArray[np.int64], count: NDArray[np.int64]) -> Floats:
    """Where the samples are on the plane, float64[q, 2]."""
    step = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    share = (step + 0.5) / count[piece]
    start, end = pieces.start[piece], pieces.end[piece]
    places = [
        degrees[start] + share * (degrees[end] - degrees[start]) for degrees in (pieces.latitude, pieces.longitude)
    ]
    return on_plane(np.stack(places, axis=1))


def _beside(places: Floats, bounds: Floats, reach: Floats) -> NDArray[np.bool_]:
    """Which places lie in a cell that an area reaches: most do not, and need not be looked at closely."""
    low = np.floor((bounds[:, :2] - reach[:, None]) / _CELL).astype(np.int64)
    extent = np.floor((bounds[:, 2:] + reach[:, None]) / _CELL).astype(np.int64) - low + 1
    cells = extent.prod(axis=1)
    # A wrong node can make an area as wide as the Earth; what is so large is looked at by its bounds.
    small = np.flatnonzero(cells <= _MOST_CELLS)
    area = np.repeat(small, cells[small])
    step = np.arange(len(area)) - np.repeat(np.cumsum(cells[small]) - cells[small], cells[small])
    row, column = np.divmod(step, extent[area, 0])
    key = np.unique((low[area, 1] + row) * _ACROSS + low[area, 0] + column)
    at = np.floor(places / _CELL).astype(np.int64)
    here = at[:, 1] * _ACROSS + at[:, 0]
    beside: NDArray[np.bool_] = np.zeros(len(places), dtype=bool)
    if len(key):
        beside = key[np.minimum(np.searchsorted(key, here), len(key) - 1)] == here
    for large in np.flatnonzero(cells > _MOST_CELLS):
        beside |= np.all((at >= low[large]) & (at < low[large] + extent[large]), axis=1)
    return beside


def _areas(
    parks: Sequence[Outline], greens: Sequence[Outline]
) -> tuple[NDArray[np.object_], NDArray[np.bool_], Floats]:
    """The areas on the plane, which of them are parks, and how far each reaches there."""
    outlines = (*parks, *greens)
    borders = [outline[0] for outline in outlines]
    points = np.concatenate(borders)[:, ::-1]
    rings = cast(
        "NDArray[np.object_]",
        shapely.linearrings(on_plane(points), indices=np.repeat(np.arange(len(borders)), [*map(len, borders)])),
    )
    areas = cast("NDArray[np.object_]", shapely.polygons(rings))
    for index, (border, *holes) in enumerate(outlines):
        if holes:
            areas[index] = shapely.Polygon(on_plane(border[:, ::-1]), [on_plane(hole[:, ::-1]) for hole in holes])
    sound = shapely.is_valid(areas)
    is_park_area = np.arange(len(outlines)) < len(parks)
    latitude = np.array([border[0, 1] for border in borders])
    return areas[sound], is_park_area[sound], NEAR_M * stretch(latitude[sound])
