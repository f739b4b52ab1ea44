"""How much falls in an hour, as KMA writes it: a number, or words for a range."""

from __future__ import annotations

import re
from typing import Final

from ingestion.weather import Amount

_NOTHING: Final = frozenset({"강수없음", "적설없음", "없음", "-"})
_NUMBER: Final = r"([0-9]{1,3}(?:\.[0-9]{1,3})?)"
_UNIT: Final = r"\s?(?:mm|cm)?"
_PLAIN: Final = re.compile(rf"{_NUMBER}{_UNIT}")
_RANGE: Final = re.compile(rf"{_NUMBER}{_UNIT}\s?~\s?{_NUMBER}{_UNIT}")
_LESS: Final = re.compile(rf"{_NUMBER}{_UNIT}\s?미만")
_MORE: Final = re.compile(rf"{_NUMBER}{_UNIT}\s?이상")


def read_amount(text: str) -> Amount | None:
    """The amount that a text gives, represented as `Amount` says; None when it gives none.

    The forms are those of KMA's user guide (강수량, 신적설 범주) and of recorded answers: words for the first two days
    of a forecast, plain numbers after that, and plain numbers in observations.
    """
    number = _representative(text)
    return None if number is None else Amount(round(number, 2), text)


def _representative(text: str) -> float | None:
    if text in _NOTHING:
        return 0.0
    if match := _PLAIN.fullmatch(text) or _MORE.fullmatch(text):
        return float(match[1])
    if match := _LESS.fullmatch(text):
        return float(match[1]) / 2.0
    if match := _RANGE.fullmatch(text):
        return (float(match[1]) + float(match[2])) / 2.0
    return None
