"""Chains of segments become edges: whatever node two segments of one kind pass through is only a point of a shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segments:
    """Straight pieces between two nodes, `k` of them; no segment begins and ends at the same node.

    Attributes:
        start: int64[k], node indices.
        end: int64[k], node indices.
        kind: int64[k]; segments join only where their kinds, read in one direction of travel, are equal.
        kind_reversed: int64[k], the kind as met from `end` to `start`.
    """

    start: Longs
    end: Longs
    kind: Longs
    kind_reversed: Longs


@dataclass(frozen=True, slots=True)
class Chains:
    """Edges as chains of segments, `e` of them, each in one of its two directions.

    Attributes:
        node_first: int64[e + 1]; the nodes of chain i are `nodes[node_first[i]:node_first[i + 1]]`, ends included.
        nodes: int64, node indices in the order of travel.
        segment: int64[e], the first segment of each chain.
        along: bool[e], whether the chain runs through that segment from `start` to `end`.
        step_first: int64[e + 1]; chain i takes the steps `step_first[i]:step_first[i + 1]`.
        step: int64, segments in the order of travel.
        step_along: bool, whether each is travelled from `start` to `end`.
    """

    node_first: Longs
    nodes: Longs
    segment: Longs
    along: NDArray[np.bool_]
    step_first: Longs
    step: Longs
    step_along: NDArray[np.bool_]


def contract(segments: Segments, node_count: int) -> Chains:
    """Joins segments at every node where exactly two of one kind meet.

    A ring without a junction keeps its lowest node, and becomes one chain from there and back.

    A segment is two half-edges: h runs from start to end, h + k back. Each half-edge points at the one that follows it
    through a joined node; list ranking by pointer doubling then finds, in log2(longest chain) rounds over whole arrays,
    the last half-edge of each chain and how far away it is.
    """
    following = _following(segments, node_count)
    last, hops = _rank(following)
    tail = np.concatenate((segments.start, segments.end))
    in_ring = following[last] != last
    if in_ring.any():
        _open_rings(following, tail, in_ring)
        last, hops = _rank(following)
    return _lay_out(segments, following, last, hops)


def _twin(half_edge: Longs, count: int) -> Longs:
    return np.where(half_edge < count, half_edge + count, half_edge - count)


def _following(segments: Segments, node_count: int) -> Longs:
    """For each half-edge the next of its chain; itself where the chain ends."""
    count = len(segments.start)
    tail = np.concatenate((segments.start, segments.end))
    kind = np.concatenate((segments.kind, segments.kind_reversed))
    following = np.arange(2 * count, dtype=np.int64)
    degree = np.bincount(tail, minlength=node_count)
    leaving = np.flatnonzero(degree[tail] == 2)  # noqa: PLR2004 - two segments meet there
    leaving = leaving[np.argsort(tail[leaving], kind="stable")]
    one, other = leaving[0::2], leaving[1::2]
    arriving = _twin(one, count)
    same = kind[arriving] == kind[other]
    following[arriving[same]] = other[same]
    following[_twin(other[same], count)] = one[same]
    return following


def _rank(following: Longs) -> tuple[Longs, Longs]:
    """The last half-edge of each one's chain, and how many hops away it is; for rings, some half-edge of the ring."""
    last = following.copy()
    hops = (following != np.arange(len(following))).astype(np.int64)
    at_end = following[last] == last
    while True:
        hops = hops + hops[last]
        last = last[last]
        now_at_end = following[last] == last
        # A chain has half-edges at every distance from its end: when a doubling reaches no further end, rings are left.
        if np.array_equal(now_at_end, at_end):
            return last, hops
        at_end = now_at_end


def _open_rings(following: Longs, tail: Longs, in_ring: NDArray[np.bool_]) -> None:
    """Ends, in place, the chain of every ring at the ring's lowest node, in both directions."""
    members = np.flatnonzero(in_ring)
    index = np.empty(len(following), dtype=np.int64)
    index[members] = np.arange(len(members))
    step = index[following[members]]
    lowest = tail[members]
    while True:
        lower = np.minimum(lowest, lowest[step])
        if np.array_equal(lower, lowest):
            break
        lowest, step = lower, step[step]
    arrives = members[tail[following[members]] == lowest]
    following[arrives] = arrives


def _lay_out(segments: Segments, following: Longs, last: Longs, hops: Longs) -> Chains:
    count = len(segments.start)
    tail = np.concatenate((segments.start, segments.end))
    is_first = np.ones(2 * count, dtype=bool)
    is_first[following[following != np.arange(2 * count)]] = False
    first = np.flatnonzero(is_first)
    # Each chain is there twice, once a direction: keep the one that begins with the lower half-edge.
    first = first[first < _twin(last[first], count)]
    size = hops[first] + 1
    node_first = np.zeros(len(first) + 1, dtype=np.int64)
    np.cumsum(size + 1, out=node_first[1:])
    chain_of_last = np.full(2 * count, -1, dtype=np.int64)
    chain_of_last[last[first]] = np.arange(len(first))
    chain = chain_of_last[last]
    member = np.flatnonzero(chain >= 0)
    chain = chain[member]
    nodes = np.empty(node_first[-1], dtype=np.int64)
    place = size[chain] - 1 - hops[member]
    nodes[node_first[chain] + place] = tail[member]
    ends = last[first]
    nodes[node_first[1:] - 1] = tail[_twin(ends, count)]
    step_first = node_first - np.arange(len(node_first))
    half_edge = np.empty(step_first[-1], dtype=np.int64)
    half_edge[step_first[chain] + place] = member
    return Chains(
        node_first=node_first,
        nodes=nodes,
        segment=np.where(first < count, first, first - count),
        along=first < count,
        step_first=step_first,
        step=np.where(half_edge < count, half_edge, half_edge - count),
        step_along=half_edge < count,
    )
