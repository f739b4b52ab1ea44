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
from router.graph.graph import ARRAYS, Graph
from router.read_only import read_only
from router.search.contraction import Contraction, contract
from router.search.contraction_engine import order_of
from router.search.shapes import Shapes

_HEIGHT: Final = "height"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A graph and what is made of it once; all arrays are read-only.

    Attributes:
        graph: The streets.
        contraction: The graph contracted.
        influence: float32[m], how near each arc is to main roads (`router.exposure.street`).
    """

    graph: Graph
    contraction: Contraction
    influence: Features


def prepare(graph: Graph) -> Prepared:
    """Makes all that is made of a graph once: seconds of work for a city."""
    return Prepared(
        graph=graph,
        contraction=_shut(contract(graph.tail, graph.head, order_of(graph))),
        influence=influence_of_roads(graph, Shapes(graph)),
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
    said, arrays = read(path)
    try:
        links = {name: arrays[f"contraction.{name}"] for name in Contraction._fields if name != _HEIGHT}
        return Prepared(
            graph=_graph(said, arrays),
            contraction=Contraction(**links, height=int(str(said[_HEIGHT]))),
            influence=arrays["influence"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error


def _shut(contraction: Contraction) -> Contraction:
    shut = {name: read_only(array) for name, array in _arrays(contraction)}
    return Contraction(**shut, height=contraction.height)


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
