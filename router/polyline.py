"""Lines as text: the encoded polyline format that maps of the web read."""

from __future__ import annotations

from typing import Final

import numpy as np

from air.geodesy import Floats
from router.graph.graph import Bytes
from router.search.compiled import compiled

_BITS: Final = 5
_LOW: Final = (1 << _BITS) - 1
_MORE: Final = 1 << _BITS
_FIRST_LETTER: Final = 63
_MOST_LETTERS: Final = 7
"""Of a number: a step around the world in seven decimals has 33 bits."""


def encode(line: Floats, decimals: int) -> str:
    """The line (float64[p, 2], latitude and longitude in degrees) with that many decimals, at most 7.

    Format: developers.google.com/maps/documentation/utilities/polylinealgorithm. Rounded before steps are taken, so
    that no error adds up.
    """
    letters = np.empty(line.size * _MOST_LETTERS, dtype=np.uint8)
    count = _encode(np.ascontiguousarray(line), 10.0**decimals, letters)
    return letters[:count].tobytes().decode("ascii")


@compiled
def _encode(line: Floats, scale: float, letters: Bytes) -> int:
    """Writes the letters, and returns how many there are."""
    count = 0
    for place in range(len(line)):
        for axis in range(2):
            here = round(line[place, axis] * scale)
            before = round(line[place - 1, axis] * scale) if place > 0 else 0
            # The sign goes into the lowest bit.
            left = abs(here - before) << 1
            if here < before:
                left -= 1
            while left > _LOW:
                letters[count] = ((left & _LOW) | _MORE) + _FIRST_LETTER
                left >>= _BITS
                count += 1
            letters[count] = left + _FIRST_LETTER
            count += 1
    return count
