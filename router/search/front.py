"""Fronts of two costs between places on one graph: what there is to choose from."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Final

import numpy as np

from mesh.errors import OutOfRange
from router.read_only import read_only
from router.search.backwards import ANYWHERE, Terrain, settle_back
from router.search.engine import Path, Place, from_centre, share, way_on_one_arc, ways_along
from router.search.kernel import UNREACHABLE, Ints, Longs
from router.search.metric import Metric
from router.search.pareto import (
    LARGEST_FIRST,
    LARGEST_SECOND,
    TOO_MANY,
    Question,
    Room,
    search_front,
    unpack_front,
)

TOLERANCE: Final = 0.02
"""Where the room for labels is not enough, ways that save less than this share of the second cost are left out."""


class FrontTooLarge(OutOfRange):
    """There are more ways between the ends than can be weighed against each other."""

    reason = "FRONT_TOO_LARGE"


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """Ways of which none is better than another in both costs, by rising first and so by falling second cost.

    Attributes:
        first: int64[k], the first cost of each way.
        second: int64[k], the second.
        paths: The ways; the cost of each is its first.
        tolerance: 0 where every pair of costs on the front is there. Else for each that is not there is one here with
            no more of the first cost, and at most this share more of the second.
    """

    first: Longs
    second: Longs
    paths: tuple[Path, ...]
    tolerance: float


class _Labels(threading.local):
    """What a front is written to, beside the workspace."""

    def __init__(self, most: int) -> None:
        self.labels: Ints = np.zeros((most, 2), dtype=np.int32)
        self.found: Longs = np.zeros((most, 3), dtype=np.int64)


class FrontSearch:
    """Finds fronts on one graph; any number of threads may ask at once."""

    def __init__(self, terrain: Terrain) -> None:
        """Of a graph."""
        self._terrain = terrain
        self._labels = _Labels(terrain.most_labels)

    def find(
        self, first: Metric, second: Metric, origin: Place, destination: Place, *, stretch: float = np.inf
    ) -> Front | None:
        """The front between two places; None when there is no way.

        Args:
            first: The one cost.
            second: The other, closed on the same arcs.
            origin: Where ways start.
            destination: Where they end.
            stretch: Only ways whose first cost is at most the least one times this are of interest.

        Raises:
            FrontTooLarge: There are more ways than can be weighed, even with the tolerance.
        """
        graph, streets, space = self._terrain.graph, self._terrain.streets, self._terrain.workspace
        starts, ends = (ways_along(graph, first.weight, place) for place in (origin, destination))
        _, direct = way_on_one_arc(first.weight, starts, ends)
        question = Question(
            first=read_only(first.weight),
            second=read_only(second.weight),
            seeds=_rows([(graph.head[arc], arc, 1.0 - at) for arc, at in starts], first, second),
            entries=_rows([(graph.tail[arc], arc, at) for arc, at in ends], first, second),
            direct=_direct(direct, first, second),
        )
        room = Room(space.rows, space.keys, space.items, self._labels.labels, self._labels.found)
        stamp = space.next_stamp()
        rates = first.least_per_meter, second.least_per_meter
        most_first, most_second = self._bounds(question, rates, origin, stretch, stamp)
        if most_first == UNREACHABLE:
            return None
        if most_first <= LARGEST_FIRST and most_second <= LARGEST_SECOND:
            for trial, tolerance in enumerate((0.0, TOLERANCE)):
                count = search_front(streets, question, most_first, most_second, tolerance, stamp, stamp + trial, room)
                if count != TOO_MANY:
                    found = room.found[:count]
                    begins, arcs = unpack_front(room.labels, found, question.entries)
                    paths = tuple(
                        _path(cost, arcs[begin:end], starts, ends, direct)
                        for cost, begin, end in zip(
                            found[:, 0].tolist(), begins[:-1].tolist(), begins[1:].tolist(), strict=True
                        )
                    )
                    return Front(found[:, 0].copy(), found[:, 1].copy(), paths, tolerance)
        raise FrontTooLarge(
            "There are too many ways between origin and destination to weigh them all; ask without ALTERNATIVE, or for"
            " a shorter trip.",
            field="route_types",
        )

    def _bounds(
        self, question: Question, rates: tuple[float, float], origin: Place, stretch: float, stamp: int
    ) -> tuple[int, int]:
        """The most of either cost that a way of the front has; UNREACHABLE when there is no way.

        Settles the nodes through which a way within both leads, with the stamp, and no other.
        """
        space = self._terrain.workspace
        source = from_centre(np.array([origin.point.latitude]), np.array([origin.point.longitude]))[0]

        # Passed on to compiled code, which knows no keywords.
        def back(swapped: bool, within: int, most: int, stretch: float, stamp: int) -> tuple[int, int, int]:  # noqa: FBT001
            weight, other = (question.second, question.first) if swapped else (question.first, question.second)
            return settle_back(
                self._terrain.streets,
                weight,
                other,
                swapped,
                within,
                rates[swapped],
                source,
                question.seeds,
                question.entries,
                question.direct[int(swapped)],
                question.direct[int(not swapped)],
                most,
                stretch,
                stamp,
                space.rows,
                space.keys,
                space.items,
            )

        # What the way that is best in the second costs of the first bounds the first, and the other way round.
        least_second, most_first, _ = back(True, ANYWHERE, int(UNREACHABLE), 1.0, stamp - 2)
        if least_second == UNREACHABLE:
            return least_second, least_second
        _, most_second, most_first = back(False, ANYWHERE, most_first, stretch, stamp)
        back(True, stamp, most_second, math.inf, stamp)
        return most_first, most_second


def _rows(ways: list[tuple[int, int, float]], first: Metric, second: Metric) -> Longs:
    """Rows of (node, first cost, second cost, arc) of ways that take a share of an arc to or from a node."""
    rows = [(node, share(first.weight, arc, of_it), share(second.weight, arc, of_it), arc) for node, arc, of_it in ways]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _direct(path: Path | None, first: Metric, second: Metric) -> Longs:
    if path is None:
        return np.full(2, UNREACHABLE, dtype=np.int64)
    arc, along = int(path.arcs[0]), path.end_fraction - path.start_fraction
    return np.array([share(first.weight, arc, along), share(second.weight, arc, along)], dtype=np.int64)


def _path(
    cost: int, arcs: Ints, starts: list[tuple[int, float]], ends: list[tuple[int, float]], direct: Path | None
) -> Path:
    # What starts by a seed and ends by an entry has two arcs or more, as the arc of each is among them.
    if len(arcs) == 1 and direct is not None:
        return direct
    start = next(at for arc, at in starts if arc == arcs[0])
    end = next(at for arc, at in ends if arc == arcs[-1])
    return Path(cost, arcs, start, end)
