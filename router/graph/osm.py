"""Imports an OpenStreetMap extract (.osm.pbf, or any other format that libosmium reads)."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import osmium

from mesh.errors import InvalidInput
from router.graph.assembly import assemble
from router.graph.barriers import stopped_by
from router.graph.graph import Graph
from router.graph.green import GREEN_KEYS, is_green, is_park
from router.graph.multipolygons import green_relations
from router.graph.permission import Tags
from router.graph.pieces import NOWHERE, UNITS_PER_DEGREE, Outline, Ways
from router.graph.tags import RULE_KEYS, SIMULATED_TAG, WayRule, way_rule

Progress = Callable[[str, float], None]
"""Told what is being done, and how much of all is done, from 0 to 1."""

_FEWEST_RING_POINTS: Final = 4


class NoSuchExtract(InvalidInput):
    """There is no file at the path."""

    reason = "NO_SUCH_EXTRACT"


class EmptyExtract(InvalidInput):
    """The file has no content."""

    reason = "EMPTY_EXTRACT"


class UnreadableExtract(InvalidInput):
    """The file is no OpenStreetMap extract, or a damaged one."""

    reason = "UNREADABLE_EXTRACT"


class NoRoads(InvalidInput):
    """The extract holds no street that anybody may use."""

    reason = "NO_ROADS"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        name: The name of the graph.
        version: The version of the graph.
        simulated: Whether the streets are a simulated city's.
        nodes: Nodes of the graph.
        arcs: Arcs of the graph.
        kilometers: The length of all streets, each counted once.
        components: Parts that do not hang together.
        largest_component_share: The share of the nodes in the largest part, 0 to 1.
        ways: Ways that are in the graph.
        dropped_ways: Ways tagged `highway` that are not: no street, closed to all, or without two points.
        cut_ways: Ways that lost a node, and were cut there.
        missing_nodes: Distinct nodes that ways name and the extract does not hold.
        seconds: How long it took.
    """

    name: str
    version: str
    simulated: bool
    nodes: int
    arcs: int
    kilometers: float
    components: int
    largest_component_share: float
    ways: int
    dropped_ways: int
    cut_ways: int
    missing_nodes: int
    seconds: float


@dataclass(slots=True)
class _Columns:
    """The ways as they are read, a column each; arrays, because lists of numbers take five times the memory."""

    size: array[int] = field(default_factory=lambda: array("q"))
    node: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("i"))
    y: array[int] = field(default_factory=lambda: array("i"))
    road_class: array[int] = field(default_factory=lambda: array("q"))
    forward: array[int] = field(default_factory=lambda: array("q"))
    backward: array[int] = field(default_factory=lambda: array("q"))
    speed_limit_kmh: array[int] = field(default_factory=lambda: array("q"))
    grade_percent: array[int] = field(default_factory=lambda: array("q"))
    street: array[int] = field(default_factory=lambda: array("q"))
    streets: dict[str, int] = field(default_factory=lambda: {"": 0})
    parks: list[Outline] = field(default_factory=list)
    greens: list[Outline] = field(default_factory=list)
    barriers: array[int] = field(default_factory=lambda: array("q"))
    stopped: array[int] = field(default_factory=lambda: array("q"))
    simulated: bool = False
    dropped: int = 0


def import_extract(
    path: Path, *, name: str | None = None, progress: Progress | None = None
) -> tuple[Graph, ImportReport]:
    """The street graph of an extract, and what came of the import; the name is the file's unless given.

    Raises:
        NoSuchExtract: There is no such file.
        EmptyExtract: The file has no content.
        UnreadableExtract: The file is no extract, or damaged.
        NoRoads: There is no street in it that anybody may use.
    """
    started = time.perf_counter()
    tell = progress or (lambda _stage, _share: None)
    tell("reading ways", 0.0)
    columns = _read(path)
    tell("joining streets", 0.6)
    ways = _ways(columns)
    graph = assemble(name or path.name.split(".")[0], ways)
    if not graph.arc_count:
        raise NoRoads(f"{path.name} holds no street that one may use; give an extract with roads in it.")
    tell("streets joined", 1.0)
    return graph, _report(graph, ways, columns.dropped, time.perf_counter() - started)


def _read(path: Path) -> _Columns:
    if not path.is_file():
        raise NoSuchExtract(f"There is no file {path}; give the path of an OpenStreetMap extract.")
    if path.stat().st_size == 0:
        raise EmptyExtract(f"{path.name} is empty; give an OpenStreetMap extract with roads in it.")
    columns = _Columns()
    barriers = osmium.filter.KeyFilter("barrier")
    barriers.enable_for(osmium.osm.NODE)
    ways = osmium.filter.KeyFilter("highway", *GREEN_KEYS)
    ways.enable_for(osmium.osm.WAY)
    try:
        processor = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
        processor = processor.with_filter(barriers).with_filter(ways)
        for entity in processor:
            if isinstance(entity, osmium.osm.Way):
                _take_way(columns, entity)
            elif isinstance(entity, osmium.osm.Node):
                _take_barrier(columns, entity)
        parks, greens = green_relations(path)
    # libosmium tells every fault of a file, whatever it is, as a RuntimeError.
    except RuntimeError as error:
        raise UnreadableExtract(
            f"{path.name} is not an OpenStreetMap extract, or it is damaged or cut short; download it again."
        ) from error
    columns.parks.extend(parks)
    columns.greens.extend(greens)
    return columns


@lru_cache(maxsize=65_536)
def _rule(values: tuple[str | None, ...]) -> WayRule | None:
    """The rule of ways with these values of RULE_KEYS; a city has ten times more ways than kinds of them."""
    return way_rule({key: value for key, value in zip(RULE_KEYS, values, strict=True) if value is not None})


def _take_barrier(columns: _Columns, node: osmium.osm.Node) -> None:
    stopped = stopped_by(dict(node.tags))
    if stopped:
        columns.barriers.append(node.id)
        columns.stopped.append(stopped)


def _take_way(columns: _Columns, way: osmium.osm.Way) -> None:
    get = way.tags.get
    if green := {key: value for key in GREEN_KEYS if (value := get(key))}:
        _take_green(columns, green, way)
    if not get("highway"):
        return
    rule = _rule(tuple([get(key) for key in RULE_KEYS]))
    if rule is None:
        columns.dropped += 1
        return
    nodes = list(way.nodes)
    locations = [node.location for node in nodes]
    columns.size.append(len(nodes))
    columns.node.extend([node.ref for node in nodes])
    columns.x.extend([location.x for location in locations])
    columns.y.extend([location.y for location in locations])
    columns.road_class.append(rule.road_class)
    columns.forward.append(rule.forward)
    columns.backward.append(rule.backward)
    columns.speed_limit_kmh.append(rule.speed_limit_kmh)
    columns.grade_percent.append(rule.grade_percent)
    street = get("name") or get("ref") or ""
    columns.street.append(columns.streets.setdefault(street, len(columns.streets)))
    columns.simulated |= get(SIMULATED_TAG) == "yes"


def _take_green(columns: _Columns, tags: Tags, way: osmium.osm.Way) -> None:
    outlines = columns.parks if is_park(tags) else columns.greens
    if not is_green(tags) or not way.is_closed():
        return
    locations = [node.location for node in way.nodes]
    if len(locations) >= _FEWEST_RING_POINTS and all(place.valid() for place in locations):
        outline = np.array([(place.x, place.y) for place in locations], dtype=np.float64)
        outlines.append((outline / UNITS_PER_DEGREE,))


def _ways(columns: _Columns) -> Ways:
    return Ways(
        size=np.array(columns.size, dtype=np.int64),
        node=np.array(columns.node, dtype=np.int64),
        x=np.array(columns.x, dtype=np.int32),
        y=np.array(columns.y, dtype=np.int32),
        road_class=np.array(columns.road_class, dtype=np.int64),
        forward=np.array(columns.forward, dtype=np.int64),
        backward=np.array(columns.backward, dtype=np.int64),
        speed_limit_kmh=np.array(columns.speed_limit_kmh, dtype=np.int64),
        grade_percent=np.array(columns.grade_percent, dtype=np.int64),
        street=np.array(columns.street, dtype=np.int64),
        streets=tuple(columns.streets),
        parks=tuple(columns.parks),
        greens=tuple(columns.greens),
        barriers=np.array(columns.barriers, dtype=np.int64),
        stopped=np.array(columns.stopped, dtype=np.int64),
        simulated=columns.simulated,
    )


def _report(graph: Graph, ways: Ways, dropped: int, seconds: float) -> ImportReport:
    missing = ways.x == NOWHERE
    way_of_point = np.repeat(np.arange(len(ways.size)), ways.size)
    there = np.bincount(way_of_point[~missing], minlength=len(ways.size))
    once = (graph.reverse < 0) | (graph.reverse > np.arange(graph.arc_count))
    size_of_component = np.bincount(graph.component)
    too_short = int(np.count_nonzero(there < 2))  # noqa: PLR2004 - a street has two ends
    return ImportReport(
        name=graph.name,
        version=graph.version,
        simulated=graph.simulated,
        nodes=graph.node_count,
        arcs=graph.arc_count,
        kilometers=float(graph.length_m[once].sum()) / 1000,
        components=len(size_of_component),
        largest_component_share=float(size_of_component[0] / graph.node_count),
        ways=len(ways.size) - too_short,
        dropped_ways=dropped + too_short,
        cut_ways=len(np.unique(way_of_point[missing])),
        missing_nodes=len(np.unique(ways.node[missing])),
        seconds=seconds,
    )
