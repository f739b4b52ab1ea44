from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.places.misspelling import Typed

LETTERS = "abㄱㅏ"
TEXTS = st.text(LETTERS, max_size=9)
TYPED = st.text(LETTERS, min_size=1, max_size=9)


def by_table(pattern: str, text: str) -> list[int]:
    """Optimal string alignment by its definition: the errors of the pattern against each beginning of the text."""
    table = [[row + column for column in range(len(text) + 1)] for row in range(len(pattern) + 1)]
    for row in range(1, len(pattern) + 1):
        for column in range(1, len(text) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (pattern[row - 1] != text[column - 1]),
            )
            if row > 1 < column and pattern[row - 2 : row] == text[column - 1] + text[column - 2]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return table[len(pattern)]


@given(TYPED, TEXTS)
def test_errors_are_those_of_the_definition(pattern: str, text: str) -> None:
    typed = Typed(pattern)
    assert typed.errors_at_start(text) == (min(by_table(pattern, text)), by_table(pattern, text)[-1])
    assert typed.errors_within(text) == min(min(by_table(pattern, text[start:])) for start in range(len(text) + 1))


@given(TYPED)
def test_what_is_typed_right_has_no_errors(text: str) -> None:
    assert Typed(text).errors_within(text) == 0
    assert Typed(text).errors_at_start(text) == (0, 0)
