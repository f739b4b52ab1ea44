"""A page token leads to the next page of the same question, and to nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.page_token import InvalidPageToken, PageToken, fingerprint

_TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive there
_IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.lists(_TIMES, max_size=3), _IDS, st.integers(0, 2**32 - 1))
def test_a_token_comes_back_as_it_was(times: list[datetime], text: str, question: int) -> None:
    token = PageToken(text, tuple(times))
    encoded = token.encode(question)
    assert PageToken.decode(encoded, question) == token
    assert len(encoded) <= 200


def _token() -> PageToken:
    time = datetime(2026, 3, 16, tzinfo=UTC)
    return PageToken("중구", (time, time, time))


def test_a_token_of_another_question_is_refused() -> None:
    with pytest.raises(InvalidPageToken):
        PageToken.decode(_token().encode(1), 2)


@given(st.text(max_size=200))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(InvalidPageToken):
        PageToken.decode(text, 1)


@given(st.integers(0, 1000), st.sampled_from("ABCDEFGHijklmnop0189-_"))
def test_a_token_with_one_letter_changed_is_no_token(place: int, letter: str) -> None:
    text = _token().encode(1)
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(InvalidPageToken):
            PageToken.decode(changed, 1)


def test_questions_that_differ_have_different_fingerprints() -> None:
    time = datetime(2026, 3, 16, tzinfo=UTC)
    ids: list[tuple[str, ...]] = [(), ("중구",), ("중구", "가")]
    questions = [(one, start, end) for one in ids for start in (None, time) for end in (None, time)]
    assert len({fingerprint(*question) for question in questions}) == len(questions)
    assert fingerprint("readings", ()) != fingerprint("stations", ())
    assert fingerprint(("가", "나"), None, None) == fingerprint(("나", "가"), None, None)
