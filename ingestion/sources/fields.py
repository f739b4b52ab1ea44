"""The fields of a row of data.go.kr: from whatever JSON they hold to bounded text, and to numbers."""

from __future__ import annotations

import math
import re
from typing import Final

from ingestion.sources.data_go_kr_answer import Json

SIMULATED: Final = "모의"
"""The word that marks what the simulated feed serves; nothing real has it."""

_TEXT_LENGTH: Final = 100

_NUMBER: Final = re.compile(r"[+-]?[0-9]{0,12}\.?[0-9]{0,12}")


class UnreadableRow(Exception):
    """The row says nothing that could be used; its text says why."""


def text_of(value: Json) -> str:
    """The text of a field, bounded and free of what no database or message takes; empty for null."""
    if value is None or isinstance(value, list | dict):
        return ""
    text = str(value)[:_TEXT_LENGTH]
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable())
    return text.strip()


def number_of(text: str) -> float | None:
    """The finite number that a text is; None when it is none."""
    # float() alone also takes `nan`, `1_0` and digits of other scripts.
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
