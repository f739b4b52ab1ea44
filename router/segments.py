"""The air along a way, piece by piece, such as a map is coloured by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.exposure.dose import Dose
from router.search.outline import Outline

ALIKE: Final = 5.0
"""The scores of the arcs of one piece lie no farther apart than this: a fifth of a grade."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a way on which the air is alike.

    Attributes:
        first_point: The index of its first point among those of the line.
        last_point: The index of its last, where the next piece begins.
        length_m: Metres.
        seconds: Time on it.
        air_quality_score: 0 to 100.
        doses: What is inhaled on it, by pollutant.
    """

    first_point: int
    last_point: int
    length_m: float
    seconds: float
    air_quality_score: float
    doses: tuple[Dose, ...]


Breathed = Callable[[slice], tuple[tuple[Dose, ...], float]]
"""What is inhaled on some of a way's arcs, and the air there as a score."""


def in_pieces(length_m: Floats, seconds: Floats, drawn: Outline, breathed: Breathed) -> tuple[Segment, ...]:
    """The way in pieces of like air, from its start on; lengths, times and doses add up to the way's.

    Args:
        length_m: How much of each of its arcs is travelled, float64[k], metres.
        seconds: How long that takes, float64[k].
        drawn: Its line.
        breathed: What is inhaled on it.
    """
    # Of the first and the last arc nothing may be travelled: what the air is there does not matter.
    travelled = np.flatnonzero(np.diff(drawn.mark) > 0)
    starts = travelled[alike(np.array([breathed(slice(arc, arc + 1))[1] for arc in travelled.tolist()]))]
    starts[0] = 0
    pieces = []
    for start, end in pairwise([*starts.tolist(), len(length_m)]):
        doses, score = breathed(slice(start, end))
        pieces.append(
            Segment(
                first_point=int(drawn.mark[start]),
                last_point=int(drawn.mark[end]),
                length_m=float(length_m[start:end].sum()),
                seconds=float(seconds[start:end].sum()),
                air_quality_score=score,
                doses=doses,
            )
        )
    return tuple(pieces)


def alike(score: Floats) -> NDArray[np.int64]:
    """Where each run of scores (float64[k]) that lie within ALIKE of each other begins, the first at 0."""
    starts, low, high = [0], score[0], score[0]
    for at, here in enumerate(score.tolist()):
        low, high = min(low, here), max(high, here)
        if high - low > ALIKE:
            starts.append(at)
            low = high = here
    return np.array(starts, dtype=np.int64)
