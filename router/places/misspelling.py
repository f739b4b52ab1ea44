"""How many typing errors lie between what was typed and a name: letters wrong, missing, too many, or swapped.

Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances" (Nordic Journal of Computing 10,
2003), after Myers (J. ACM 46, 1999): a column of the table of distances is two numbers, a bit for each letter typed.
"""

from __future__ import annotations

from collections.abc import Iterator


class Typed:
    """What was typed, a letter or more, made ready to be held against many texts."""

    def __init__(self, pattern: str) -> None:
        self._length = len(pattern)
        self._places: dict[str, int] = {}
        for index, letter in enumerate(pattern):
            self._places[letter] = self._places.get(letter, 0) | 1 << index

    def errors_within(self, text: str) -> int:
        """The errors against the piece of the text that fits best; never more than against its beginning."""
        return min(self._after_each(text, from_start=False), default=self._length)

    def errors_at_start(self, text: str) -> tuple[int, int]:
        """The errors against the beginning of the text that fits best, and against the whole text."""
        whole = start = self._length
        for whole in self._after_each(text, from_start=True):
            start = min(start, whole)
        return start, whole

    def _after_each(self, text: str, *, from_start: bool) -> Iterator[int]:
        """The errors of the pattern against what ends at each letter, and begins with the text or anywhere."""
        full = (1 << self._length) - 1
        places = self._places
        last = 1 << (self._length - 1)
        more, less, diagonal, before = full, 0, 0, 0
        errors = self._length
        for letter in text:
            here = places.get(letter, 0)
            swapped = ((~diagonal & here) << 1) & before
            diagonal = (((here & more) + more) ^ more) | here | less | swapped
            right, left = less | ~(diagonal | more), diagonal & more
            errors += bool(right & last) - bool(left & last)
            right = (right << 1) | from_start
            more = ((left << 1) | ~(diagonal | right)) & full
            less = right & diagonal & full
            diagonal &= full
            before = here
            yield errors
