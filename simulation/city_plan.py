"""The plan of the simulated city: outline, river, bridges, arterial streets, and the districts between them.

Metres in a plane whose origin is the city's centre, x east and y north.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.places import Network
from simulation.city_net import Block, Cut, Form, Side, StreetNet

HALF_WIDTH_M: Final = 9_900.0
HALF_HEIGHT_M: Final = 7_900.0
DISTRICT_NAMES: Final = (
    ("가람", "Garam"),
    ("나래", "Narae"),
    ("다솜", "Dasom"),
    ("라온", "Raon"),
    ("마루", "Maru"),
    ("보람", "Boram"),
    ("사랑", "Sarang"),
    ("아라", "Ara"),
    ("자락", "Jarak"),
    ("차오름", "Chaoreum"),
    ("타래", "Tarae"),
    ("파란", "Paran"),
    ("하늘", "Haneul"),
    ("고운", "Goun"),
    ("노을", "Noeul"),
    ("도담", "Dodam"),
    ("루리", "Ruri"),
    ("미르", "Mir"),
    ("별빛", "Byeolbit"),
    ("소담", "Sodam"),
    ("여울", "Yeoul"),
    ("은솔", "Eunsol"),
    ("한빛", "Hanbit"),
    ("새벽", "Saebyeok"),
    ("푸름", "Pureum"),
)
"""Plain Korean words that name no district, in Korean and in Latin letters."""

ROADSIDE_DISTRICTS: Final = 8
"""How many districts have their station at the kerb of an arterial."""

_RIVER_HALF_WIDTH_M: Final = 270.0
_BANK_STEP_M: Final = 210.0
_SHORE_M: Final = 340.0
"""How far from the bank the outline begins."""

_BRIDGE_STEP_M: Final = 1_750.0
_OUTLINE_POINTS: Final = 150
_SUPERBLOCK_M2: Final = 2.9e6
_ARTERIAL_SNAP_M: Final = 240.0
_ACROSS_RIVER_M: Final = 2_500.0
"""How much farther apart two places count when the river is between them, so that no district spans it."""

_HILLS: Final = 5
_HILLS_APART_M: Final = 4_500.0
_HILL_FROM_CENTRE_M: Final = 2_200.0
_CLUSTER_ROUNDS: Final = 10
_HILL_M2: Final = 1.3e6
_KERB_M: Final = 6.0


@dataclass(frozen=True, slots=True)
class DistrictPlan:
    """A district of the plan.

    Attributes:
        name: In Korean.
        latin_name: In Latin letters.
        x: Its centre.
        y: Its centre.
        station_x: Where its station stands.
        station_y: Where its station stands.
        network: What the station is there to measure.
        is_planned: Whether it was laid out at once, on a grid, or grew.
        grid_angle: The direction of that grid, radians.
        block_m2: The size of its smallest blocks.
        oneway_share: How many of its local streets are one-way, 0 to 1.
        steepness: How many of its alleys are steps, 0 to 1.
    """

    name: str
    latin_name: str
    x: float
    y: float
    station_x: float
    station_y: float
    network: Network
    is_planned: bool
    grid_angle: float
    block_m2: float
    oneway_share: float
    steepness: float


@dataclass(frozen=True, slots=True)
class Superblock:
    """The land between arterials."""

    block: Block
    district: int
    is_hill: bool


@dataclass(frozen=True, slots=True)
class Bank:
    """The street along a bank, from west to east: its corners, and the segments between them."""

    corners: tuple[int, ...]
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is there before the districts fill.

    Attributes:
        net: The arterials and bridges, to be built upon.
        superblocks: The land between them.
        districts: The 25 districts.
        banks: The northern and the southern bank.
    """

    net: StreetNet
    superblocks: tuple[Superblock, ...]
    districts: tuple[DistrictPlan, ...]
    banks: tuple[Bank, Bank]


@dataclass(frozen=True, slots=True)
class _Half:
    """One side of the river: its bank from west to east, and all its land."""

    bank: Bank
    land: Block


class _River:
    """The river's course, a sum of waves."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._phases = [float(rng.uniform(0, 2 * math.pi)) for _ in range(3)]

    def bank(self, x: float, side: int) -> float:
        """The y of the northern (+1) or southern (-1) bank."""
        one, two, three = self._phases
        middle = 620 * math.sin(2 * math.pi * x / 12_500 + one) + 230 * math.sin(2 * math.pi * x / 5_300 + two)
        return middle + side * _RIVER_HALF_WIDTH_M * (1 + 0.22 * math.sin(2 * math.pi * x / 7_100 + three))


def make_plan(seed: int) -> Plan:
    """The plan of the city with this seed; equal for equal seeds."""
    rng = np.random.default_rng([seed, 1])
    net = StreetNet()
    river = _River(rng)
    outline = _outline(rng)
    bridges = [x + float(rng.uniform(-260, 260)) for x in np.arange(-7_900, 7_901, _BRIDGE_STEP_M).tolist()]
    north, south = (_half(net, river, outline, bridges, side) for side in (1, -1))
    _build_bridges(net, north.bank, south.bank, bridges)
    northern, southern = (_arterials(net, rng, half, bridges, side) for half, side in ((north, 1), (south, -1)))
    blocks = [*northern, *southern]
    forms = [net.form(block) for block in blocks]
    hills = _hills(rng, forms)
    is_north = np.arange(len(blocks)) < len(northern)
    hearts, member = _cluster(np.array([(form.x, form.y) for form in forms]), is_north, hills)
    return Plan(
        net=net,
        superblocks=tuple(
            Superblock(block, int(district), index in hills)
            for index, (block, district) in enumerate(zip(blocks, member, strict=True))
        ),
        districts=_districts(net, rng, [forms[heart] for heart in hearts]),
        banks=(north.bank, south.bank),
    )


def _outline(rng: np.random.Generator) -> list[tuple[float, float]]:
    """The edge of the city, counter-clockwise: an ellipse that wobbles."""
    waves = [(k, float(rng.uniform(0.02, 0.055)), float(rng.uniform(0, 2 * math.pi))) for k in (2, 3, 5, 7)]
    points = []
    for angle in np.linspace(0, 2 * math.pi, _OUTLINE_POINTS, endpoint=False).tolist():
        radius = 1 + sum(height * math.cos(k * angle + phase) for k, height, phase in waves)
        points.append((HALF_WIDTH_M * radius * math.cos(angle), HALF_HEIGHT_M * radius * math.sin(angle)))
    return points


def _half(net: StreetNet, river: _River, outline: list[tuple[float, float]], bridges: list[float], side: int) -> _Half:
    edge = [(x, y) for x, y in outline if side * (y - river.bank(x, side)) > _SHORE_M]
    # The outline begins in the east: seen from the south it has to begin where it crosses the river in the west.
    edge.sort(key=lambda point: math.atan2(side * point[1] + 2_000, side * point[0]))
    west, east = sorted((edge[0][0], edge[-1][0]))
    steps = np.arange(west, east, _BANK_STEP_M).tolist()
    plain = [x for x in [*steps, east] if min(abs(x - bridge) for bridge in bridges) > _BANK_STEP_M / 3]
    corners = sorted([*plain, *(x for x in bridges if west < x < east)])
    bank = [net.add_node(x, river.bank(x, side)) for x in corners]
    bank_segments = net.add_street(bank, "primary", "모의강변북로" if side > 0 else "모의강변남로")
    around = [net.add_node(x, y) for x, y in edge]
    ring = [bank[-1], *around, bank[0]] if side > 0 else [bank[0], *around, bank[-1]]
    ring_segments = net.add_street(ring, "secondary", "모의외곽순환로")
    along_bank = [Side(*piece) for piece in zip(bank[:-1], bank[1:], bank_segments, strict=True)]
    if side < 0:
        along_bank = [Side(end, start, segment) for start, end, segment in reversed(along_bank)]
    along_ring = [Side(*piece) for piece in zip(ring[:-1], ring[1:], ring_segments, strict=True)]
    return _Half(Bank(tuple(bank), bank_segments), (*along_bank, *along_ring))


def _bridgehead(net: StreetNet, bank: Bank, x: float) -> int | None:
    node = min(bank.corners, key=lambda corner: abs(net.x[corner] - x))
    return node if abs(net.x[node] - x) < 1.0 else None


def _build_bridges(net: StreetNet, north: Bank, south: Bank, bridges: list[float]) -> None:
    number = 0
    for x in bridges:
        ends = _bridgehead(net, north, x), _bridgehead(net, south, x)
        if ends[0] is None or ends[1] is None:
            continue
        number += 1
        on_foot = number % 4 == 0
        highway, name = ("cycleway", f"모의{number}보행교") if on_foot else ("primary", f"모의{number}대교")
        net.add_street([ends[0], ends[1]], highway, name, (("bridge", "yes"), ("layer", "1")))


def _arterials(net: StreetNet, rng: np.random.Generator, half: _Half, bridges: list[float], side: int) -> list[Block]:
    """Avenues from most bridges to the edge of the city, then cuts across until the blocks are small enough."""
    blocks = [half.land]
    for x in bridges:
        head = _bridgehead(net, half.bank, x)
        if head is not None and rng.random() < 0.85:  # noqa: PLR2004 - some bridges end at the bank
            lean = -net.x[head] / HALF_WIDTH_M * 0.35 + float(rng.uniform(-0.1, 0.1))
            angle = side * (math.pi / 2 + lean)
            _cut_one(net, rng, blocks, (net.x[head] + 80 * math.cos(angle), net.y[head] + 80 * math.sin(angle)), angle)
    done: list[Block] = []
    while blocks:
        block = blocks.pop()
        form = net.form(block)
        halves = None
        if form.area > _SUPERBLOCK_M2 * rng.uniform(0.6, 1.3):
            halves = net.cut(block, _across(rng, form), *_arterial(net, rng))
        if halves is None:
            done.append(block)
        else:
            blocks.extend(halves)
    return done


def _cut_one(
    net: StreetNet, rng: np.random.Generator, blocks: list[Block], at: tuple[float, float], angle: float
) -> None:
    """Cuts whichever block the point lies in."""
    for index, block in enumerate(blocks):
        cut = Cut(*at, angle, snap=60.0, bend=float(rng.uniform(-0.04, 0.04)), fewest_m2=0.7e6)
        if net.contains(block, *at):
            halves = net.cut(block, cut, *_arterial(net, rng))
            if halves is not None:
                blocks[index : index + 1] = halves
            return


def _across(rng: np.random.Generator, form: Form) -> Cut:
    shift = float(rng.uniform(-0.12, 0.12)) * form.length
    return Cut(
        x=form.x + shift * math.cos(form.angle),
        y=form.y + shift * math.sin(form.angle),
        angle=form.angle + math.pi / 2 + float(rng.uniform(-0.2, 0.2)),
        snap=_ARTERIAL_SNAP_M,
        bend=float(rng.uniform(-0.06, 0.06)),
        fewest_m2=0.6e6,
    )


def _arterial(net: StreetNet, rng: np.random.Generator) -> tuple[str, str]:
    highway = "primary" if rng.random() < 0.72 else "secondary"  # noqa: PLR2004 - three in four are arterials
    return highway, f"모의대로 {len(net.streets)}"


def _hills(rng: np.random.Generator, forms: list[Form]) -> frozenset[int]:
    """Which superblocks are hills: large, away from the centre and from each other."""
    hills: list[int] = []
    for index in rng.permutation(len(forms)).tolist():
        form = forms[index]
        far = all(math.hypot(form.x - forms[hill].x, form.y - forms[hill].y) > _HILLS_APART_M for hill in hills)
        if len(hills) < _HILLS and form.area > _HILL_M2 and far and math.hypot(form.x, form.y) > _HILL_FROM_CENTRE_M:
            hills.append(index)
    return frozenset(hills)


def _cluster(places: Floats, is_north: NDArray[np.bool_], hills: frozenset[int]) -> tuple[list[int], NDArray[np.int64]]:
    """Gathers superblocks round 25 of them: k-medoids from the points farthest apart; no medoid is a hill."""
    apart = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    apart += np.where(is_north[:, None] != is_north[None, :], _ACROSS_RIVER_M, 0.0)
    urban = np.setdiff1d(np.arange(len(places)), sorted(hills))
    hearts = [int(urban[np.argmin(np.hypot(*places[urban].T))])]
    while len(hearts) < len(DISTRICT_NAMES):
        hearts.append(int(urban[np.argmax(apart[urban][:, hearts].min(axis=1))]))
    for _ in range(_CLUSTER_ROUNDS):
        member = np.argmin(apart[:, hearts], axis=1)
        for district in range(len(hearts)):
            own = np.intersect1d(np.flatnonzero(member == district), urban)
            hearts[district] = int(own[np.argmin(apart[np.ix_(own, own)].sum(axis=1))])
    return hearts, np.argmin(apart[:, hearts], axis=1)


def _districts(net: StreetNet, rng: np.random.Generator, hearts: list[Form]) -> tuple[DistrictPlan, ...]:
    kerbs = _Kerbs(net)
    roadside = set(rng.choice(len(hearts), ROADSIDE_DISTRICTS, replace=False).tolist())
    districts = []
    for index, ((name, latin_name), heart) in enumerate(zip(DISTRICT_NAMES, hearts, strict=True)):
        from_centre = min(math.hypot(heart.x / HALF_WIDTH_M, heart.y / HALF_HEIGHT_M), 1.0)
        is_roadside = index in roadside
        station = kerbs.beside(heart.x, heart.y) if is_roadside else kerbs.away_from(rng, heart)
        districts.append(
            DistrictPlan(
                name=name,
                latin_name=latin_name,
                x=heart.x,
                y=heart.y,
                station_x=station[0],
                station_y=station[1],
                network=Network.ROADSIDE if is_roadside else Network.URBAN,
                is_planned=bool(rng.random() < 0.45),  # noqa: PLR2004 - somewhat less than half
                grid_angle=float(rng.uniform(0, math.pi / 2)),
                block_m2=(4_600 + 5_500 * from_centre) * float(rng.uniform(0.8, 1.25)),
                oneway_share=float(rng.uniform(0.05, 0.3)) * (1.3 - from_centre),
                steepness=float(rng.choice((0.0, 0.05, 0.5), p=(0.5, 0.3, 0.2))),
            )
        )
    return tuple(districts)


class _Kerbs:
    """Where arterials run, to stand beside them or away from them."""

    def __init__(self, net: StreetNet) -> None:
        chains = [net.nodes_of(street) for street in net.streets if street.highway == "primary" and not street.tags]
        start = np.array([node for chain in chains for node in chain[:-1]])
        end = np.array([node for chain in chains for node in chain[1:]])
        x, y = np.array(net.x), np.array(net.y)
        self._from = np.column_stack((x[start], y[start]))
        self._along = np.column_stack((x[end], y[end])) - self._from

    def _nearest(self, x: float, y: float) -> tuple[float, float, float]:
        """The nearest point on an arterial, and how far it is."""
        offset = np.array((x, y)) - self._from
        share = np.clip((offset * self._along).sum(axis=1) / (self._along**2).sum(axis=1), 0, 1)
        feet = self._from + share[:, None] * self._along
        distance = np.hypot(feet[:, 0] - x, feet[:, 1] - y)
        best = int(np.argmin(distance))
        return float(feet[best, 0]), float(feet[best, 1]), float(distance[best])

    def beside(self, x: float, y: float) -> tuple[float, float]:
        """A place at the kerb of the nearest arterial, on this side of it."""
        foot_x, foot_y, distance = self._nearest(x, y)
        return foot_x + (x - foot_x) / distance * _KERB_M, foot_y + (y - foot_y) / distance * _KERB_M

    def away_from(self, rng: np.random.Generator, heart: Form) -> tuple[float, float]:
        """The place farthest from arterials among some near the heart of a district."""
        reach = heart.width / 5
        places = [(heart.x + float(dx), heart.y + float(dy)) for dx, dy in rng.uniform(-reach, reach, (24, 2))]
        return max(places, key=lambda place: self._nearest(*place)[2])
