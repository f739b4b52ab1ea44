"""Streets as they grow: blocks of land, cut in two by a street again and again.

A block is the land between streets. A cut lays one new street across a block from side to side, which makes two blocks;
so every street ends on another one, and nothing crosses without a junction. Metres in a plane, x east and y north.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

_FEWEST_CORNERS: Final = 3
_TINY_M: Final = 1e-6
_NEW: Final = -1
_BEND_EVERY_M: Final = 130.0
_MOST_BENDS: Final = 9


@dataclass(frozen=True, slots=True)
class Street:
    """A street from end to end.

    Attributes:
        highway: OpenStreetMap's value of `highway`.
        name: Its name, or empty.
        segments: The straight segments it is made of, in order.
        tags: Whatever else OpenStreetMap says of it.
    """

    highway: str
    name: str
    segments: tuple[int, ...]
    tags: tuple[tuple[str, str], ...] = ()


class Side(NamedTuple):
    """A side of a block, from corner to corner, along one segment."""

    start: int
    end: int
    segment: int


Block = tuple[Side, ...]
"""The sides of a piece of land, counter-clockwise."""


@dataclass(slots=True)
class _Segment:
    start: int
    end: int
    between: list[tuple[float, int]] = field(default_factory=list)
    """Nodes where other streets meet it: how far along, 0 to 1, and which."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a block.

    Attributes:
        area: m².
        x: The centroid.
        y: The centroid.
        angle: The direction in which it is longest, radians.
        length: How far it reaches in that direction, metres.
        width: How far it reaches across, metres.
    """

    area: float
    x: float
    y: float
    angle: float
    length: float
    width: float


@dataclass(frozen=True, slots=True)
class Cut:
    """How to cut a block.

    Attributes:
        x: A point on the line of the cut.
        y: The same point.
        angle: The direction of the line, radians.
        snap: Within so many metres of a junction the street ends at that junction.
        bend: How far the street swings from the line, as a share of its length.
        fewest_m2: No smaller block may come of it.
    """

    x: float
    y: float
    angle: float
    snap: float
    bend: float
    fewest_m2: float


class _Hit(NamedTuple):
    """Where the line of a cut meets the border: how far along the line, on which side, and the place."""

    position: float
    side: int
    x: float
    y: float


class _Corner(NamedTuple):
    """Where a street will end: on a node that is there, or on a new one so far along the segment, 0 to 1."""

    node: int
    along: float
    x: float
    y: float


class StreetNet:
    """Nodes, segments and streets of a city that is being drawn; blocks refer to them."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.streets: list[Street] = []
        self._segments: list[_Segment] = []

    def add_node(self, x: float, y: float) -> int:
        """A new node."""
        self.x.append(x)
        self.y.append(y)
        return len(self.x) - 1

    def add_street(
        self, nodes: Sequence[int], highway: str, name: str = "", tags: tuple[tuple[str, str], ...] = ()
    ) -> tuple[int, ...]:
        """A new street through the nodes; returns its segments."""
        first = len(self._segments)
        self._segments.extend(_Segment(start, end) for start, end in pairwise(nodes))
        segments = tuple(range(first, len(self._segments)))
        self.streets.append(Street(highway, name, segments, tags))
        return segments

    def nodes_of(self, street: Street) -> list[int]:
        """All nodes of a street in order, those where others meet it included."""
        nodes = [self._segments[street.segments[0]].start]
        for segment in street.segments:
            nodes.extend(node for _, node in self._segments[segment].between)
            nodes.append(self._segments[segment].end)
        return nodes

    def distance(self, a: int, b: int) -> float:
        """Metres between two nodes."""
        return math.hypot(self.x[a] - self.x[b], self.y[a] - self.y[b])

    def junction(self, side: Side, share: float, snap: float) -> int:
        """A node on a side of a block, at a share of the way from its start to its end.

        One that is there within `snap` metres, or a new one.
        """
        x = self.x[side.start] + share * (self.x[side.end] - self.x[side.start])
        y = self.y[side.start] + share * (self.y[side.end] - self.y[side.start])
        return self._settle(side.segment, self._corner(side, x, y, snap))

    def form(self, block: Block) -> Form:
        """The form of a block, from its second moments of area."""
        all_x, all_y = self.x, self.y
        x0, y0 = all_x[block[0].start], all_y[block[0].start]
        area = sx = sy = sxx = syy = sxy = 0.0
        ax = ay = 0.0
        for _, end, _ in block:
            bx, by = all_x[end] - x0, all_y[end] - y0
            cross = ax * by - bx * ay
            area += cross / 2
            sx += (ax + bx) * cross / 6
            sy += (ay + by) * cross / 6
            sxx += (ax * ax + ax * bx + bx * bx) * cross / 12
            syy += (ay * ay + ay * by + by * by) * cross / 12
            sxy += (ax * by + 2 * ax * ay + 2 * bx * by + bx * ay) * cross / 24
            ax, ay = bx, by
        if area < _TINY_M:
            return Form(area, x0, y0, 0.0, 0.0, 0.0)
        cx, cy = sx / area, sy / area
        vxx, vyy, vxy = sxx / area - cx * cx, syy / area - cy * cy, sxy / area - cx * cy
        spread = math.hypot((vxx - vyy) / 2, vxy)
        mean = (vxx + vyy) / 2
        # A rectangle of length l has the second moment l² / 12 along it.
        return Form(
            area=area,
            x=x0 + cx,
            y=y0 + cy,
            angle=0.5 * math.atan2(2 * vxy, vxx - vyy),
            length=math.sqrt(12 * max(mean + spread, 0.0)),
            width=math.sqrt(12 * max(mean - spread, 0.0)),
        )

    def contains(self, block: Block, x: float, y: float) -> bool:
        """Whether a place lies inside a block."""
        inside = False
        for start, end, _ in block:
            ay, by = self.y[start], self.y[end]
            if (ay > y) != (by > y):
                crossing = self.x[start] + (y - ay) / (by - ay) * (self.x[end] - self.x[start])
                inside ^= x < crossing
        return inside

    def cut(
        self, block: Block, cut: Cut, highway: str, name: str = "", tags: tuple[tuple[str, str], ...] = ()
    ) -> tuple[Block, Block] | None:
        """Lays a street across a block; None, and nothing is changed, where the cut makes no two sound blocks."""
        hits = self._hits(block, cut)
        if hits is None:
            return None
        one, other = (self._corner(block[hit.side], hit.x, hit.y, cut.snap) for hit in hits)
        line = [(one.x, one.y), *self._bends(one, other, cut.bend), (other.x, other.y)]
        first, last = hits[0].side, hits[1].side
        if first == last or not (
            self._is_sound(block, first, last, line, cut.fewest_m2)
            and self._is_sound(block, last, first, line[::-1], cut.fewest_m2)
        ):
            return None
        nodes = [
            self._settle(block[first].segment, one),
            *(self.add_node(x, y) for x, y in line[1:-1]),
            self._settle(block[last].segment, other),
        ]
        segments = self.add_street(nodes, highway, name, tags)
        return _halves(block, first, last, nodes, segments)

    def _hits(self, block: Block, cut: Cut) -> tuple[_Hit, _Hit] | None:
        """The two places where the line, starting inside the block near the cut's point, leaves it on either side."""
        along_x, along_y = math.cos(cut.angle), math.sin(cut.angle)
        hits: list[_Hit] = []
        for index, (start, end, _) in enumerate(block):
            ax, ay = self.x[start] - cut.x, self.y[start] - cut.y
            bx, by = self.x[end] - cut.x, self.y[end] - cut.y
            side_a, side_b = along_x * ay - along_y * ax, along_x * by - along_y * bx
            if (side_a >= 0) == (side_b >= 0):
                continue
            share = side_a / (side_a - side_b)
            position_a, position_b = along_x * ax + along_y * ay, along_x * bx + along_y * by
            position = position_a + share * (position_b - position_a)
            hits.append(_Hit(position, index, cut.x + position * along_x, cut.y + position * along_y))
        hits.sort()
        for one, other in zip(hits[0::2], hits[1::2], strict=False):
            if one.position <= 0.0 <= other.position:
                return one, other
        return None

    def _corner(self, side: Side, x: float, y: float, snap: float) -> _Corner:
        """Where a street that is drawn to a place on a side will end."""
        piece = self._segments[side.segment]
        from_x, from_y = self.x[piece.start], self.y[piece.start]
        to_x, to_y = self.x[piece.end], self.y[piece.end]
        length = math.hypot(to_x - from_x, to_y - from_y)
        along = ((x - from_x) * (to_x - from_x) + (y - from_y) * (to_y - from_y)) / (length * length)
        ends = [(self._along(piece, node), node) for node in (side.start, side.end)]
        low, high = sorted(place[0] for place in ends)
        near = [*ends, *(place for place in piece.between if low < place[0] < high)]
        nearest, node = min(near, key=lambda place: abs(place[0] - along))
        if abs(nearest - along) * length <= snap:
            return _Corner(node, nearest, self.x[node], self.y[node])
        return _Corner(_NEW, along, x, y)

    def _along(self, piece: _Segment, node: int) -> float:
        if node == piece.start:
            return 0.0
        if node == piece.end:
            return 1.0
        return next(along for along, between in piece.between if between == node)

    def _bends(self, one: _Corner, other: _Corner, bend: float) -> list[tuple[float, float]]:
        """The points at which a street bends: half a wave from end to end."""
        dx, dy = other.x - one.x, other.y - one.y
        count = min(int(math.hypot(dx, dy) / _BEND_EVERY_M), _MOST_BENDS)
        shares = [(index + 1) / (count + 1) for index in range(count)]
        swings = [bend * math.sin(math.pi * share) for share in shares]
        return [
            (one.x + share * dx - swing * dy, one.y + share * dy + swing * dx)
            for share, swing in zip(shares, swings, strict=True)
        ]

    def _is_sound(
        self, block: Block, first: int, last: int, line: Sequence[tuple[float, float]], fewest_m2: float
    ) -> bool:
        """Whether the half between a line and the border, from the line's start to its end, is large enough."""
        border = [side.end for side in _sides_from(block, first, last)]
        return _area([*((self.x[node], self.y[node]) for node in border), *reversed(line)]) >= fewest_m2

    def _settle(self, segment: int, corner: _Corner) -> int:
        if corner.node != _NEW:
            return corner.node
        node = self.add_node(corner.x, corner.y)
        insort(self._segments[segment].between, (corner.along, node))
        return node


def _halves(block: Block, first: int, last: int, nodes: list[int], segments: tuple[int, ...]) -> tuple[Block, Block]:
    """The blocks on both sides of a street that runs from side `first` to side `last`."""
    forth = [Side(*piece) for piece in zip(nodes[:-1], nodes[1:], segments, strict=True)]
    back = [Side(end, start, segment) for start, end, segment in reversed(forth)]
    return (
        _closed(block, (first, nodes[0]), (last, nodes[-1]), back),
        _closed(block, (last, nodes[-1]), (first, nodes[0]), forth),
    )


def _closed(block: Block, start: tuple[int, int], end: tuple[int, int], closing: list[Side]) -> Block:
    """The border from a node on one side to a node on another, and what closes it."""
    (first, from_node), (last, to_node) = start, end
    border = (
        Side(from_node, block[first].end, block[first].segment),
        *_sides_from(block, first, last)[1:],
        Side(block[last].start, to_node, block[last].segment),
    )
    return tuple(side for side in (*border, *closing) if side.start != side.end)


def _sides_from(block: Block, first: int, last: int) -> Block:
    """The sides from `first` on, up to the one before `last`."""
    return block[first:last] if first < last else block[first:] + block[:last]


def _area(ring: Sequence[tuple[float, float]]) -> float:
    if len(ring) < _FEWEST_CORNERS:
        return 0.0
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2
