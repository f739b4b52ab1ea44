from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.places.grams import grams

WORDS = st.lists(st.text("ㄱㅏb강", min_size=1, max_size=5), min_size=1, max_size=3).map(" ".join)


def by_definition(text: str) -> set[tuple[int, int, int]]:
    joined = text.replace(" ", "")
    found = {(ord(joined[at]), ord(joined[at + 1]), ord(joined[at + 2])) for at in range(len(joined) - 2)}
    at = 0
    for word in text.split(" "):
        found.add((1, ord(joined[at]), 0))
        if at + 1 < len(joined):
            found.add((1, ord(joined[at]), ord(joined[at + 1])))
        at += len(word)
    return found


def unpacked(gram: int) -> tuple[int, int, int]:
    part = (1 << 21) - 1
    return gram >> 42, (gram >> 21) & part, gram & part


@given(st.lists(WORDS, max_size=4))
def test_grams_are_those_of_the_definition(texts: list[str]) -> None:
    gram, owner = grams(texts)
    for index, text in enumerate(texts):
        assert {unpacked(each) for each in gram[owner == index].tolist()} == by_definition(text)
    assert set(owner.tolist()) == set(range(len(texts)))


@given(WORDS)
def test_initials_are_never_taken_for_keys(text: str) -> None:
    assert not set(grams([text])[0].tolist()) & set(grams([text], of_initials=True)[0].tolist())


@given(WORDS, WORDS)
def test_what_a_name_begins_with_shares_all_its_grams(beginning: str, rest: str) -> None:
    first = beginning.split(" ", maxsplit=1)[0]
    name = set(grams([first + rest])[0].tolist())
    assert set(grams([first])[0].tolist()) <= name
