"""Resume tokens come back as they were given out, and nothing else passes for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.resume_token import InvalidResumeToken, ResumeToken, UnknownResumeToken

epochs = st.binary(min_size=8, max_size=8).map(bytes.hex)
sequences = st.integers(min_value=0, max_value=2**64 - 1)


@given(epochs, sequences)
def test_a_token_survives_the_way_to_the_client_and_back(epoch: str, sequence: int) -> None:
    token = ResumeToken(epoch, sequence)
    assert ResumeToken.decode(token.encode()) == token
    assert ResumeToken.position(token.encode(), epoch) == sequence


@given(st.text(max_size=60))
def test_garbage_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidResumeToken) as refused:
        ResumeToken.decode(text)
    assert refused.value.field == "resume_token"


@given(epochs, sequences, st.data())
def test_a_token_with_one_letter_changed_is_refused(epoch: str, sequence: int, data: st.DataObject) -> None:
    text = ResumeToken(epoch, sequence).encode()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJabcdefghij0123456789-_").filter(lambda other: other != text[place]))
    with pytest.raises(InvalidResumeToken):
        ResumeToken.decode(text[:place] + letter + text[place + 1 :])


def test_a_token_of_another_store_says_to_start_over() -> None:
    token = ResumeToken("00" * 8, 7).encode()
    with pytest.raises(UnknownResumeToken, match="start over"):
        ResumeToken.position(token, "11" * 8)


def test_no_token_is_the_beginning() -> None:
    assert ResumeToken.position("", "11" * 8) == 0
