"""Sensitivity by what a traveller says: more said is never less sensitive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.traveller import LOAD_WORTH, Condition, Sensitivity, Traveller

CONDITIONS = st.frozensets(st.sampled_from(Condition))
ASKED_FOR = st.one_of(st.none(), st.sampled_from(Sensitivity))


def worth(traveller: Traveller) -> float:
    return LOAD_WORTH[traveller.sensitivity]


def test_by_conditions() -> None:
    assert Traveller().sensitivity is Sensitivity.NORMAL
    assert Traveller(conditions=frozenset({Condition.CHILD})).sensitivity is Sensitivity.HIGH
    assert Traveller(conditions=frozenset({Condition.CHILD, Condition.ASTHMA})).sensitivity is Sensitivity.LEAST_DOSE


def test_who_names_little_gets_little_but_never_less_than_a_condition_asks_for() -> None:
    assert Traveller(Sensitivity.LOW).sensitivity is Sensitivity.LOW
    assert Traveller(Sensitivity.LOW, frozenset({Condition.HEART})).sensitivity is Sensitivity.HIGH


@given(ASKED_FOR, CONDITIONS, st.sampled_from(Condition))
def test_one_more_condition_is_never_less_sensitive(
    asked_for: Sensitivity | None, conditions: frozenset[Condition], more: Condition
) -> None:
    assert worth(Traveller(asked_for, conditions | {more})) >= worth(Traveller(asked_for, conditions))


@given(st.lists(st.sampled_from(Sensitivity), min_size=2, max_size=2), CONDITIONS)
def test_naming_more_is_never_less_sensitive(named: list[Sensitivity], conditions: frozenset[Condition]) -> None:
    less, more = sorted(named, key=list(Sensitivity).index)
    assert worth(Traveller(more, conditions)) >= worth(Traveller(less, conditions))
