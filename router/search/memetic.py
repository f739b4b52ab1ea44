"""A good order of many visits: a genetic search whose every order is improved by local moves (Moscato 1989)."""

from __future__ import annotations

from typing import Final

import numpy as np

from router.search.compiled import compiled
from router.search.heap import NONE
from router.search.kernel import Floats, Ints
from router.search.ordering import Order, Visits, in_order

_PARENTS: Final = 16
_CHILDREN: Final = 120
_SEED: Final = 20_250_901
_LONGEST_RUN: Final = 3
"""A local move takes so many neighbouring visits elsewhere, at most."""

_LATE: Final = 1e9
"""What a second too late costs, and _NO_WAY what a missing way does: more than any order that has neither."""
_NO_WAY: Final = 1e15

# Sums of the same costs in another order differ by roundings, which are no improvement.
_BELOW_ROUNDING: Final = 1 - 1e-9
_SECONDS, _EXTRA = 0, 1
_STAY, _EARLIEST, _LATEST = 0, 1, 2


def good_order(visits: Visits) -> Order:
    """An order that is hard to improve, not surely the best; one that does not hold where none was found that does.

    Sixteen orders, by nearest neighbour, by closing time, and at random, are improved by moving runs of up to three
    visits and by turning pieces round until no such move helps. Then children of two of them by order crossover (Davis
    1985), shaken by one random exchange and improved likewise, take the place of the worst. The same visits always
    give the same order: chance is drawn from a fixed seed.
    """
    n = len(visits.stay)
    chance = np.random.default_rng(_SEED)
    solved = visits if visits.has_windows else visits.timeless()
    legs, windows = np.minimum(solved.legs(), _NO_WAY), solved.windows()
    parents = chance.permuted(np.tile(np.arange(n, dtype=np.int32), (_PARENTS, 1)), axis=1)
    parents[0], parents[1] = _nearest_next(visits), np.argsort(visits.latest, kind="stable")
    cost = np.array([_improve(legs, windows, solved.rate, parent) for parent in parents])
    for _ in range(_CHILDREN):
        mother, father = chance.integers(_PARENTS, size=2)
        child = _cross(parents[mother], parents[father], *sorted(chance.integers(n, size=2).tolist()))
        one, two = chance.integers(n, size=2)
        child[[one, two]] = child[[two, one]]
        born, worst = _improve(legs, windows, solved.rate, child), int(np.argmax(cost))
        # One that costs the same as another is most often the same, and would crowd out what is different.
        if born < cost[worst] and born not in cost:
            parents[worst], cost[worst] = child, born
    return in_order(visits, parents[np.argmin(cost)])


def _cross(mother: Ints, father: Ints, first: int, last: int) -> Ints:
    """A child with the mother's visits in places `first` to `last`, and the others in the father's order."""
    others = father[~np.isin(father, mother[first : last + 1])]
    return np.concatenate([others[:first], mother[first : last + 1], others[first:]])


def _nearest_next(visits: Visits) -> Ints:
    """The order of always going to the next visit that costs least to go to."""
    cost = visits.extra + visits.rate * visits.seconds
    left, at, order = list(range(len(visits.stay))), 0, []
    while left:
        nearest = min(left, key=lambda visit: float(cost[at, visit + 1]))
        left.remove(nearest)
        order.append(nearest)
        at = nearest + 1
    return np.array(order, dtype=np.int32)


@compiled
def _cost(legs: Floats, windows: Floats, rate: float, order: Ints, start: int, end: int, so_far: Floats) -> float:
    """What an order costs that differs from the one that `so_far` knows (see _walk) in places `start` to `end` alone.

    Or what the known one does, if that is no more: then it is not reckoned to its end.
    """
    n = len(order)
    time = so_far[start, _SECONDS]
    cost = so_far[start, _EXTRA]
    known = float(so_far[n + 1, _EXTRA] + rate * so_far[n + 1, _SECONDS])
    here = order[start - 1] + 1 if start else 0
    for at in range(start, n):
        visit = order[at]
        time = max(time + legs[_SECONDS, here, visit + 1], windows[_EARLIEST, visit])
        cost += legs[_EXTRA, here, visit + 1]
        if time > windows[_LATEST, visit]:
            cost += _LATE * (time - windows[_LATEST, visit])
        time += windows[_STAY, visit]
        if cost + rate * time >= known:
            return known
        if at >= end and time == so_far[at + 1, _SECONDS]:
            return float(known + cost - so_far[at + 1, _EXTRA])
        here = visit + 1
    time += legs[_SECONDS, here, n + 1]
    return float(cost + legs[_EXTRA, here, n + 1] + rate * time)


@compiled
def _walk(legs: Floats, windows: Floats, rate: float, order: Ints, so_far: Floats) -> float:
    """What an order costs, all stays counted as time.

    Writes the time and the cost beside it before each place, and those at the end, into `so_far`, float64[n + 2, 2].
    """
    n = len(order)
    time = 0.0
    cost = 0.0
    here = 0
    for at in range(n):
        so_far[at, _SECONDS] = time
        so_far[at, _EXTRA] = cost
        visit = order[at]
        time = max(time + legs[_SECONDS, here, visit + 1], windows[_EARLIEST, visit])
        cost += legs[_EXTRA, here, visit + 1]
        if time > windows[_LATEST, visit]:
            cost += _LATE * (time - windows[_LATEST, visit])
        time += windows[_STAY, visit]
        here = visit + 1
    so_far[n, _SECONDS] = time
    so_far[n, _EXTRA] = cost
    so_far[n + 1, _SECONDS] = time + legs[_SECONDS, here, n + 1]
    so_far[n + 1, _EXTRA] = cost + legs[_EXTRA, here, n + 1]
    return float(so_far[n + 1, _EXTRA] + rate * so_far[n + 1, _SECONDS])


@compiled
def _copy(source: Ints, target: Ints, start: int, end: int) -> None:
    # An assignment of slices would do the same, and take a second to compile each time that it is written.
    for place in range(start, end):
        target[place] = source[place]


@compiled
def _move(order: Ints, first: int, count: int, to: int, moved: Ints) -> None:
    """Writes what changes in an order when `count` visits from place `first` on are taken to place `to` of the rest."""
    for run in range(count):
        moved[to + run] = order[first + run]
    for place in range(to, first):
        moved[place + count] = order[place]
    for place in range(first, to):
        moved[place] = order[place + count]


@compiled
def _turn(order: Ints, first: int, last: int, turned: Ints) -> None:
    """Writes what changes in an order when the piece from place `first` to `last` is turned round."""
    for place in range(first, last + 1):
        turned[place] = order[first + last - place]


@compiled
def _improve(legs: Floats, windows: Floats, rate: float, order: Ints) -> float:
    """Improves an order in place until no move helps; returns what it costs then, with all stays as time.

    Args:
        legs: float64[2, n + 2, n + 2], seconds and extra cost.
        windows: float64[3, n], stay, earliest and latest.
        rate: What a second costs.
        order: int32[n].
    """
    n = len(order)
    other = np.empty(n, dtype=np.int32)
    so_far = np.empty((n + 2, 2))
    best = _walk(legs, windows, rate, order, so_far)
    _copy(order, other, NONE, n)
    runs = min(_LONGEST_RUN, n - 1)
    helped = True
    while helped:
        helped = False
        # Run 0 turns pieces round; the others move runs of that length.
        for run in range(runs + 1):
            for one in range(n - max(run, 1) + 1):
                for two in range(one + 1 if run == 0 else 0, n - max(run, 1) + 1):
                    if one == two:
                        continue
                    if run:
                        _move(order, one, run, two, other)
                    else:
                        _turn(order, one, two, other)
                    start, end = min(one, two), max(one, two) + max(run, 1)
                    if _cost(legs, windows, rate, other, start, end, so_far) < best * _BELOW_ROUNDING:
                        _copy(other, order, start, end)
                        best = _walk(legs, windows, rate, order, so_far)
                        helped = True
                    else:
                        _copy(order, other, start, end)
    return best
