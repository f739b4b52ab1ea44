"""Which edges run near a point: a grid over the map, each cell with the steps of streets that touch it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from air.geodesy import EARTH_RADIUS_M
from router.graph.graph import Graph
from router.search.compiled import compiled
from router.search.kernel import Floats, Ints
from router.search.shapes import Drawn, length_of, mark_on, one_arc_an_edge, point_count, point_of, step_m

CLOSED_EDGE: Final = 0
ISLAND: Final = 1
MAIN: Final = 2
"""What an edge is to who looks for one: not open; open; open, and to be taken even where one merely open is nearer."""

Kinds = np.ndarray[tuple[int], np.dtype[np.uint8]]

_CELL_M: Final = 100.0
_STEPS_A_CELL: Final = 0.25
_METERS_A_DEGREE: Final = math.radians(1.0) * EARTH_RADIUS_M
_LEAST_COSINE: Final = 1e-3
_NOTHING: Final = -1


class Cells(NamedTuple):
    """A grid in degrees; a cell is at least as wide as high.

    Attributes:
        south: Latitude of the lowest row's lower edge, degrees.
        west: Longitude of the first column's left edge.
        height: Of a cell, degrees.
        width: Likewise.
        rows: How many rows there are.
        columns: How many columns.
        first: int32[rows · columns + 1], where the entries of each cell begin.
        arc: int32, an arc that runs through the cell.
        step: int32, with which of its steps.
    """

    south: float
    west: float
    height: float
    width: float
    rows: int
    columns: int
    first: Ints
    arc: Ints
    step: Ints


class EdgeGrid:
    """The edges of a graph, each by one of its arcs; any number of threads may ask at once."""

    def __init__(self, graph: Graph) -> None:
        self._drawn = Drawn.of(graph)
        self._edges: Ints = np.flatnonzero(one_arc_an_edge(graph)).astype(np.int32)
        self._cells = _cells_of(graph, self._drawn, self._edges)

    def nearest(
        self, latitude: float, longitude: float, within_m: float, kinds: Kinds
    ) -> tuple[int, float, float, float, float] | None:
        """The nearest place on an edge that is open; None when there is none so near.

        Args:
            latitude: Of the point, degrees.
            longitude: Likewise.
            within_m: How far it may be.
            kinds: uint8[m], what each edge is, at the lower of its arcs: CLOSED_EDGE, ISLAND or MAIN.

        Returns:
            The arc, the lowest where several are as near, how far along that is, 0 to 1, latitude, longitude, and how
            far from the point, metres.
        """
        found = _nearest_place(self._drawn, self._cells, kinds, latitude, longitude, within_m)
        return None if found[0] == _NOTHING else found

    def nearest_anywhere(
        self, latitude: float, longitude: float, kinds: Kinds
    ) -> tuple[int, float, float, float, float] | None:
        """The same of MAIN edges, however far; it looks at all of them. None when there is none."""
        found = _nearest_of_all(self._drawn, self._edges, kinds, latitude, longitude)
        return None if found[0] == _NOTHING else found


def _cells_of(graph: Graph, drawn: Drawn, edges: Ints) -> Cells:
    south, north = _extent(graph.latitude, graph.shape_latitude)
    west, east = _extent(graph.longitude, graph.shape_longitude)
    # As wide as high where the map is narrowest, and so wider than high everywhere else.
    narrowest = max(math.cos(math.radians(max(abs(south), abs(north)))), _LEAST_COSINE)
    steps = len(edges) + len(graph.shape_latitude)
    area = (north - south) * (east - west) * narrowest * _METERS_A_DEGREE**2
    # Fewer cells than steps, however far apart the towns of one graph lie.
    height = max(_CELL_M, math.sqrt(_STEPS_A_CELL * area / max(steps, 1))) / _METERS_A_DEGREE
    width = height / narrowest
    rows, columns = int((north - south) / height) + 1, int((east - west) / width) + 1
    empty = np.zeros(0, dtype=np.int32)
    counts = np.zeros(rows * columns + 1, dtype=np.int32)
    bare = Cells(south, west, height, width, rows, columns, counts, empty, empty)
    _enter(drawn, edges, bare, counts[1:], fill=False)
    first = np.cumsum(counts, dtype=np.int32)
    arc, step = np.empty(int(first[-1]), dtype=np.int32), np.empty(int(first[-1]), dtype=np.int32)
    cells = bare._replace(first=first, arc=arc, step=step)
    _enter(drawn, edges, cells, first[:-1].copy(), fill=True)
    return cells


def _extent(nodes: Floats, points: Floats) -> tuple[float, float]:
    both = [values for values in (nodes, points) if len(values)]
    return (min(float(v.min()) for v in both), max(float(v.max()) for v in both)) if both else (0.0, 0.0)


@compiled
def _enter(drawn: Drawn, edges: Ints, cells: Cells, at: Ints, fill: bool) -> None:  # noqa: FBT001 - compiled
    """Counts the entries of each cell in `at`, or writes them from where `at` says on.

    A step is cut into pieces no longer than a cell is high, each in all cells that the box around it touches.
    """
    for arc in edges:
        before = point_of(drawn, arc, 0)
        for number in range(1, point_count(drawn, arc)):
            here = point_of(drawn, arc, number)
            rise, run = here[0] - before[0], here[1] - before[1]
            pieces = int(max(abs(rise) / cells.height, abs(run) / cells.width)) + 1
            last_low = last_left = last_high = last_right = _NOTHING
            for piece in range(pieces):
                start, end = piece / pieces, (piece + 1) / pieces
                a, b = _row(cells, before[0] + start * rise), _row(cells, before[0] + end * rise)
                c, d = _column(cells, before[1] + start * run), _column(cells, before[1] + end * run)
                low, high, left, right = min(a, b), max(a, b), min(c, d), max(c, d)
                for row in range(low, high + 1):
                    for column in range(left, right + 1):
                        if last_low <= row <= last_high and last_left <= column <= last_right:
                            continue
                        cell = row * cells.columns + column
                        if fill:
                            cells.arc[at[cell]] = arc
                            cells.step[at[cell]] = number
                        at[cell] += 1
                last_low, last_high, last_left, last_right = low, high, left, right
            before = here


@compiled
def _row(cells: Cells, latitude: float) -> int:
    return min(max(math.floor((latitude - cells.south) / cells.height), 0), cells.rows - 1)


@compiled
def _column(cells: Cells, longitude: float) -> int:
    return min(max(math.floor((longitude - cells.west) / cells.width), 0), cells.columns - 1)


@compiled
def _foot(
    drawn: Drawn, arc: int, number: int, latitude: float, longitude: float, narrowing: float
) -> tuple[float, float]:
    """How far a point is from a step of an arc, metres, and at what share of the step that is nearest.

    On a flat map about the point: within half a kilometre that errs by a hundred-thousandth.
    """
    a, b = point_of(drawn, arc, number - 1), point_of(drawn, arc, number)
    ax, ay = _METERS_A_DEGREE * narrowing * _turn(a[1] - longitude), _METERS_A_DEGREE * (a[0] - latitude)
    bx, by = _METERS_A_DEGREE * narrowing * _turn(b[1] - longitude), _METERS_A_DEGREE * (b[0] - latitude)
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = min(max(-(ax * dx + ay * dy) / square, 0.0), 1.0) if square > 0.0 else 0.0
    return math.hypot(ax + share * dx, ay + share * dy), share


@compiled
def _turn(longitude: float) -> float:
    """A difference in longitude, the shorter way round."""
    if longitude > 180.0:  # noqa: PLR2004 - half a turn
        return longitude - 360.0
    return longitude + 360.0 if longitude < -180.0 else longitude  # noqa: PLR2004 - likewise


@compiled
def _place_on(
    drawn: Drawn, arc: int, number: int, share: float, latitude: float, longitude: float
) -> tuple[int, float, float, float, float]:
    """The place at a share of a step: the arc, how far along, latitude, longitude, and how far from a point."""
    along = 0.0
    before = point_of(drawn, arc, 0)
    for step in range(1, number + 1):
        here = point_of(drawn, arc, step)
        along += step_m(before[0], before[1], here[0], here[1]) * (share if step == number else 1.0)
        before = here
    length = length_of(drawn, arc)
    fraction = min(along / length, 1.0) if length > 0.0 else 0.0
    there = mark_on(drawn, arc, fraction * length)
    return arc, fraction, there[0], there[1], step_m(latitude, longitude, there[0], there[1])


@compiled
def _nearest_place(
    drawn: Drawn, cells: Cells, kinds: Kinds, latitude: float, longitude: float, within_m: float
) -> tuple[int, float, float, float, float]:
    narrowing = math.cos(math.radians(latitude))
    row_at, column_at = (latitude - cells.south) / cells.height, (longitude - cells.west) / cells.width
    row, column = math.floor(row_at), math.floor(column_at)
    best_arc, best_step = np.full(MAIN + 1, _NOTHING), np.zeros(MAIN + 1, np.int64)
    best_m, best_share = np.full(MAIN + 1, within_m), np.zeros(MAIN + 1)
    height_m, width_m = cells.height * _METERS_A_DEGREE, cells.width * _METERS_A_DEGREE * narrowing
    # From the point to the nearest edge of its own cell.
    inner_m = min(
        height_m * min(row_at - row, row + 1 - row_at), width_m * min(column_at - column, column + 1 - column_at)
    )
    step_out_m = max(min(height_m, width_m), 1.0)
    for ring in range(int(within_m / step_out_m) + 2):
        if ring > 0 and best_m[MAIN] <= inner_m + (ring - 1) * step_out_m:
            break
        for here in range(max(row - ring, 0), min(row + ring, cells.rows - 1) + 1):
            for there in range(max(column - ring, 0), min(column + ring, cells.columns - 1) + 1):
                if abs(here - row) < ring and abs(there - column) < ring:
                    continue
                cell = here * cells.columns + there
                for at in range(cells.first[cell], cells.first[cell + 1]):
                    arc = cells.arc[at]
                    kind = kinds[arc]
                    if kind == CLOSED_EDGE:
                        continue
                    off, share = _foot(drawn, arc, cells.step[at], latitude, longitude, narrowing)
                    if off < best_m[kind] or (off == best_m[kind] and arc < best_arc[kind]):
                        best_m[kind], best_share[kind] = off, share
                        best_arc[kind], best_step[kind] = arc, cells.step[at]
    kind = MAIN if best_arc[MAIN] != _NOTHING else ISLAND
    if best_arc[kind] == _NOTHING:
        return _NOTHING, 0.0, 0.0, 0.0, 0.0
    return _place_on(drawn, best_arc[kind], best_step[kind], best_share[kind], latitude, longitude)


@compiled
def _nearest_of_all(
    drawn: Drawn, edges: Ints, kinds: Kinds, latitude: float, longitude: float
) -> tuple[int, float, float, float, float]:
    narrowing = math.cos(math.radians(latitude))
    best_arc, best_step, best_m, best_share = _NOTHING, 0, math.inf, 0.0
    for arc in edges:
        if kinds[arc] == MAIN:
            for number in range(1, point_count(drawn, arc)):
                off, share = _foot(drawn, arc, number, latitude, longitude, narrowing)
                if off < best_m:
                    best_arc, best_step, best_m, best_share = int(arc), number, off, share
    if best_arc == _NOTHING:
        return _NOTHING, 0.0, 0.0, 0.0, 0.0
    return _place_on(drawn, best_arc, best_step, best_share, latitude, longitude)
