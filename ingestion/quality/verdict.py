"""Verdicts: the level of one value, and of each check behind it, in one number that databases and arrays hold as it is.

Levels are the primary flags of QARTOD (U.S. IOOS, Manual for the Use of Real-Time Oceanographic Data Quality Control
Flags, 2020), which every test of that practice gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Level(IntEnum):
    """What a check, or all of them together, found."""

    PASS = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Check(IntEnum):
    """What is tested; the number is the check's place among a verdict's digits, from the left."""

    INSTRUMENT = 1
    """The network's own word on the instrument."""
    RANGE = 2
    """Beyond what the instrument or the air can give."""
    SPIKE = 3
    """Far from the hour before and the hour after."""
    STEP = 4
    """A rise or fall from the hour before that air does not make."""
    STUCK = 5
    """The same value for too many hours."""
    NEIGHBOUR = 6
    """Far from what the stations around measured in the same hour."""
    STALE = 7
    """Published so late that it does not tell the present air."""


_CHECKS: Final = len(Check)
_WORST_FIRST: Final = (Level.MISSING, Level.FAIL, Level.SUSPECT, Level.PASS)


class Verdict(int):
    """A decimal of eight digits: the level of the value, then that of each check in the order of `Check`."""

    __slots__ = ()

    @classmethod
    def of(cls, checks: Mapping[Check, Level]) -> Verdict:
        """The verdict of these checks; others were not evaluated. The worst of them is the level of the value.

        A value that no check could judge passes: nothing speaks against it.
        """
        levels = set(checks.values())
        number = int(next((level for level in _WORST_FIRST if level in levels), Level.PASS))
        for check in Check:
            number = 10 * number + checks.get(check, Level.NOT_EVALUATED)
        return cls(number)

    @property
    def level(self) -> Level:
        """The level of the value."""
        return Level(self // 10**_CHECKS)

    def level_of(self, check: Check) -> Level:
        """What one check found."""
        return Level(self // 10 ** (_CHECKS - check) % 10)

    def checks(self, level: Level) -> tuple[Check, ...]:
        """The checks that found this."""
        return tuple(check for check in Check if self.level_of(check) is level)


ABSENT: Final = Verdict.of(dict.fromkeys(Check, Level.MISSING))
"""The verdict on a value that was not measured."""

UNJUDGED: Final = Verdict.of({})
"""The verdict on a value before any check."""
