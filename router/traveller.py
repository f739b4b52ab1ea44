"""Who travels, as far as it matters to how much time cleaner air is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sensitivity(StrEnum):
    """How much time cleaner air is worth, from little to any."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    LEAST_DOSE = "LEAST_DOSE"


class Condition(StrEnum):
    """What makes one more sensitive to polluted air."""

    ASTHMA = "ASTHMA"
    HEART = "HEART"
    CHILD = "CHILD"
    PREGNANCY = "PREGNANCY"
    ELDERLY = "ELDERLY"


LOAD_WORTH: Final[Mapping[Sensitivity, float]] = {
    Sensitivity.LOW: 0.25,
    Sensitivity.NORMAL: 1.0,
    Sensitivity.HIGH: 4.0,
    Sensitivity.LEAST_DOSE: math.inf,
}
"""s in what the healthiest way makes least, seconds × (1 + s × load); infinite: seconds × load alone.

Of two ways that are each best at their own s, the one with the larger s has no more load and no less time: the sum of
two costs is made least, and only their weights change. That holds whatever the values are, which are our choice.
"""

_IN_ORDER: Final = tuple(Sensitivity)


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who travels.

    Attributes:
        asked_for: The sensitivity that the traveller names; None when none is.
        conditions: What makes the traveller more sensitive.
    """

    asked_for: Sensitivity | None = None
    conditions: frozenset[Condition] = frozenset()

    @property
    def sensitivity(self) -> Sensitivity:
        """The more sensitive of what is named and what the conditions ask for: one is HIGH, more are LEAST_DOSE.

        Adding a condition, or naming more, never makes it less.
        """
        by_conditions = (Sensitivity.NORMAL, Sensitivity.HIGH, Sensitivity.LEAST_DOSE)[min(len(self.conditions), 2)]
        if self.asked_for is None:
            return by_conditions
        if not self.conditions:
            return self.asked_for
        return max(self.asked_for, by_conditions, key=_IN_ORDER.index)


ANYONE: Final = Traveller()
"""Nothing is said of who travels."""
