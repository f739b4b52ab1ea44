"""How steep a way is, after the OpenStreetMap wiki's "Key:incline"."""

from __future__ import annotations

import math
import re
from typing import Final

from router.graph.graph import STEEPEST_PERCENT
from router.graph.permission import Tags

_STEEP_PERCENT: Final = 10.0
_NUMBER: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([%°]?)")


def grade_percent(tags: Tags) -> int:
    """Metres that a way rises over a hundred, along its direction; 0 where that is not known in numbers."""
    incline = tags.get("incline", "").strip()
    if not incline:
        return 0
    if incline == "steep":
        return round(_STEEP_PERCENT)
    number = _NUMBER.fullmatch(incline)
    if number is None:
        return 0
    value = float(number[1].replace(",", "."))
    if number[2] == "°":
        value = 100.0 * math.tan(math.radians(max(-45.0, min(45.0, value))))
    return round(max(-STEEPEST_PERCENT, min(STEEPEST_PERCENT, value)))
