"""Where no streets run: parks, hills, and the paths along the river."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from simulation.city_net import Block, Form, StreetNet
from simulation.city_plan import Bank

_OUTLINE_SHARE: Final = 0.96
_ENTRANCE_SNAP_M: Final = 30.0
_PROMENADES: Final = ((34.0, "cycleway", "모의강변자전거길"), (58.0, "footway", "모의강변산책로"))
_SHORE_M: Final = 75.0
_PROMENADE_TAGS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "cycleway": (("foot", "designated"), ("segregated", "yes")),
    "footway": (),
}


@dataclass(frozen=True, slots=True)
class Area:
    """A piece of land or water that the extract shows.

    Attributes:
        tags: What OpenStreetMap says of it.
        outline: Its corners in metres; the last joins the first.
    """

    tags: tuple[tuple[str, str], ...]
    outline: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Garden:
    """How a green is laid out.

    Attributes:
        rings: Paths round the middle, each at a share of the way from the middle to the border; outermost first.
        spacing: Metres between the corners of a path.
        wander: How far paths stray, as a share of the way to the middle.
        path: The `highway` of its paths.
        steep: The share of the ways to the middle that are steps.
        tags: What OpenStreetMap says of the green.
    """

    rings: tuple[float, ...]
    spacing: float
    wander: float
    path: str
    steep: float
    tags: tuple[tuple[str, str], ...]


def park(name: str) -> Garden:
    """A park of the town."""
    return Garden((0.72, 0.36), 62.0, 0.05, "footway", 0.0, (("leisure", "park"), ("name", name)))


def hill(name: str) -> Garden:
    """A wooded hill with trails."""
    tags = (("leisure", "nature_reserve"), ("natural", "wood"), ("name", name))
    return Garden((0.86, 0.6, 0.3), 85.0, 0.07, "path", 0.3, tags)


def lay_green(net: StreetNet, rng: np.random.Generator, block: Block, garden: Garden) -> Area:
    """Rings of paths, ways between them and to the middle, and entrances from the streets around."""
    form = net.form(block)
    rings = [_ring(net, rng, block, form, garden, share) for share in garden.rings]
    _open_entrances(net, rng, block, rings[0], garden)
    for outer, inner in pairwise(rings):
        for node in outer[::3]:
            _link(net, rng, node, inner, garden)
    middle = net.add_node(form.x, form.y)
    for node in rings[-1][:: max(1, len(rings[-1]) // 4)]:
        _link(net, rng, node, [middle], garden)
    corners = (side.start for side in block)
    outline = tuple(_towards(form, net.x[corner], net.y[corner], _OUTLINE_SHARE) for corner in corners)
    return Area(garden.tags, outline)


def lay_promenades(net: StreetNet, bank: Bank, side: int) -> None:
    """A cycleway and a footway below the bank, with a stair or a ramp at every fifth corner; `side` is +1 in the north.

    They pass under the bridges, and meet them nowhere.
    """
    rows = []
    for offset, highway, name in _PROMENADES:
        places = _beside(net, bank, -side * offset)
        rows.append([net.add_node(x, y) for x, y in places])
        net.add_street(rows[-1], highway, name, _PROMENADE_TAGS[highway])
    cycleway, footway = rows
    for index, corner in enumerate(bank.corners):
        # Between two corners a promenade has a node more.
        below, beside = cycleway[2 * index], footway[2 * index]
        if index % 5 == 1:
            net.add_street([corner, below], "steps" if index % 2 else "cycleway")
            net.add_street([below, beside], "footway")


def water(net: StreetNet, north: Bank, south: Bank) -> Area:
    """The river, between its promenades."""
    outline = [*_beside(net, south, _SHORE_M), *reversed(_beside(net, north, -_SHORE_M))]
    return Area((("natural", "water"), ("name", "모의강")), tuple(outline))


def _towards(form: Form, x: float, y: float, share: float) -> tuple[float, float]:
    """The place that lies this share of the way from the middle of a block to a place on its border."""
    return form.x + share * (x - form.x), form.y + share * (y - form.y)


def _ring(
    net: StreetNet, rng: np.random.Generator, block: Block, form: Form, garden: Garden, share: float
) -> list[int]:
    border = _walk_round(net, block, garden.spacing / share)
    ring = [
        net.add_node(*_towards(form, x, y, share + float(rng.uniform(-garden.wander, garden.wander))))
        for x, y in border
    ]
    net.add_street([*ring, ring[0]], garden.path)
    return ring


def _walk_round(net: StreetNet, block: Block, spacing: float) -> list[tuple[float, float]]:
    """Places along the border, about `spacing` metres apart; five or more."""
    x = np.array([net.x[side.start] for side in block] + [net.x[block[0].start]])
    y = np.array([net.y[side.start] for side in block] + [net.y[block[0].start]])
    walked = np.concatenate((np.zeros(1), np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    count = max(5, round(float(walked[-1]) / spacing))
    at = np.arange(count) * (walked[-1] / count)
    return list(zip(np.interp(at, walked, x).tolist(), np.interp(at, walked, y).tolist(), strict=True))


def _open_entrances(
    net: StreetNet, rng: np.random.Generator, block: Block, ring: Sequence[int], garden: Garden
) -> None:
    """An entrance about every fourth corner's width along the border, at a junction where there is one near."""
    apart = 4 * garden.spacing
    walked = apart / 2
    for side in block:
        length = net.distance(side.start, side.end)
        while walked < length:
            _link(net, rng, net.junction(side, walked / length, _ENTRANCE_SNAP_M), ring, garden)
            walked += apart
        walked -= length


def _link(net: StreetNet, rng: np.random.Generator, node: int, to: Sequence[int], garden: Garden) -> None:
    """A path to the nearest of some nodes, with a bend."""
    other = min(to, key=lambda place: net.distance(node, place))
    if other == node:
        return
    dx, dy = net.x[other] - net.x[node], net.y[other] - net.y[node]
    swing = float(rng.uniform(-0.12, 0.12))
    bend = net.add_node(net.x[node] + dx / 2 - swing * dy, net.y[node] + dy / 2 + swing * dx)
    net.add_street([node, bend, other], "steps" if rng.random() < garden.steep else garden.path)


def _beside(net: StreetNet, bank: Bank, offset: float) -> list[tuple[float, float]]:
    """Places `offset` metres north of each corner of a bank, and halfway between two corners."""
    x = np.array([net.x[corner] for corner in bank.corners])
    y = np.array([net.y[corner] for corner in bank.corners])
    at = np.arange(2 * len(x) - 1) / 2
    row = np.arange(len(x))
    slope = np.gradient(y, x)[np.minimum((at + 0.5).astype(np.int64), len(x) - 1)]
    across = np.hypot(1.0, slope)
    return list(
        zip(
            (np.interp(at, row, x) - offset * slope / across).tolist(),
            (np.interp(at, row, y) + offset / across).tolist(),
            strict=True,
        )
    )
