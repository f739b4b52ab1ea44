"""Least-cost ways by climbing a contraction from both ends: exact, and a matter of a few hundred ranks in any city.

Every least-cost way has one of equal cost that first climbs from rank to rank over links, and then descends. So it is
enough to climb the elimination tree from either end, lowest rank first, and to see where the two meet at least cost;
the links climbed are then taken apart into the arcs that they stand for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from mesh.errors import CleanAirError
from router.search.compiled import compiled
from router.search.contraction import Contraction
from router.search.customization import CLOSED_LINK, CustomizedMetric, Table
from router.search.kernel import NO_ENTRY, UNREACHABLE, Ints, Longs
from router.search.prefetching import LINE, prefetch
from router.search.tariff import charge

# A label's columns: two distances, and beside each the link by which, or the complement of a row of ends.
_FORTH, _BACK = 0, 2
_LINK = 1
_LABEL_COLUMNS = 4
_AHEAD = 4
_RANK, _COST = 0, 1
# A stacked link's columns: it, and the ranks that it is travelled from and to.
_WHICH, _FROM, _TO, _STACK_COLUMNS = range(4)

NOWHERE: Final = -1
"""In place of how many arcs a way has: there is none."""

TORN: Final = -2
"""Likewise: the metric does not fit itself."""


class TornMetric(CleanAirError):
    """A metric was written to while a query read it, or was customised for another contraction."""

    reason = "TORN_METRIC"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The cheapest way between some nodes.

    Attributes:
        cost: With what the ends cost.
        seed: By which of the seeds it starts.
        entry: By which of the entries it ends.
        arcs: int32[j], from the node of that seed to the node of that entry, in order; none when they are one node.
    """

    cost: int
    seed: int
    entry: int
    arcs: Ints


class Climbs(NamedTuple):
    """What a query writes to: of one thread at a time, and clean between queries.

    Attributes:
        labels: int64[n, 4], distances from the seeds and to the entries, with the link by which.
        links: int32[h, 3], room for the links of one climb, and one more for each rank that a link is taken apart at.
        ranks: int32[n], those that the ends reach upwards.
    """

    labels: Longs
    links: Table
    ranks: Ints

    @classmethod
    def over(cls, contraction: Contraction) -> Self:
        """Room for queries over one contraction."""
        labels = np.full((contraction.node_count, _LABEL_COLUMNS), UNREACHABLE, dtype=np.int64)
        links = np.zeros((2 * contraction.height + 1, _STACK_COLUMNS), dtype=np.int32)
        return cls(labels, links, np.zeros(contraction.node_count, dtype=np.int32))


class _Workspace(threading.local):
    """Each thread has its own."""

    def __init__(self, contraction: Contraction) -> None:
        self.climbs = Climbs.over(contraction)
        self.arcs: Ints = np.zeros(contraction.node_count, dtype=np.int32)


class ContractionQuery:
    """Finds cheapest ways between nodes over one contraction; any number of threads may ask at once."""

    def __init__(self, contraction: Contraction) -> None:
        self._contraction = contraction
        self._workspace = _Workspace(contraction)

    def find(
        self,
        metric: CustomizedMetric,
        seeds: Sequence[tuple[int, int]],
        entries: Sequence[tuple[int, int]],
        *,
        below: int = int(UNREACHABLE),
    ) -> Found | None:
        """The cheapest way from any of the seeds to any of the entries; None when there is none.

        Args:
            metric: What to minimise.
            seeds: Nodes to start from, each with the cost of getting there.
            entries: Nodes to end at, each with the cost from there on.
            below: Ways that cost this or more are of no interest.
        """
        space, rank = self._workspace, self._contraction.rank
        rows = [(int(rank[node]), cost) for node, cost in (*seeds, *entries)]
        ends = np.array(rows, dtype=np.int64).reshape(-1, 2)
        cost, seed, entry, count = cheapest(
            self._contraction, metric, ends, len(seeds), below, space.climbs, space.arcs
        )
        if count == NOWHERE:
            return None
        if count == TORN:
            raise torn()
        return Found(cost, seed, entry, space.arcs[:count].copy())


def torn() -> TornMetric:
    """The error to raise where `cheapest` answers TORN."""
    return TornMetric("A metric of the router does not fit its streets, or changed while it was read; ask again.")


@compiled
def cheapest(
    topology: Contraction,
    metric: CustomizedMetric,
    ends: Longs,
    seed_count: int,
    below: int,
    climbs: Climbs,
    arcs: Ints,
) -> tuple[int, int, int, int]:
    """The least cost, the seed and the entry, and how many arcs the way between them has; it writes these to `arcs`.

    Args:
        topology: The links.
        metric: What they cost.
        ends: int64, rows of (rank, cost): the seeds, then the entries.
        seed_count: How many of them are seeds.
        below: Only ways cheaper than this count.
        climbs: To write to; clean again when it returns.
        arcs: int32, room for as many as there are nodes.
    """
    labels, ranks = climbs.labels, climbs.ranks
    climbers = np.empty(len(ends), np.int64)
    for row in range(len(ends)):
        here = ends[row, _RANK]
        column = _FORTH if row < seed_count else _BACK
        if ends[row, _COST] < labels[here, column]:
            labels[here, column] = ends[row, _COST]
            labels[here, column + _LINK] = ~row
        climbers[row] = here
    passed = _all_above(topology, climbers, ranks)
    cost, summit = _climb(topology, metric, labels, ranks[:passed], below)
    seed = entry = NO_ENTRY
    count = NOWHERE
    if summit != NOWHERE:
        seed, entry, count = _way(topology, metric, labels, summit, climbs.links, arcs)
        entry -= seed_count
    for here in ranks[:passed]:
        labels[here, _FORTH] = UNREACHABLE
        labels[here, _BACK] = UNREACHABLE
    return cost, seed, entry, count


@compiled
def _all_above(topology: Contraction, climbers: Longs, ranks: Ints) -> int:
    """Writes the ranks that climbers come to, the lowest first, each once; returns how many they are."""
    count = 0
    while True:
        here = _next(topology.parent, climbers)
        if here == len(topology.parent):
            return count
        prefetch(topology.first_up, here)
        ranks[count] = here
        count += 1


@compiled
def _climb(topology: Contraction, metric: CustomizedMetric, labels: Longs, ranks: Ints, below: int) -> tuple[int, int]:
    """Labels all that the ends reach upwards, by these ranks; returns the least cost of meeting, and at which rank."""
    best = below
    summit = NOWHERE
    for place in range(len(ranks)):
        if place + _AHEAD < len(ranks):
            later = ranks[place + _AHEAD]
            for link in range(topology.first_up[later], topology.first_up[later + 1], LINE):
                prefetch(topology.upper, link)
                prefetch(metric.up, link)
                prefetch(metric.down, link)
        here = ranks[place]
        forth, back = labels[here, _FORTH], labels[here, _BACK]
        # Nothing is added that is too much alone; so no sum overflows.
        if forth < best and back < best and forth + back < best:
            best = forth + back
            summit = here
        if forth < best:
            _relax(topology, metric.up, here, labels, _FORTH)
        if back < best:
            _relax(topology, metric.down, here, labels, _BACK)
    return best, summit


@compiled
def _next(parent: Ints, climbers: Longs) -> int:
    """The lowest rank that any climber has come to; whoever is there moves on. n when all are through."""
    here = len(parent)
    for climber in climbers:
        here = min(here, climber)
    if here < len(parent):
        for row in range(len(climbers)):
            if climbers[row] == here:
                climbers[row] = parent[here]
    return here


@compiled
def _relax(topology: Contraction, cost: Ints, here: int, labels: Longs, column: int) -> None:
    distance = labels[here, column]
    # Without a sign, an index needs no check for being counted from the end: here and below a fifth of the time.
    for link in range(np.uint64(topology.first_up[here]), np.uint64(topology.first_up[here + 1])):
        there = np.uint64(topology.upper[link])
        if distance + cost[link] < labels[there, column] and cost[link] != CLOSED_LINK:
            labels[there, column] = distance + cost[link]
            labels[there, column + _LINK] = link


@compiled
def _way(
    topology: Contraction, metric: CustomizedMetric, labels: Longs, summit: int, links: Table, arcs: Ints
) -> tuple[int, int, int]:
    """The rows of `ends` by which the way over a rank starts and ends, and how many arcs it has, written to `arcs`."""
    # The climb from the seed is known from the top down: stacked, its links come off in the order of travel.
    size = 0
    here = summit
    while labels[here, _FORTH + _LINK] >= 0:
        link = labels[here, _FORTH + _LINK]
        _stack(topology, links, size, link, topology.lower[link], here)
        size += 1
        here = topology.lower[link]
    seed = ~labels[here, _FORTH + _LINK]
    count = _take_apart(topology, metric, links, size, arcs, 0)
    here = summit
    while labels[here, _BACK + _LINK] >= 0 and count != TORN:
        link = labels[here, _BACK + _LINK]
        _stack(topology, links, 0, link, here, topology.lower[link])
        count = _take_apart(topology, metric, links, 1, arcs, count)
        here = topology.lower[link]
    return seed, ~labels[here, _BACK + _LINK], count


@compiled
def _stack(topology: Contraction, links: Table, size: int, link: int, tail: int, head: int) -> None:
    links[size, _WHICH], links[size, _FROM], links[size, _TO] = link, tail, head
    prefetch(topology.first_arc, link)


@compiled
def _take_apart(
    topology: Contraction, metric: CustomizedMetric, links: Table, size: int, arcs: Ints, count: int
) -> int:
    """Appends the arcs of stacked links to `arcs`, those of the last link first; returns how many there are then.

    TORN when costs and weights do not fit each other: links are not explained, or by more arcs than there are nodes.

    A link xy that no arc on it explains goes by way of the lowest z whose links zx and zy explain it: by the lowest, as
    then no node is passed twice, even where ways cost nothing.
    """
    while size > 0:
        size -= 1
        link, x, y = links[size, _WHICH], links[size, _FROM], links[size, _TO]
        upwards = x < y
        cost = metric.up[link] if upwards else metric.down[link]
        arc = _explaining_arc(topology, metric, link, upwards, cost)
        if arc != NOWHERE:
            if count == len(arcs):
                return TORN
            arcs[count] = arc
            count += 1
            continue
        # The way leads from x down to z, and up again to y.
        z, zx, zy = _explaining_links(topology, metric, x, y, cost)
        if z == NOWHERE:
            return TORN
        prefetch(topology.first_down, z)
        _stack(topology, links, size, zy, z, y)
        _stack(topology, links, size + 1, zx, x, z)
        size += 2
    return count


@compiled
def _explaining_arc(topology: Contraction, metric: CustomizedMetric, link: int, upwards: bool, cost: int) -> int:  # noqa: FBT001 - compiled
    """An arc that lies on a link, leads the same way and costs as much."""
    for at in range(topology.first_arc[link], topology.first_arc[link + 1]):
        arc: int = topology.arc_on[at] if upwards else ~topology.arc_on[at]
        if arc >= 0 and cost_at(metric, at) == cost:
            return arc
    return NOWHERE


@compiled
def cost_at(metric: CustomizedMetric, place: int) -> int:
    """What the arc at a place among all costs; CLOSED where it may not be used."""
    # What costs nothing need not be fetched.
    load = np.float64(metric.load[place]) if metric.tariff.load > 0.0 else 0.0
    millimeters = int(metric.millimeters[place]) if metric.tariff.length > 0.0 else 0
    return charge(metric.tariff, metric.milliseconds[place], load, millimeters)


@compiled
def _explaining_links(
    topology: Contraction, metric: CustomizedMetric, x: int, y: int, cost: int
) -> tuple[int, int, int]:
    """The lowest rank z such that from x down to z and up to y costs as much, and the links to it."""
    at_x, last_x = np.uint64(topology.first_down[x]), np.uint64(topology.first_down[x + 1])
    at_y, last_y = np.uint64(topology.first_down[y]), np.uint64(topology.first_down[y + 1])
    one = np.uint64(1)
    while at_x < last_x and at_y < last_y:
        if topology.down_end[at_x] < topology.down_end[at_y]:
            at_x += one
        elif topology.down_end[at_x] > topology.down_end[at_y]:
            at_y += one
        else:
            zx, zy = topology.down[at_x], topology.down[at_y]
            if metric.down[np.uint64(zx)] + metric.up[np.uint64(zy)] == cost:
                return int(topology.down_end[at_x]), zx, zy
            at_x += one
            at_y += one
    return NOWHERE, NOWHERE, NOWHERE
