"""A graph with what is made of it once, which takes longer to make than to read: kept together in one file."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from router.exposure.street import Features, influence_of_roads
from router.graph.file import Array, Content, damaged, read, write
from router.graph.graph import ARRAYS, Graph, hold
from router.graph.graph import check as check_graph
from router.search.contraction import Contraction, contract
from router.search.contraction_engine import order_of
from router.search.landmarks import LANDMARKS, Landmarks, landmarks_of
from router.search.shapes import Shapes

_HEIGHT: Final = "height"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A graph and what is made of it once; all arrays are read-only.

    Attributes:
        graph: The streets.
        contraction: The graph contracted.
        influence: float32[m], how near each arc is to main roads (`router.exposure.street`).
        landmarks: int32[n, 2·l], what guides A* (`router.search.landmarks`).
        sha256: Of the file that it was read from, in hexadecimal; "" where it comes from none.
    """

    graph: Graph
    contraction: Contraction
    influence: Features
    landmarks: Landmarks
    sha256: str = ""


def prepare(graph: Graph) -> Prepared:
    """Makes all that is made of a graph once: seconds of work for a city."""
    return Prepared(
        graph=graph,
        contraction=contract(graph.tail, graph.head, order_of(graph)),
        influence=influence_of_roads(graph, Shapes(graph)),
        landmarks=landmarks_of(graph),
    )


def save(prepared: Prepared, path: Path) -> None:
    """Writes it; at no moment is there half a file under the path."""
    graph = prepared.graph
    streets = [street.encode() for street in graph.streets]
    arrays: dict[str, Array] = {f"graph.{field}": getattr(graph, field) for field, _ in ARRAYS}
    arrays["graph.street_bytes"] = np.frombuffer(b"".join(streets), dtype=np.uint8)
    arrays["graph.street_first"] = np.cumsum([0, *map(len, streets)], dtype=np.int64)
    arrays |= {f"contraction.{name}": array for name, array in _arrays(prepared.contraction)}
    arrays["influence"] = prepared.influence
    arrays["landmarks"] = prepared.landmarks
    said = {
        "name": graph.name,
        "version": graph.version,
        "simulated": graph.simulated,
        _HEIGHT: prepared.contraction.height,
    }
    write(Content(said, arrays), path)


def load(path: Path) -> Prepared:
    """What is in a file; its arrays are the file itself, which all processes of a machine share.

    Raises what `router.graph.file.read` raises.
    """
    said, arrays, sha256 = read(path)
    try:
        links = {name: arrays[f"contraction.{name}"] for name in Contraction._fields if name != _HEIGHT}
        return Prepared(
            graph=_graph(said, arrays),
            contraction=Contraction(**links, height=int(str(said[_HEIGHT]))),
            influence=arrays["influence"],
            landmarks=arrays["landmarks"],
            sha256=sha256,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error


def check(prepared: Prepared) -> None:
    """Raises BrokenGraph, naming the invariant, unless all holds that compiled code takes for granted."""
    check_graph(prepared.graph)
    nodes, arcs, contraction = prepared.graph.node_count, prepared.graph.arc_count, prepared.contraction
    links, joining = len(contraction.upper), len(contraction.arc_on)
    for name, low, high, count in (
        ("rank", 0, nodes, nodes),
        ("parent", 0, nodes + 1, nodes),
        ("first_up", 0, links + 1, nodes + 1),
        ("upper", 0, nodes, links),
        ("lower", 0, nodes, links),
        ("first_down", 0, links + 1, nodes + 1),
        ("down", 0, links, links),
        ("down_end", 0, nodes, links),
        ("link", -1, links, arcs),
        ("is_up", 0, 2, arcs),
        ("first_arc", 0, joining + 1, links + 1),
        ("arc_on", -arcs, arcs, joining),
    ):
        array = getattr(contraction, name)
        hold(array.shape == (count,), f"{name} of the contraction has one entry for each of what it describes")
        hold(np.all((array >= low) & (array < high)), f"{name} of the contraction refers to what is there")
    hold(np.array_equal(np.sort(contraction.rank), np.arange(nodes)), "every node has a rank of its own")
    hold(np.all(contraction.parent > np.arange(nodes)), "parents rank above their children")
    hold(np.all(contraction.lower < contraction.upper), "links lead upwards")
    for first, end in (
        (contraction.first_up, links),
        (contraction.first_down, links),
        (contraction.first_arc, joining),
    ):
        hold(first[0] == 0 and first[-1] == end and np.all(np.diff(first) >= 0), "rows of links rise to the end")
    influence = prepared.influence
    hold(influence.shape == (arcs,) and np.all((influence >= 0) & (influence <= 1)), "influence is a share of each arc")
    hold(
        prepared.landmarks.shape == (nodes, 2 * LANDMARKS) and prepared.landmarks.dtype == np.int32,
        "landmarks know of each node",
    )


def _arrays(contraction: Contraction) -> list[tuple[str, Array]]:
    return [(name, getattr(contraction, name)) for name in Contraction._fields if name != _HEIGHT]


def _graph(said: Mapping[str, object], arrays: Mapping[str, Array]) -> Graph:
    first, text = arrays["graph.street_first"], arrays["graph.street_bytes"].tobytes()
    columns = {field: arrays[f"graph.{field}"] for field, _ in ARRAYS}
    for field, dtype in ARRAYS:
        if columns[field].dtype != dtype or columns[field].ndim != 1:
            raise ValueError(f"{field} is no flat array of {dtype}.")
    streets = tuple(text[begin:end].decode() for begin, end in itertools.pairwise(first.tolist()))
    return Graph(
        name=str(said["name"]),
        version=str(said["version"]),
        simulated=bool(said["simulated"]),
        streets=streets,
        **columns,
    )
