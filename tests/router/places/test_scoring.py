from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.places.folding import words
from router.places.scoring import Query, match_score, misspelt_score, read, read_on_other_keyboard

NAMES = st.lists(st.text("강남역서울대학병원gs25", min_size=1, max_size=5), min_size=1, max_size=3).map(" ".join)


def score(typed: str, name: str) -> float:
    query = read(typed)
    assert query is not None
    spelling = " ".join(words(name))
    right, misspelt = match_score(query, spelling), misspelt_score(query, spelling)
    assert not right or misspelt <= max(right, 0.85), "an error never makes a name match better"
    return right or misspelt


@pytest.mark.parametrize(
    "worse_and_worse",
    [
        ("강남역", "강남", "강나", "강", "남역", "역"),
        ("강남역", "ㄱㄴㅇ", "강ㄴㅇ", "ㄱㄴ", "ㄴㅇ"),
        ("강남역", "강냠역", "갈남녁"),
    ],
)
def test_what_says_less_of_a_name_matches_less(worse_and_worse: tuple[str, ...]) -> None:
    scores = [score(typed, "강남역") for typed in worse_and_worse]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("강 남역", "강남역"),
        ("강남역", "강남 역"),
        ("강ㄴ", "강남역"),
        ("ㄳ", "강서구청"),
        ("병원 서울", "서울대학교 병원"),
        ("대학교", "서울대학교"),
        ("gangnam sta", "Gangnam Station"),
        ("ganfnam", "Gangnam Station"),
        ("gnagnam", "Gangnam Station"),
        ("cafe opera", "Café de l'Opéra"),
        ("스타벅스 강냄", "스타벅스 강남점"),
        ("GS25", "gs 25 역삼점"),
    ],
)
def test_it_matches(typed: str, name: str) -> None:
    assert score(typed, name) > 0.3


@pytest.mark.parametrize(
    ("typed", "name"),
    [("강북", "강남"), ("ㄱㄴㅇ", "강남구"), ("강ㄴㅇ", "구남역"), ("main", "Kirchgasse"), ("역", "강남")],
)
def test_it_does_not_match(typed: str, name: str) -> None:
    assert score(typed, name) == 0.0


@given(NAMES, NAMES)
def test_a_score_is_a_share_and_one_for_the_name_alone(typed: str, name: str) -> None:
    found = score(typed, name)
    assert 0 <= found <= 1
    assert (found == 1) == ("".join(words(typed)) == "".join(words(name)))


@given(NAMES, st.data())
def test_every_beginning_finds_the_name(name: str, data: st.DataObject) -> None:
    typed = name[: data.draw(st.integers(1, len(name)))]
    assert score(typed, name) >= 0.7


def test_the_other_keyboard_types_the_name() -> None:
    for typed in ("rkdska", "ㅎ무ㅎㅜ므"):
        query = read_on_other_keyboard(typed)
        assert query is not None
        assert max(match_score(query, name) for name in ("강남", "gangnam")) == 1.0
    assert read_on_other_keyboard("rsd") == Query(("ㄱㄴㅇ",))
    assert read("?!") is None
