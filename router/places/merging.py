"""Which of several things with one name are one: the pieces of a street, a station's node and its building."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.graph.components import weak_components
from router.plane import on_plane

Longs = NDArray[np.int64]

_AXIS_BITS: Final = 21
_OFFSET: Final = 1 << 20
_AHEAD: Final = (1, (1 << _AXIS_BITS) - 1, 1 << _AXIS_BITS, (1 << _AXIS_BITS) + 1)
"""Half of the neighbours of a square, in packed coordinates: the other half has it for a neighbour."""

SMALLEST_REACH_M: Final = 50.0
"""With this the whole Earth still fits into the packed coordinates."""


def merged(group: Longs, points: Floats, reach_m: Floats) -> Longs:
    """The number of the cluster that each point (float64[p, 2], degrees) is in, int64[p], from 0 on.

    Points of one group are in one cluster when a chain of points leads from one to the other, each in the same square
    of the map as the one before or in one that touches it. Squares are `reach_m` wide, SMALLEST_REACH_M or more; all of
    a group have one.
    """
    square = np.floor(on_plane(points) / reach_m[:, None]).astype(np.int64) + _OFFSET
    packed = (group << 2 * _AXIS_BITS) | (square[:, 0] << _AXIS_BITS) | square[:, 1]
    squares, member = np.unique(packed, return_inverse=True)
    tail, head = [], []
    for step in _AHEAD:
        at = np.minimum(np.searchsorted(squares, squares + step), max(len(squares) - 1, 0))
        found = np.flatnonzero(squares[at] == squares + step)
        tail.append(found)
        head.append(at[found])
    component = weak_components(
        len(squares), np.concatenate(tail).astype(np.int32), np.concatenate(head).astype(np.int32)
    )
    cluster: Longs = component[member].astype(np.int64)
    return cluster


def most_central(cluster: Longs, points: Floats) -> Longs:
    """The index of the point of each cluster that is nearest to the mean of its points, int64[c]."""
    size = np.bincount(cluster)
    mean = np.column_stack([np.bincount(cluster, points[:, axis]) / size for axis in (0, 1)])
    off = ((points - mean[cluster]) ** 2).sum(axis=1)
    order = np.lexsort((off, cluster))
    first: Longs = order[np.searchsorted(cluster[order], np.arange(len(size)))]
    return first
