"""The street graph: nodes where ways meet or end, arcs between them, in compressed sparse rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import distance_m
from mesh.errors import InvalidInput
from router.graph.components import weak_components
from router.read_only import read_only

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]
SignedBytes = NDArray[np.int8]

VERSION_DIGITS: Final = 12
"""How many hexadecimal digits of the content hash name a version."""

SHORTEST_ARC_M: Final = 0.001
"""Nodes that share a place are this far apart, so that no arc has length zero."""

STEEPEST_PERCENT: Final = 100
"""What is said to be steeper counts as this."""

_POLE_DEGREES: Final = 90.0
_ANTIMERIDIAN_DEGREES: Final = 180.0
_LENGTH_TOLERANCE_M: Final = 0.01
_LENGTH_TOLERANCE: Final = 1e-6


class RoadClass(IntEnum):
    """What kind of street an arc is, as far as it matters to the air that one breathes on it.

    The OpenStreetMap values of `highway` behind each (`router.graph.tags` holds the table).
    """

    ARTERIAL = 0
    """motorway, trunk, primary, and their links."""
    COLLECTOR = 1
    """secondary, tertiary, their links, and busway."""
    LOCAL = 2
    """residential, unclassified, living_street, road."""
    SERVICE = 3
    """service, track."""
    FOOTWAY = 4
    """footway, pedestrian, path, bridleway, corridor, platform, crossing."""
    CYCLEWAY = 5
    """cycleway."""
    STEPS = 6
    """steps."""
    PARK_PATH = 7
    """What would be FOOTWAY or CYCLEWAY, inside a park."""


class Access(IntFlag):
    """Who may use an arc in its direction."""

    FOOT = 1
    BIKE = 2
    WHEELCHAIR = 4
    CAR = 8


ANYONE: Final = Access.FOOT | Access.BIKE | Access.WHEELCHAIR | Access.CAR


class BrokenGraph(InvalidInput):
    """A graph that breaks one of its invariants; `metadata["invariant"]` names it."""

    reason = "BROKEN_GRAPH"

    def __init__(self, invariant: str) -> None:
        super().__init__(
            f"The street graph is broken: it does not hold that {invariant}. Import it again from its source.",
            metadata={"invariant": invariant},
        )


@dataclass(frozen=True, slots=True)
class Graph:
    """A street graph of `n` nodes and `m` arcs; the arrays are read-only.

    An edge that may be used both ways is two arcs, each with the access of its direction; an arc that nobody may use
    does not exist. Nodes are intersections, dead ends, and the places where class, access or street changes; what lies
    between is the shape of an arc. Loops (tail equals head) and parallel arcs occur.

    Invariants, which `check` tests:
        - `first_out` rises from 0 to m; the arcs of node v are `first_out[v]:first_out[v + 1]`, and v is their tail.
        - Every tail and head is a node; every latitude and longitude is finite and on Earth.
        - Every `road_class` is a RoadClass; every `access` is a non-empty set of Access.
        - `length_m` is the great-circle length along the shape (`air.geodesy`), never below SHORTEST_ARC_M.
        - `reverse` pairs arcs: the opposite arc runs between the same nodes, has the same length, class and street,
          the same shape backwards, the same speed limit and green, the opposite grade, and the arc itself as its own
          reverse; -1 where there is none.
        - `street` indexes `streets`, whose first name is empty.
        - `component` numbers the weakly connected components by falling size.
        - `version` is the content's own.

    Attributes:
        name: For people: where the graph came from.
        version: The first 12 hexadecimal digits of the SHA-256 of the content.
        simulated: True when no such streets exist.
        latitude: float64[n], degrees, WGS 84.
        longitude: float64[n], degrees.
        first_out: int32[n + 1].
        tail: int32[m], rising.
        head: int32[m].
        length_m: float64[m], metres.
        road_class: uint8[m], a RoadClass.
        access: uint8[m], a set of Access.
        reverse: int32[m], the opposite arc or -1.
        shape_first: int32[m + 1]; the shape of arc a is `shape_first[a]:shape_first[a + 1]`.
        shape_latitude: float64[s], the points strictly between tail and head, in the direction of the arc.
        shape_longitude: float64[s].
        street: int32[m], an index into `streets`.
        streets: Names; the first is "", for arcs without one.
        component: int32[n], 0 for the largest.
        speed_limit_kmh: uint8[m], how fast one may drive, kilometres an hour; the mean over time where it changes.
        grade_percent: int8[m], metres that the arc rises over a hundred; 0 where that is not known.
        green: uint8[m], the share of its length that lies near parks, woods or grass, 255 for all of it.
    """

    name: str
    version: str
    simulated: bool
    latitude: Floats
    longitude: Floats
    first_out: Ints
    tail: Ints
    head: Ints
    length_m: Floats
    road_class: Bytes
    access: Bytes
    reverse: Ints
    shape_first: Ints
    shape_latitude: Floats
    shape_longitude: Floats
    street: Ints
    streets: tuple[str, ...]
    component: Ints
    speed_limit_kmh: Bytes
    grade_percent: SignedBytes
    green: Bytes

    def __post_init__(self) -> None:
        """Shuts the arrays."""
        for field, _ in ARRAYS:
            object.__setattr__(self, field, read_only(getattr(self, field)))

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.latitude)

    @property
    def arc_count(self) -> int:
        """How many arcs there are."""
        return len(self.tail)


ARRAYS: Final = (
    ("latitude", np.dtype(np.float64)),
    ("longitude", np.dtype(np.float64)),
    ("first_out", np.dtype(np.int32)),
    ("tail", np.dtype(np.int32)),
    ("head", np.dtype(np.int32)),
    ("length_m", np.dtype(np.float64)),
    ("road_class", np.dtype(np.uint8)),
    ("access", np.dtype(np.uint8)),
    ("reverse", np.dtype(np.int32)),
    ("shape_first", np.dtype(np.int32)),
    ("shape_latitude", np.dtype(np.float64)),
    ("shape_longitude", np.dtype(np.float64)),
    ("street", np.dtype(np.int32)),
    ("component", np.dtype(np.int32)),
    ("speed_limit_kmh", np.dtype(np.uint8)),
    ("grade_percent", np.dtype(np.int8)),
    ("green", np.dtype(np.uint8)),
)
"""The arrays of a graph and what they are made of, in the order in which they are hashed."""


def content_hash(graph: Graph) -> str:
    """SHA-256 in hexadecimal of all that routing reads: the arrays, the street names and `simulated`; not the name."""
    digest = hashlib.sha256(b"simulated" if graph.simulated else b"real")
    for field, dtype in ARRAYS:
        array = np.ascontiguousarray(getattr(graph, field), dtype=dtype)
        digest.update(f"{field}:{array.size}:".encode())
        digest.update(array.data)
    for street in graph.streets:
        encoded = street.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def version_of(graph: Graph) -> str:
    """The version that the graph's content has."""
    return content_hash(graph)[:VERSION_DIGITS]


def polyline_lengths_m(latitude: Floats, longitude: Floats, first: NDArray[np.int64]) -> Floats:
    """Great-circle lengths in metres of polylines laid end to end; `first` (int64[k + 1]) says where each begins.

    Every polyline has two points or more.
    """
    if len(latitude) == 0:
        return np.zeros(0)
    step = np.zeros(len(latitude))
    step[1:] = distance_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    step[first[:-1]] = 0.0
    lengths: Floats = np.add.reduceat(step, first[:-1])
    return np.maximum(lengths, SHORTEST_ARC_M)


def full_shapes(graph: Graph) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Latitude and longitude of every arc from tail to head, laid end to end, and where each begins (int64[m + 1])."""
    arcs = np.arange(graph.arc_count, dtype=np.int64)
    first = np.asarray(graph.shape_first, dtype=np.int64) + 2 * np.arange(graph.arc_count + 1, dtype=np.int64)
    inner = np.ones(first[-1], dtype=bool)
    inner[first[:-1]] = False
    inner[first[1:] - 1] = False
    latitude, longitude = np.empty(first[-1]), np.empty(first[-1])
    latitude[inner], longitude[inner] = graph.shape_latitude, graph.shape_longitude
    latitude[first[arcs]], longitude[first[arcs]] = graph.latitude[graph.tail], graph.longitude[graph.tail]
    latitude[first[1:] - 1], longitude[first[1:] - 1] = graph.latitude[graph.head], graph.longitude[graph.head]
    return latitude, longitude, first


def check(graph: Graph) -> None:
    """Raises BrokenGraph, naming the invariant, unless every invariant of the graph holds."""
    _check_arrays(graph)
    _check_rows(graph)
    _check_values(graph)
    _check_reverse(graph)
    _check_lengths(graph)
    hold(
        np.array_equal(graph.component, weak_components(graph.node_count, graph.tail, graph.head)),
        "component numbers the weakly connected components by falling size",
    )
    hold(graph.version == version_of(graph), "version is the hash of the content")


def hold(holds: bool | np.bool_, invariant: str) -> None:  # noqa: FBT001 - the condition is what this is about
    """Raises BrokenGraph, naming the invariant, unless it holds."""
    if not holds:
        raise BrokenGraph(invariant)


def _check_arrays(graph: Graph) -> None:
    nodes, arcs, points = len(graph.latitude), len(graph.tail), len(graph.shape_latitude)
    sizes = {"first_out": nodes + 1, "shape_first": arcs + 1, "shape_latitude": points, "shape_longitude": points}
    sizes |= dict.fromkeys(("latitude", "longitude", "component"), nodes)
    for field, dtype in ARRAYS:
        array = getattr(graph, field)
        hold(array.dtype == dtype and array.ndim == 1, f"{field} is a flat array of {dtype}")
        hold(len(array) == sizes.get(field, arcs), f"{field} has one entry for each of what it describes")


def _check_rows(graph: Graph) -> None:
    nodes, arcs = graph.node_count, graph.arc_count
    for first, field, end in (
        (graph.first_out, "first_out", arcs),
        (graph.shape_first, "shape_first", len(graph.shape_latitude)),
    ):
        hold(first[0] == 0 and first[-1] == end and np.all(np.diff(first) >= 0), f"{field} rises from 0 to the end")
    hold(
        np.array_equal(graph.tail, np.repeat(np.arange(nodes), np.diff(graph.first_out))),
        "arcs are sorted by tail and first_out says where each row begins",
    )
    hold(np.all((graph.head >= 0) & (graph.head < nodes)), "every head is a node")


def _check_values(graph: Graph) -> None:
    for latitude, longitude in (
        (graph.latitude, graph.longitude),
        (graph.shape_latitude, graph.shape_longitude),
    ):
        # NaN fails both comparisons.
        on_earth = (np.abs(latitude) <= _POLE_DEGREES) & (np.abs(longitude) <= _ANTIMERIDIAN_DEGREES)
        hold(np.all(on_earth), "every point is on Earth")
    hold(np.all(graph.road_class < len(RoadClass)), "every road_class is a RoadClass")
    hold(np.all((graph.access > 0) & (graph.access <= ANYONE)), "someone may use each arc, and nobody unknown")
    hold(np.all(graph.speed_limit_kmh > 0), "one may drive at some speed on each arc")
    hold(np.all(np.abs(graph.grade_percent.astype(np.int16)) <= STEEPEST_PERCENT), "no arc is steeper than 100 %")
    hold(bool(graph.streets) and not graph.streets[0], "the first street name is empty")
    hold(np.all((graph.street >= 0) & (graph.street < len(graph.streets))), "every street has a name")


def _check_reverse(graph: Graph) -> None:
    reverse = graph.reverse
    hold(np.all((reverse >= -1) & (reverse < graph.arc_count)), "every reverse is an arc or -1")
    arc = np.flatnonzero(reverse >= 0)
    back = reverse[arc]
    hold(np.array_equal(reverse[back], arc) and not np.any(back == arc), "reverse pairs two arcs")
    hold(
        np.array_equal(graph.tail[back], graph.head[arc]) and np.array_equal(graph.head[back], graph.tail[arc]),
        "an arc and its reverse run between the same nodes",
    )
    for values, field in (
        (graph.road_class, "class"),
        (graph.street, "street"),
        (graph.length_m, "length"),
        (graph.speed_limit_kmh, "speed limit"),
        (graph.green, "green"),
    ):
        hold(np.array_equal(values[arc], values[back]), f"an arc and its reverse have the same {field}")
    hold(np.array_equal(graph.grade_percent[arc], -graph.grade_percent[back]), "what rises falls on its reverse")
    points = np.diff(graph.shape_first)
    hold(np.array_equal(points[arc], points[back]), "an arc and its reverse have the same shape")
    first_point = graph.shape_first[arc].astype(np.int64)
    step = np.arange(points[arc].sum()) - np.repeat(np.cumsum(points[arc]) - points[arc], points[arc])
    forward = np.repeat(first_point, points[arc]) + step
    backward = np.repeat(graph.shape_first[back + 1].astype(np.int64) - 1, points[arc]) - step
    hold(
        np.array_equal(graph.shape_latitude[forward], graph.shape_latitude[backward])
        and np.array_equal(graph.shape_longitude[forward], graph.shape_longitude[backward]),
        "an arc and its reverse have the same shape",
    )


def _check_lengths(graph: Graph) -> None:
    hold(np.all(graph.length_m >= SHORTEST_ARC_M), f"every arc is at least {SHORTEST_ARC_M} m long")
    along_shape = polyline_lengths_m(*full_shapes(graph))
    off = np.abs(graph.length_m - along_shape)
    hold(
        np.all(off <= _LENGTH_TOLERANCE_M + _LENGTH_TOLERANCE * along_shape),
        "length_m is the great-circle length along the shape",
    )
