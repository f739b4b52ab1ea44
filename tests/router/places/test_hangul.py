from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.places.folding import words
from router.places.hangul import initials, is_consonant, is_vowel, keys, on_other_keyboard

SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "typed", "initial"),
    [
        ("강남역", "ㄱㅏㅇㄴㅏㅁㅇㅕㄱ", "ㄱㄴㅇ"),
        ("과천", "ㄱㅗㅏㅊㅓㄴ", "ㄱㅊ"),
        ("삯 24", "ㅅㅏㄱㅅ 24", "ㅅ 24"),
        ("까치산", "ㄲㅏㅊㅣㅅㅏㄴ", "ㄲㅊㅅ"),
        ("Main 길", "Main ㄱㅣㄹ", "Main ㄱ"),
    ],
)
def test_a_syllable_is_the_keys_that_type_it(text: str, typed: str, initial: str) -> None:
    assert keys(text) == typed
    assert initials(text) == initial


@given(SYLLABLES)
def test_keys_agree_with_unicode(text: str) -> None:
    """Unicode's own names of letters, such as HANGUL CHOSEONG KIYEOK, tell the first of each syllable."""
    decomposed = [unicodedata.normalize("NFD", syllable) for syllable in text]
    names = [unicodedata.name(letters[0]).removeprefix("HANGUL CHOSEONG ") for letters in decomposed]
    assert [unicodedata.name(letter).removeprefix("HANGUL LETTER ") for letter in initials(text)] == names
    assert len(keys(text)) >= sum(len(letters) for letters in decomposed)
    assert all(is_consonant(letter) or is_vowel(letter) for letter in keys(text))


@given(SYLLABLES, SYLLABLES)
def test_what_is_typed_first_is_a_beginning(first: str, second: str) -> None:
    assert keys(first + second).startswith(keys(first))


@given(SYLLABLES)
def test_the_other_keyboard_and_back(text: str) -> None:
    switched = on_other_keyboard(text)
    assert switched.isascii()
    assert len(switched) == len(keys(text))
    if not set("ㄲㄸㅃㅆㅉㅒㅖ") & set(keys(text)):
        assert on_other_keyboard(switched) == keys(text)


def test_a_keyboard_left_in_english() -> None:
    assert on_other_keyboard("rkdska") == keys("강남")
    assert on_other_keyboard("RKDSKA") == keys("강남")
    assert on_other_keyboard("rrOl") == "ㄱㄱㅒㅣ"


@given(st.text(max_size=20))
def test_folding_is_done_once(text: str) -> None:
    folded = words(text)
    assert words(" ".join(folded)) == folded
    assert all(folded)


@given(SYLLABLES)
def test_decomposed_text_is_the_same_text(text: str) -> None:
    assert words(unicodedata.normalize("NFD", text)) == words(text) == (text,)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Café  de l'Opéra", ("cafe", "de", "l", "opera")),
        ("\uff27\uff33\uff12\uff15 강남점", ("gs25", "강남점")),
        ("ㄱㄴㅇ", ("ㄱㄴㅇ",)),
        ("Hämeentie_3", ("hameentie", "3")),
        ("!?…", ()),
    ],
)
def test_folded_text(text: str, folded: tuple[str, ...]) -> None:
    assert words(text) == folded
