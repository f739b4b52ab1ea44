"""Fills the land between arterials: collectors, local streets, alleys, estates, parks, down to the single block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulation.city_green import Area, hill, lay_green, park
from simulation.city_net import Block, Cut, Form, StreetNet
from simulation.city_plan import DistrictPlan, Superblock

_TRIES: Final = 3
_QUARTER_M2: Final = 0.42e6
_NEIGHBOURHOOD_M2: Final = 0.105e6
_SMALLEST_PARK_M2: Final = 12_000.0
_DEAD_END_M2: Final = 2_600.0
_ESTATE_YARD_M2: Final = 14_000.0
_ESTATE_LAWN_M2: Final = 5_500.0
_ALLEYS: Final = ((0.5, "residential"), (0.62, "living_street"), (0.8, "service"), (1.0, "footway"))
"""The kinds of alley, each with the share of alleys that are of its kind or one before it."""

_PARK_SHARE: Final = 0.05
_ESTATE_SHARE: Final = 0.09
_SQUARE_SHARE: Final = 0.012
_GREENWAY_SHARE: Final = 0.08
_DEAD_END_SHARE: Final = 0.2
_LEFT_LARGE_SHARE: Final = 0.22
_LEFT_LARGE: Final = 1.7
_BIKES_BOTH_WAYS_SHARE: Final = 0.5

Tags = tuple[tuple[str, str], ...]

Land = tuple[Block, Form]
"""A block, and its form, which costs more to find than a cut does."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How streets of one level are laid."""

    highway: str
    name: str
    tags: Tags
    snap: float
    bend: float
    fewest_m2: float


class Filling:
    """Fills one district after another; keeps count of the names it has given."""

    def __init__(self, net: StreetNet, seed: int) -> None:
        self.areas: list[Area] = []
        self._net = net
        self._seed = seed
        self._named: dict[str, int] = {}

    def fill(self, index: int, superblock: Superblock, district: DistrictPlan) -> None:
        """Fills a superblock. Each draws from a stream of its own, so that a change in one leaves the others alone."""
        rng = np.random.default_rng([self._seed, 2, index])
        if superblock.is_hill:
            self.areas.append(lay_green(self._net, rng, superblock.block, hill(f"모의{district.name}산")))
            return
        land = superblock.block, self._net.form(superblock.block)
        for quarter in self._divide(rng, district, land, _QUARTER_M2, "secondary"):
            for neighbourhood in self._divide(rng, district, quarter, _NEIGHBOURHOOD_M2, "tertiary"):
                self._fill_neighbourhood(rng, district, neighbourhood)

    def _fill_neighbourhood(self, rng: np.random.Generator, district: DistrictPlan, land: Land) -> None:
        drawn = rng.random()
        if drawn < _PARK_SHARE and land[1].area > _SMALLEST_PARK_M2:
            self.areas.append(lay_green(self._net, rng, land[0], park(self._name(f"모의{district.name}공원"))))
        elif drawn < _PARK_SHARE + _ESTATE_SHARE:
            for yard in self._divide(rng, district, land, _ESTATE_YARD_M2, "service"):
                self._divide(rng, district, yard, _ESTATE_LAWN_M2, "footway")
        else:
            for plot in self._divide(rng, district, land, 3.2 * district.block_m2, "residential"):
                self._fill_plot(rng, district, plot)

    def _fill_plot(self, rng: np.random.Generator, district: DistrictPlan, plot: Land) -> None:
        if rng.random() < _SQUARE_SHARE and plot[1].area > _SMALLEST_PARK_M2:
            self.areas.append(lay_green(self._net, rng, plot[0], park(self._name(f"모의{district.name}공원"))))
            return
        for block, form in self._divide(rng, district, plot, district.block_m2, ""):
            if rng.random() < _DEAD_END_SHARE:
                self._lead_in(rng, district, block, form)

    def _divide(
        self, rng: np.random.Generator, district: DistrictPlan, land: Land, until_m2: float, highway: str
    ) -> list[Land]:
        """Cuts a block until its parts are small enough; without a `highway` each cut is some kind of alley."""
        blocks, done = [land], []
        while blocks:
            block, form = blocks.pop()
            left_large = form.area < _LEFT_LARGE * until_m2 and rng.random() < _LEFT_LARGE_SHARE
            halves = None if form.area < until_m2 or left_large else self._cut(rng, district, block, form, highway)
            if halves is None:
                done.append((block, form))
            else:
                blocks.extend((half, self._net.form(half)) for half in halves)
        return done

    def _cut(
        self, rng: np.random.Generator, district: DistrictPlan, block: Block, form: Form, highway: str
    ) -> tuple[Block, Block] | None:
        manner = self._manner(rng, district, form, highway)
        for _ in range(_TRIES):
            shift = _between(rng, -0.1, 0.1) * form.length
            cut = Cut(
                x=form.x + shift * math.cos(form.angle),
                y=form.y + shift * math.sin(form.angle),
                angle=_direction(rng, district, form),
                snap=manner.snap,
                bend=manner.bend,
                fewest_m2=manner.fewest_m2,
            )
            halves = self._net.cut(block, cut, manner.highway, manner.name, manner.tags)
            if halves is not None:
                return halves
        return None

    def _manner(self, rng: np.random.Generator, district: DistrictPlan, form: Form, highway: str) -> _Manner:
        tags: Tags = ()
        name = ""
        if highway in {"secondary", "tertiary"}:
            name = self._name(f"모의{district.name}로")
            if highway == "tertiary" and rng.random() < _GREENWAY_SHARE:
                highway, tags = "cycleway", (("foot", "designated"),)
        highway = highway or _alley(rng, district)
        if highway in {"residential", "living_street"}:
            name = self._name(f"모의{district.name}길")
            tags = _oneway(rng, district)
        reach = math.sqrt(form.area)
        return _Manner(
            highway=highway,
            name=name,
            tags=tags,
            snap=min(0.16 * reach, 90.0) if district.is_planned else min(0.1 * reach, 60.0),
            bend=_between(rng, -0.012, 0.012) if district.is_planned else _between(rng, -0.06, 0.06),
            fewest_m2=0.2 * form.area,
        )

    def _lead_in(self, rng: np.random.Generator, district: DistrictPlan, block: Block, form: Form) -> None:
        """A dead end from the longest side into a block."""
        side = max(block, key=lambda each: self._net.distance(each.start, each.end))
        length = self._net.distance(side.start, side.end)
        if form.area < _DEAD_END_M2 or not length:
            return
        entry = self._net.junction(side, _between(rng, 0.35, 0.65), 8.0)
        share = _between(rng, 0.55, 1.0)
        net = self._net
        end = net.add_node(
            net.x[entry] + share * (form.x - net.x[entry]), net.y[entry] + share * (form.y - net.y[entry])
        )
        net.add_street([entry, end], _alley(rng, district))

    def _name(self, stem: str) -> str:
        self._named[stem] = self._named.get(stem, 0) + 1
        return f"{stem} {self._named[stem]}"


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    # Three times faster than `uniform`, and drawn some 300,000 times.
    return low + (high - low) * rng.random()


def _direction(rng: np.random.Generator, district: DistrictPlan, form: Form) -> float:
    """Across the block; in a planned district along whichever direction of its grid comes nearest to that."""
    across = form.angle + math.pi / 2
    if not district.is_planned:
        return across + _between(rng, -0.2, 0.2)
    quarter_turns = round((across - district.grid_angle) / (math.pi / 2))
    return district.grid_angle + quarter_turns * math.pi / 2 + _between(rng, -0.02, 0.02)


def _alley(rng: np.random.Generator, district: DistrictPlan) -> str:
    drawn = rng.random()
    kind = next(kind for share, kind in _ALLEYS if drawn < share)
    return "steps" if kind == "footway" and rng.random() < district.steepness else kind


def _oneway(rng: np.random.Generator, district: DistrictPlan) -> Tags:
    if rng.random() >= district.oneway_share:
        return ()
    bikes = (("oneway:bicycle", "no"),) if rng.random() < _BIKES_BOTH_WAYS_SHARE else ()
    return (("oneway", "yes"), *bikes)
