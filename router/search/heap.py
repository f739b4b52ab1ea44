"""A heap of whole-numbered keys in flat arrays, each key with a number beside it; four children a place."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

Whole = int | np.int32 | np.int64
"""A whole number in a kernel, which is compiled anew for each type that one is given: callers keep to one."""

NONE: Final = cast("int", np.int64(0))
"""No entries, to begin to count from. A literal is a type of its own, for which all that it is given to is compiled."""


@compiled
def push(keys: Longs, items: Ints, size: int, key: int, item: Whole) -> int:
    """Adds an item to a heap of that size; returns the new size. The arrays must have room for it."""
    at = size
    while at > 0:
        above = (at - 1) >> 2
        if keys[above] <= key:
            break
        keys[at] = keys[above]
        items[at] = items[above]
        at = above
    keys[at] = key
    items[at] = item
    return size + 1


@compiled
def pop(keys: Longs, items: Ints, size: int) -> int:
    """Drops the item of the least key, `items[0]`; returns the new size."""
    size -= 1
    key = keys[size]
    item = items[size]
    at = 0
    while True:
        below = 4 * at + 1
        if below >= size:
            break
        least = below
        for child in range(below + 1, min(below + 4, size)):
            if keys[child] < keys[least]:
                least = child
        if keys[least] >= key:
            break
        keys[at] = keys[least]
        items[at] = items[least]
        at = least
    keys[at] = key
    items[at] = item
    return size
