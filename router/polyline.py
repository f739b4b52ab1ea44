"""Lines as text: the encoded polyline format that maps of the web read."""

from __future__ import annotations

from typing import Final

import numpy as np

from air.geodesy import Floats

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
    whole = np.rint(line * 10.0**decimals).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel()
    # The sign goes into the lowest bit.
    bits = np.where(steps < 0, ~(steps << 1), steps << 1)[:, None] >> (_BITS * np.arange(_MOST_LETTERS + 1))
    letters = (bits[:, :-1] & _LOW) | np.where(bits[:, 1:] > 0, _MORE, 0)
    is_told = bits[:, :-1] > 0
    is_told[:, 0] = True
    return (letters[is_told] + _FIRST_LETTER).astype(np.uint8).tobytes().decode("ascii")
