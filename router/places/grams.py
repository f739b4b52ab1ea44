"""Trigrams: what a name and a misspelling of it still share, as whole numbers.

A gram is three letters in a row, spaces left out, packed 21 bits each. How a word begins is a gram as well, of its
first letter and of its first two, so that a word is found from its first letter on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]
Ints = NDArray[np.int32]

LETTERS: Final = 3
"""How many letters make a gram."""

_BITS: Final = 21
_BEGINNING: Final = 1
_NOTHING: Final = 0
_SPACE: Final = 0x20
_BREAK: Final = 0x0A
_INITIAL: Final = 1 << 20
"""Sets grams of initials apart: no letter that has a name is that far up."""


def grams(texts: Sequence[str], *, of_initials: bool = False) -> tuple[Longs, Ints]:
    """The grams of each text, int64[g], and the index of the text that each is of, int32[g]; in no order, with repeats.

    Texts are folded words with a space between them.
    """
    letters = np.frombuffer("\n".join(("", *texts, "")).encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    is_letter = (letters != _SPACE) & (letters != _BREAK)
    owner = (np.cumsum(letters == _BREAK) - 1)[is_letter]
    begins = np.flatnonzero(~is_letter[np.flatnonzero(is_letter) - 1])
    letter = letters[is_letter]
    first = letter | _INITIAL if of_initials else letter
    inside = _same(owner, LETTERS - 1)
    second = begins[np.isin(begins, _same(owner, 1), assume_unique=True)]
    beginning = _BEGINNING | _INITIAL if of_initials else _BEGINNING
    found = (
        _packed(first[inside], letter[inside + 1], letter[inside + 2]),
        _packed(np.full(len(begins), beginning), letter[begins], np.full(len(begins), _NOTHING)),
        _packed(np.full(len(second), beginning), letter[second], letter[second + 1]),
    )
    of = np.concatenate((owner[inside], owner[begins], owner[second]))
    return np.concatenate(found), of.astype(np.int32)


def _same(owner: Longs, steps: int) -> Longs:
    """Where the letter so many steps on is of the same text."""
    return np.flatnonzero(owner[: max(len(owner) - steps, 0)] == owner[steps:])


def _packed(first: Longs, second: Longs, third: Longs) -> Longs:
    packed: Longs = (first << 2 * _BITS) | (second << _BITS) | third
    return packed
