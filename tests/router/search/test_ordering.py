"""The best order of visits, against all orders one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.search.memetic import good_order
from router.search.ordering import best_order, conflict, in_order
from tests.router.search.orders import all_costs, drawn


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 6),
    window_s=st.sampled_from([None, 1000.0, 4000.0, 16000.0]),
    rate=st.sampled_from([0.0, 1.0]),
    ways=st.sampled_from([1.0, 0.7]),
)
def test_no_order_costs_less(seed: int, n: int, window_s: float | None, rate: float, ways: float) -> None:
    visits = drawn(seed, n, window_s=window_s, rate=rate, ways=ways)
    least = min((cost for cost, _ in all_costs(visits)), default=None)
    best, good = best_order(visits), good_order(visits)
    if least is None or best is None:
        assert (least, best, good.holds) == (None, None, False)
        return
    assert best.cost == pytest.approx(least, rel=1e-12)
    assert best.holds
    assert sorted(best.visits) == list(range(n))
    if good.holds:
        assert good.cost >= best.cost * (1 - 1e-12)


def test_seven_visits_and_a_way_that_is_not_the_same_back() -> None:
    visits = drawn(7, 7)
    best = best_order(visits)
    assert best is not None
    least, order = min(all_costs(visits))
    assert best.cost == pytest.approx(least)
    assert tuple(best.visits) == order


def test_one_waits_for_a_window_and_stays() -> None:
    # From the start to the visit 100 s, from there to the end 50 s.
    visits = replace(drawn(1, 1), seconds=np.array([[0, 100, 9], [9, 0, 50], [9, 9, 0]], dtype=float))
    visits = replace(visits, earliest=np.array([300.0]), latest=np.array([300.0]), stay=np.array([60.0]))
    order = in_order(visits, [0])
    assert order.begins.tolist() == [300.0]
    assert order.ends == 410.0
    assert order.cost == visits.extra[0, 1] + visits.extra[1, 2] + 350.0


def test_of_orders_that_cost_the_same_the_one_that_ends_first() -> None:
    # Only the length counts, and all legs are as long: what decides is the wait for the first visit.
    seconds, extra = np.full((4, 4), 100.0), np.ones((4, 4))
    nothing = np.zeros(2)
    visits = replace(drawn(1, 2), seconds=seconds, extra=extra, rate=0.0, stay=nothing)
    best = best_order(replace(visits, earliest=np.array([900.0, 0.0]), latest=np.array([np.inf, 1e6])))
    assert best is not None
    assert best.visits.tolist() == [1, 0]
    assert best.ends == 1000.0


class TestConflict:
    def test_names_the_windows_that_cannot_be_met_together_and_no_other(self) -> None:
        visits = drawn(3, 5)
        latest = np.full(5, 1e6)
        # Nobody is at two places at once.
        earliest = np.zeros(5)
        earliest[[1, 3]] = latest[[1, 3]] = 20_000.0
        impossible = replace(visits, earliest=earliest, latest=latest)
        assert best_order(impossible) is None
        assert conflict(impossible) == (1, 3)

    def test_names_the_one_that_is_too_far(self) -> None:
        visits = drawn(3, 4)
        latest = np.array([1e6, 1e6, visits.seconds[0, 3] - 1, np.inf])
        visits = replace(visits, latest=np.where(latest < 1e6, np.minimum(latest, 1.0), latest))
        assert conflict(visits) == (2,)

    def test_names_none_where_there_is_no_way(self) -> None:
        visits = drawn(3, 4, ways=0.0)
        assert conflict(replace(visits, latest=np.full(4, 1e6))) == ()


class TestMemetic:
    @pytest.mark.parametrize("window_s", [None, 6000.0])
    def test_it_finds_the_best_order_of_ten_nearly_always(self, window_s: float | None) -> None:
        hits = 0
        for seed in range(20):
            visits = drawn(seed, 10, window_s=window_s)
            best, good = best_order(visits), good_order(visits)
            hits += not good.holds if best is None else good.holds and good.cost <= best.cost * (1 + 1e-9)
        assert hits >= 19

    def test_the_same_visits_give_the_same_order(self) -> None:
        visits = drawn(5, 30)
        assert good_order(visits).visits.tolist() == good_order(visits).visits.tolist()

    def test_no_single_move_improves_thirty_visits(self) -> None:
        visits = drawn(6, 30)
        good = good_order(visits)
        order = good.visits.tolist()
        for visit in range(30):
            rest = [other for other in order if other != visit]
            for place in range(30):
                assert in_order(visits, [*rest[:place], visit, *rest[place:]]).cost >= good.cost * (1 - 1e-8)
