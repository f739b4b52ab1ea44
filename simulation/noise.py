"""Random numbers that are a function of where and when, so that any hour can be asked for without those before it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_Words = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


class Noise:
    """A source of noise with a seed. `channel` names an independent noise; `cell` and `item` say where one looks."""

    def __init__(self, seed: int) -> None:
        self._seed = _mixed(np.array([seed & _MASK], dtype=np.uint64))[0]

    def uniform(self, channel: int, cell: int, items: int = 1) -> Floats:
        """`items` numbers in [0, 1), of one cell."""
        return _fraction(self._hash(channel, cell, np.arange(items, dtype=np.uint64)))

    def normal(self, channel: int, cell: int, items: int = 1) -> Floats:
        """`items` standard normal numbers, of one cell (Box-Muller)."""
        item = np.arange(items, dtype=np.uint64)
        radius = np.sqrt(-2.0 * np.log(1.0 - _fraction(self._hash(2 * channel, cell, item))))
        wave: Floats = radius * np.cos(2.0 * np.pi * _fraction(self._hash(2 * channel + 1, cell, item)))
        return wave

    def smooth(self, channel: int, time: float, period: float, items: int = 1) -> Floats:
        """`items` standard normal processes at a time; values `period` apart or more know nothing of each other."""
        cell, fraction = divmod(time / period, 1.0)
        eased = fraction * fraction * (3.0 - 2.0 * fraction)
        # Weights on a circle keep the variance at one between the cells as well.
        here, there = np.cos(eased * np.pi / 2.0), np.sin(eased * np.pi / 2.0)
        value: Floats = here * self.normal(channel, int(cell), items) + there * self.normal(
            channel, int(cell) + 1, items
        )
        return value

    def _hash(self, channel: int, cell: int, item: _Words) -> _Words:
        where = _mixed(np.array([(channel << 40 ^ cell) & _MASK], dtype=np.uint64) ^ self._seed)
        return _mixed(where + item * _GOLDEN)


def _mixed(words: _Words) -> _Words:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    mixed = words + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _fraction(words: _Words) -> Floats:
    return (words >> np.uint64(11)).astype(np.float64) / 2.0**53
