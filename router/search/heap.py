"""A heap of whole-numbered keys in flat arrays, each key with a number beside it; four children a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@compiled
def push(keys: Longs, items: Ints, size: int, key: int, item: int) -> int:
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
