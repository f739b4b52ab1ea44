"""A large network of streets made of a small real one: mirrored copies of it, laid side by side.

A mirror image of a city is as hard to search as the city, and at the seam its streets meet their own images, so that
the copies are one network. Nothing of it is anybody's city: it is for measuring only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.graph.components import weak_components
from router.graph.graph import ARRAYS, Graph, full_shapes, polyline_lengths_m, version_of

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

_SEAM_DEGREES: Final = 0.004
_OF_NODES: Final = frozenset({"latitude", "longitude", "component"})
_OF_PLACES: Final = frozenset({"first_out", "shape_first", "shape_latitude", "shape_longitude"})


@dataclass(frozen=True, slots=True)
class _Joints:
    """Arcs from a node to its mirror image, each with the arc of the first copy that it takes after."""

    tail: Longs
    head: Longs
    like: Longs


def tiled(graph: Graph, columns: int, rows: int) -> Graph:
    """A grid of copies of a graph, each the mirror image of those beside it, and joined to them."""
    copies = [(column, row) for row in range(rows) for column in range(columns)]
    nodes, arcs = graph.node_count, graph.arc_count
    joints = _joints(graph, columns, rows)
    shift = np.arange(len(copies), dtype=np.int64)[:, None]
    tail = np.concatenate(((graph.tail + shift * nodes).ravel(), joints.tail))
    head = np.concatenate(((graph.head + shift * nodes).ravel(), joints.head))
    reverse = np.where(graph.reverse >= 0, graph.reverse + shift * arcs, -1).ravel()
    # Joints come in pairs, there and back.
    reverse = np.concatenate((reverse, len(reverse) + (np.arange(len(joints.tail)) ^ 1)))
    order = np.argsort(tail, kind="stable")
    now_at = np.empty_like(order)
    now_at[order] = np.arange(len(order))
    source = np.concatenate((np.tile(np.arange(arcs), len(copies)), joints.like))[order]
    arrays = {
        name: getattr(graph, name)[source] for name, _ in ARRAYS if name not in _OF_NODES and name not in _OF_PLACES
    }
    arrays |= {"tail": tail[order], "head": head[order]}
    arrays["reverse"] = np.where(reverse >= 0, now_at[reverse], -1)[order]
    latitude, longitude = _mirrored(graph, graph.latitude, graph.longitude, copies)
    arrays |= {"latitude": latitude.ravel(), "longitude": longitude.ravel()}
    arrays["first_out"] = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=nodes * len(copies)))))
    arrays["component"] = weak_components(
        nodes * len(copies), arrays["tail"].astype(np.int32), arrays["head"].astype(np.int32)
    )
    copy = np.concatenate((np.repeat(np.arange(len(copies)), arcs), np.full(len(joints.tail), -1)))[order]
    # An arc that leads back takes after the same arc, which must not rise both ways.
    arrays["grade_percent"] = np.where(copy >= 0, arrays["grade_percent"], 0)
    arrays |= _shapes(graph, copies, source, copy)
    typed = {name: np.ascontiguousarray(arrays[name], dtype=dtype) for name, dtype in ARRAYS}
    made = replace(graph, name=f"{len(copies)} × {graph.name}", **typed)  # type: ignore[arg-type] # as ARRAYS says
    lengths = polyline_lengths_m(*full_shapes(made))
    # An arc and its reverse are summed in opposite orders: let them agree to the last digit.
    paired = np.where(made.reverse >= 0, lengths[made.reverse], lengths)
    made = replace(made, length_m=np.minimum(lengths, paired))
    return replace(made, version=version_of(made))


def _mirrored(
    graph: Graph, latitude: Floats, longitude: Floats, copies: list[tuple[int, int]]
) -> tuple[Floats, Floats]:
    """Places of the graph in each copy, float64[copies, k]."""
    places = []
    for own, values, at in ((graph.latitude, latitude, 1), (graph.longitude, longitude, 0)):
        low, high = float(own.min()), float(own.max())
        steps = np.array([copy[at] for copy in copies])[:, None]
        within = np.where(steps % 2 == 1, high - values, values - low)
        places.append(low + steps * (high - low) + within)
    return places[0], places[1]


def _joints(graph: Graph, columns: int, rows: int) -> _Joints:
    """A street from each node near a seam to its image across it, both ways."""
    tails: list[Longs] = [np.zeros(0, dtype=np.int64)]
    heads: list[Longs] = [np.zeros(0, dtype=np.int64)]
    likes: list[Longs] = [np.zeros(0, dtype=np.int64)]
    has_arc = np.diff(graph.first_out) > 0
    for own, across, count, beside in (
        (graph.longitude, columns, rows, 1),
        (graph.latitude, rows, columns, columns),
    ):
        for seam in range(across - 1):
            edge = own.max() if seam % 2 == 0 else own.min()
            near = np.flatnonzero((np.abs(own - edge) < _SEAM_DEGREES) & has_arc)
            for other in range(count):
                copy = seam + other * columns if beside == 1 else seam * columns + other
                here = near + copy * graph.node_count
                there = near + (copy + beside) * graph.node_count
                tails.append(np.stack((here, there), axis=1).ravel())
                heads.append(np.stack((there, here), axis=1).ravel())
                likes.append(np.repeat(graph.first_out[near].astype(np.int64), 2))
    return _Joints(np.concatenate(tails), np.concatenate(heads), np.concatenate(likes))


def _shapes(graph: Graph, copies: list[tuple[int, int]], source: Longs, copy: Longs) -> dict[str, NDArray[np.generic]]:
    """The shape of each arc, mirrored with its copy; a joint (copy -1) is straight."""
    size = np.where(copy >= 0, np.diff(graph.shape_first)[source], 0)
    first = np.concatenate(([0], np.cumsum(size)))
    step = np.arange(first[-1]) - np.repeat(first[:-1], size)
    point = np.repeat(graph.shape_first[source].astype(np.int64), size) + step
    latitude, longitude = _mirrored(graph, graph.shape_latitude, graph.shape_longitude, copies)
    of_copy = np.repeat(copy, size)
    return {
        "shape_first": first,
        "shape_latitude": latitude[of_copy, point],
        "shape_longitude": longitude[of_copy, point],
    }
