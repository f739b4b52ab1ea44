"""What a path takes in all: sums over its arcs, of the first and the last as much as is travelled."""

from __future__ import annotations

import numpy as np

from router.search.compiled import compiled
from router.search.kernel import Floats, Ints


@compiled
def measured(
    arcs: Ints, start_fraction: float, end_fraction: float, seconds: Floats, length_m: Floats
) -> tuple[Floats, float, float]:
    """The time on each arc of a path (float64[k]), the time on all, and the length.

    Args:
        arcs: int32[k], those of `router.search.engine.Path`, as are the fractions.
        start_fraction: How far along the first arc it starts.
        end_fraction: How far along the last arc it ends.
        seconds: float64[m], what each arc of the graph takes.
        length_m: float64[m].
    """
    by_arc = np.empty(len(arcs))
    taken = length = 0.0
    for place in range(len(arcs)):
        portion = 1.0
        if place == 0:
            portion -= start_fraction
        if place == len(arcs) - 1:
            portion -= 1.0 - end_fraction
        by_arc[place] = portion * seconds[arcs[place]]
        taken += by_arc[place]
        length += portion * length_m[arcs[place]]
    return by_arc, taken, length
