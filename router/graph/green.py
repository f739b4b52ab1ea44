"""Where it is green: parks, woods and grass, and the pieces of ways in them or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from router.graph.graph import Floats
from router.graph.permission import Tags
from router.graph.pieces import Pieces
from router.plane import on_plane, stretch

NEAR_M: Final = 25.0
"""A way at most this far from a green is beside it."""

_PARKS: Final = frozenset({"park", "garden", "nature_reserve"})
_GREEN: Final = {
    "leisure": _PARKS | {"common", "golf_course"},
    "landuse": frozenset({"forest", "grass", "meadow", "orchard", "recreation_ground", "village_green"}),
    "natural": frozenset({"wood", "grassland", "heath", "scrub"}),
}

_GREEN_TAGS: Final = frozenset((key, value) for key, values in _GREEN.items() for value in values)

_SAMPLE_M: Final = 50.0
_MOST_SAMPLES: Final = 20
_AT_ONCE: Final = 1 << 18


def is_park(tags: Tags) -> bool:
    """Whether an area with these tags is a park."""
    return tags.get("leisure", "") in _PARKS


def is_green(tags: Tags) -> bool:
    """Whether an area with these tags is green; a park is."""
    return not _GREEN_TAGS.isdisjoint(tags.items())


class Samples:
    """Places on pieces, one at least in every 50 m, and on a long piece twenty."""

    def __init__(self, pieces: Pieces) -> None:
        count = np.clip(np.ceil(pieces.length_m / _SAMPLE_M), 1, _MOST_SAMPLES).astype(np.int64)
        self._count = count
        self._piece = np.repeat(np.arange(len(count)), count)
        step = np.arange(len(self._piece)) - np.repeat(np.cumsum(count) - count, count)
        share = (step + 0.5) / count[self._piece]
        start, end = pieces.start[self._piece], pieces.end[self._piece]
        places = [
            degrees[start] + share * (degrees[end] - degrees[start]) for degrees in (pieces.latitude, pieces.longitude)
        ]
        self._places = on_plane(np.stack(places, axis=1))

    def inside(self, outlines: Sequence[Floats], *, within_m: float = 0.0) -> Floats:
        """The share of each piece, 0 to 1, that lies inside an outline or at most so far from one.

        Outlines are float64[k, 2] of longitude and latitude, closed; those that cross themselves are left out.
        """
        hit = np.zeros(len(self._piece))
        if outlines:
            areas, latitude = _areas(outlines)
            reach = within_m * stretch(latitude)
            for begin in range(0, len(hit), _AT_ONCE):
                places = shapely.points(self._places[begin : begin + _AT_ONCE])
                # With many coordinates it answers with an array, which its types leave open; so do those below.
                tree = shapely.STRtree(cast("NDArray[np.object_]", places))
                near = tree.query(areas, predicate="dwithin", distance=reach)
                hit[begin + near[1]] = 1.0
        share: Floats = np.bincount(self._piece, hit, minlength=len(self._count)) / self._count
        return share


def _areas(outlines: Sequence[Floats]) -> tuple[NDArray[np.object_], Floats]:
    """The areas on the plane, and a latitude of each, degrees."""
    points = np.concatenate(outlines)[:, ::-1]
    rings = cast(
        "NDArray[np.object_]",
        shapely.linearrings(on_plane(points), indices=np.repeat(np.arange(len(outlines)), [len(o) for o in outlines])),
    )
    areas = cast("NDArray[np.object_]", shapely.polygons(rings))
    sound = shapely.is_valid(areas)
    return areas[sound], np.array([outline[0, 1] for outline in outlines])[sound]
