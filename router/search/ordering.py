"""The best order of visits, exactly: Held and Karp's dynamic program (1962), with labels where visits have windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled
from router.search.heap import NONE, Whole
from router.search.kernel import Floats, Ints

MOST_EXACT: Final = 12
"""The program's work doubles with each visit more."""

_SECONDS, _BESIDE = 0, 1
_STAY, _EARLIEST, _LATEST = 0, 1, 2
_TIME, _EXTRA, _PARENT, _NEXT, _VISIT = 0, 1, 2, 3, 4
_NONE: Final = -1
_FIRST_LABELS: Final = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """What is to be ordered: n visits between a start and an end.

    What an order costs is the sum of `extra` over its legs and `rate` for each second until the end is reached, waits
    among them and stays left out. In the matrices, row and column 0 are the start, 1 to n the visits, n + 1 the end.

    Attributes:
        seconds: float64[n + 2, n + 2], the time from one to another; any finite number where there is no way.
        extra: float64[n + 2, n + 2], what that way costs beside its time; infinity where there is none.
        rate: What a second costs, not negative.
        stay: float64[n], how long each visit lasts, seconds.
        earliest: float64[n], when a visit may begin, seconds after the start; who comes sooner waits.
        latest: float64[n], when it must have begun; infinity for no bound.
    """

    seconds: Floats
    extra: Floats
    rate: float
    stay: Floats
    earliest: Floats
    latest: Floats

    @property
    def has_windows(self) -> bool:
        """True when it matters at what time a visit begins."""
        return bool((self.earliest > 0).any() or np.isfinite(self.latest).any())

    def timeless(self) -> Visits:
        """The same orders at the same costs where there are no windows, with time as an extra: one thing to track."""
        nothing = np.zeros_like(self.stay)
        extra = self.extra + self.rate * self.seconds
        return Visits(np.zeros_like(extra), extra, 0.0, nothing, nothing, nothing + np.inf)

    def legs(self) -> Floats:
        """Seconds and extra cost as compiled code takes them, float64[2, n + 2, n + 2]."""
        return np.stack([self.seconds, self.extra])

    def windows(self) -> Floats:
        """Stay, earliest and latest likewise, float64[3, n]."""
        return np.stack([self.stay, self.earliest, self.latest])

    def without_bounds(self, visits: Sequence[int]) -> Visits:
        """The same, with these visits (0 to n - 1) to begin as late as one likes."""
        latest = self.latest.copy()
        latest[list(visits)] = np.inf
        return replace(self, latest=latest)


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Visits in an order.

    Attributes:
        visits: int32[n], 0 to n - 1.
        begins: float64[n], when each visit begins, in this order, seconds after the start.
        ends: When the end is reached, seconds after the start.
        cost: What it costs, as Visits says; infinite where there is no way.
        late: float64[n], by how much each begins too late, in this order, seconds.
    """

    visits: Ints
    begins: Floats
    ends: float
    cost: float
    late: Floats

    @property
    def holds(self) -> bool:
        """True when there are ways between all, and no visit begins too late."""
        return bool(np.isfinite(self.cost) and not self.late.any())


def in_order(visits: Visits, order: Sequence[int] | NDArray[np.int32]) -> Order:
    """What visits cost in one order, and when each begins."""
    time, cost, at, begins, late = 0.0, 0.0, 0, [], []
    for visit in order:
        arrival = time + float(visits.seconds[at, visit + 1])
        begins.append(max(arrival, float(visits.earliest[visit])))
        bound = float(visits.latest[visit])
        late.append(0.0 if begins[-1] <= bound else begins[-1] - bound)
        time = begins[-1] + float(visits.stay[visit])
        cost += float(visits.extra[at, visit + 1])
        at = visit + 1
    time += float(visits.seconds[at, -1])
    cost += float(visits.extra[at, -1]) + visits.rate * (time - float(visits.stay.sum()))
    return Order(np.array(order, dtype=np.int32), np.array(begins), time, cost, np.array(late))


def best_order(visits: Visits) -> Order | None:
    """The order that costs least, of those the one that ends first; None when none meets all windows.

    A label is an order of some of the visits that ends with one of them. Of those with the same visits and the same
    last one, one that ends later and costs no less beside its time can be left out whatever follows: that leaves one
    where there are no windows, and otherwise so few that it stays quick. At most MOST_EXACT visits.
    """
    solved = visits if visits.has_windows else visits.timeless()
    order = np.empty(len(visits.stay), dtype=np.int32)
    n = len(order)
    labels, first = np.empty((_FIRST_LABELS, 5)), np.full((1 << n) * n, _NONE, dtype=np.int32)
    found = _best(solved.legs(), solved.windows(), solved.rate, labels, first, order)
    return in_order(visits, order) if found else None


def conflict(visits: Visits) -> tuple[int, ...]:
    """Visits whose windows cannot be met together, of which none can be left out, where there is no best order.

    Empty where it is not the windows that stand in the way.
    """
    bounded = [int(visit) for visit in np.flatnonzero(np.isfinite(visits.latest))]
    free: list[int] = []
    if best_order(visits.without_bounds(bounded)) is None:
        return ()
    for visit in bounded:
        if best_order(visits.without_bounds([*free, visit])) is None:
            free.append(visit)
    return tuple(visit for visit in bounded if visit not in free)


@compiled
def _insert(labels: Floats, size: int, first: Ints, state: int, time: float, extra: float) -> int:
    """Puts a label where it belongs in its state's list, by time, unless another is as good; returns the new size.

    It stands in row `size`; the list is left in falling order of what its labels cost beside their time.
    """
    before = _NONE
    at = first[state]
    while at >= 0 and labels[at, _TIME] <= time:
        if labels[at, _EXTRA] <= extra:
            return size
        if labels[at, _TIME] == time:
            break
        before = at
        at = int(labels[at, _NEXT])
    while at >= 0 and labels[at, _EXTRA] >= extra:
        at = int(labels[at, _NEXT])
    labels[size, _TIME] = time
    labels[size, _EXTRA] = extra
    labels[size, _NEXT] = at
    if before < 0:
        first[state] = size
    else:
        labels[before, _NEXT] = size
    return size + 1


@compiled
def _extend(
    legs: Floats, windows: Floats, labels: Floats, size: int, first: Ints, label: Whole, visited: int
) -> tuple[Floats, int]:
    """Goes on from a label to each visit that is left; returns the labels, which may have moved, and their number."""
    n = windows.shape[1]
    here = int(labels[label, _VISIT]) + 1
    for visit in range(n):
        if visited >> visit & 1:
            continue
        begins = max(labels[label, _TIME] + legs[_SECONDS, here, visit + 1], windows[_EARLIEST, visit])
        extra = labels[label, _EXTRA] + legs[_BESIDE, here, visit + 1]
        if begins > windows[_LATEST, visit] or extra == np.inf:
            continue
        if size == len(labels):
            labels = np.concatenate((labels, np.empty_like(labels)))
        labels[size, _PARENT] = label
        labels[size, _VISIT] = visit
        state = (visited | 1 << visit) * n + visit
        size = _insert(labels, size, first, state, begins + windows[_STAY, visit], extra)
    return labels, size


@compiled
def _best(legs: Floats, windows: Floats, rate: float, labels: Floats, first: Ints, order: Ints) -> bool:
    """Writes the best order into `order`; False when there is none. The arrays are those of `Visits`, stacked."""
    n = len(order)
    labels[0, _TIME] = 0.0
    labels[0, _EXTRA] = 0.0
    labels[0, _VISIT] = _NONE
    labels, size = _extend(legs, windows, labels, NONE + 1, first, NONE, NONE)
    for visited in range(1, 1 << n):
        for last in range(n):
            label = np.int64(first[visited * n + last])
            while label >= 0:
                labels, size = _extend(legs, windows, labels, size, first, label, visited)
                label = np.int64(labels[label, _NEXT])
    best: Whole = _NONE
    least = np.inf
    soonest = np.inf
    for last in range(n):
        label = np.int64(first[((1 << n) - 1) * n + last])
        while label >= 0:
            time = labels[label, _TIME] + legs[_SECONDS, last + 1, n + 1]
            cost = labels[label, _EXTRA] + legs[_BESIDE, last + 1, n + 1] + rate * time
            if cost < least or (cost == least and cost < np.inf and time < soonest):
                best = label
                least = cost
                soonest = time
            label = np.int64(labels[label, _NEXT])
    if best < 0:
        return False
    for place in range(n - 1, -1, -1):
        order[place] = int(labels[best, _VISIT])
        best = int(labels[best, _PARENT])
    return True
