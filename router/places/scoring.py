"""What people type, and how well a name answers it.

All is compared as keys (router/places/hangul.py): 강나 is on the way to 강남, and one wrong key is one error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from router.places.folding import words
from router.places.hangul import initials, is_consonant, is_vowel, keys, on_other_keyboard
from router.places.misspelling import Typed

_ERRORS_ALLOWED: Final = ((4, 0), (8, 1), (14, 2))
"""Fewer keys than these are forgiven so many errors."""

_MOST_ERRORS: Final = 3


@dataclass(frozen=True)
class Query:
    """What was typed.

    Attributes:
        words: Folded words; syllables, or keys where the keyboard was the other one.
    """

    words: tuple[str, ...]

    @cached_property
    def is_of_initials(self) -> bool:
        """Whether consonants stand for syllables: ㄱㄴㅇ, 강ㄴㅇ."""
        letters = "".join(self.words)
        return any(map(is_consonant, letters)) and not any(map(is_vowel, letters))

    @cached_property
    def typed_words(self) -> tuple[str, ...]:
        """Each word as keys."""
        return tuple(map(keys, self.words))

    @cached_property
    def typed(self) -> str:
        """All words as keys, without spaces."""
        return "".join(self.typed_words)

    @cached_property
    def pattern(self) -> str:
        """The letters without spaces, where each consonant stands for a syllable."""
        return "".join(keys(letter) if is_consonant(letter) else letter for letter in "".join(self.words))

    @cached_property
    def ready(self) -> Typed:
        """All keys, to be held against names."""
        return Typed(self.typed)

    @cached_property
    def ready_words(self) -> tuple[tuple[Typed, int], ...]:
        """The keys of each word, to be held against names, and how many errors are forgiven in it."""
        return tuple((Typed(word), errors_allowed(len(word))) for word in self.typed_words)

    @property
    def errors_allowed(self) -> int:
        """How many typing errors are forgiven."""
        return 0 if self.is_of_initials else errors_allowed(len(self.typed))


def read(text: str) -> Query | None:
    """What was typed; None where it has no letter."""
    folded = words(text)
    return Query(folded) if folded else None


def read_on_other_keyboard(text: str) -> Query | None:
    """What the same keys would have typed with the keyboard switched; None where that is nothing."""
    return read(on_other_keyboard(text))


def errors_allowed(key_count: int) -> int:
    """How many errors are forgiven in a word of so many keys."""
    return next((errors for fewer, errors in _ERRORS_ALLOWED if key_count < fewer), _MOST_ERRORS)


def match_score(query: Query, spelling: str) -> float:
    """How well a name answers what was typed without an error, 0 to 1: 1 is the name itself, 0 no answer.

    Its beginning counts more than a word in it, and that more than a piece of a word; what covers more of the name
    counts more. `spelling` is folded words with a space between them.
    """
    return _score_of_initials(query, spelling) if query.is_of_initials else _score_of_keys(query, keys(spelling))


def _score_of_initials(query: Query, spelling: str) -> float:
    name, pattern = spelling.replace(" ", ""), query.pattern
    of_name, of_pattern = initials(name), initials(pattern)
    cover = len(pattern) / len(name)
    at = of_name.find(of_pattern)
    while at >= 0:
        if all(
            is_consonant(asked) or keys(there).startswith(keys(asked))
            for asked, there in zip(pattern, name[at:], strict=False)
        ):
            if at == 0:
                return 0.95 if len(pattern) == len(name) else 0.65 + 0.25 * cover
            return 0.4 + 0.2 * cover
        at = of_name.find(of_pattern, at + 1)
    return 0.0


def _score_of_keys(query: Query, name: str) -> float:
    joined, typed = name.replace(" ", ""), query.typed
    if joined == typed:
        return 1.0
    cover = min(len(typed) / len(joined), 1.0)
    if joined.startswith(typed):
        return 0.8 + 0.15 * cover
    words_of_name = name.split(" ")
    if all(any(word.startswith(each) for word in words_of_name) for each in query.typed_words):
        return 0.7 + 0.15 * cover
    if typed in joined:
        return 0.6 + 0.15 * cover
    if all(each in joined for each in query.typed_words):
        return 0.5 + 0.15 * cover
    return 0.0


def misspelt_score(query: Query, spelling: str) -> float:
    """How well a name answers what was typed with as many errors as are forgiven, 0 to 1; 0 where there are more."""
    if query.is_of_initials:
        return 0.0
    joined = keys(spelling).replace(" ", "")
    cover = min(len(query.typed) / len(joined), 1.0)
    count, allowed = len(query.typed), query.errors_allowed
    within = query.ready.errors_within(joined)
    if within <= allowed:
        start, whole = query.ready.errors_at_start(joined)
        if whole <= allowed:
            return 0.85 * (1 - whole / count)
        if start <= allowed:
            return 0.65 * (1 - start / count) + 0.15 * cover
        return 0.45 * (1 - within / count) + 0.15 * cover
    return _score_of_misspelt_words(query, joined, cover) if len(query.words) > 1 else 0.0


def _score_of_misspelt_words(query: Query, joined: str, cover: float) -> float:
    """Each word for itself, in any order."""
    total = 0
    for word, forgiven in query.ready_words:
        within = word.errors_within(joined)
        if within > forgiven:
            return 0.0
        total += within
    return 0.4 * (1 - total / len(query.typed)) + 0.15 * cover
