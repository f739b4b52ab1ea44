"""Random numbers that are a function of where and when, so that any hour can be asked for without those before it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
_Words = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


class Noise:
    """A source of noise with a seed.

    `channel` names an independent noise; `cells` say where one looks. All answers have the shape (cells, items).
    """

    def __init__(self, seed: int) -> None:
        self._seed = _mixed(np.array([seed & _MASK], dtype=np.uint64))

    def uniform(self, channel: int, cells: Integers, items: int = 1) -> Floats:
        """Numbers in [0, 1)."""
        numbers: Floats = (self._hash(channel, cells, items) >> np.uint64(11)).astype(np.float64) / 2.0**53
        return numbers

    def normal(self, channel: int, cells: Integers, items: int = 1) -> Floats:
        """Standard normal numbers (Box-Muller)."""
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(2 * channel, cells, items)))
        numbers: Floats = radius * np.cos(2.0 * np.pi * self.uniform(2 * channel + 1, cells, items))
        return numbers

    def smooth(self, channel: int, times: Integers, period: int, items: int = 1) -> Floats:
        """Standard normal processes at some times; values `period` apart or more know nothing of each other."""
        cells, distinct = np.unique(times // period, return_inverse=True)
        knots = self.normal(channel, np.append(cells, cells + 1), items)
        here, there = knots[distinct], knots[len(cells) + distinct]
        fraction = (times % period)[:, None] / period
        eased = fraction * fraction * (3.0 - 2.0 * fraction) * np.pi / 2.0
        # Weights on a circle keep the variance at one between the cells as well.
        values: Floats = np.cos(eased) * here + np.sin(eased) * there
        return values

    def _hash(self, channel: int, cells: Integers, items: int) -> _Words:
        where = _mixed((cells.astype(np.uint64) + np.uint64(channel << 40)) ^ self._seed)
        return _mixed(where[:, None] + np.arange(items, dtype=np.uint64) * _GOLDEN)


def _mixed(words: _Words) -> _Words:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    mixed = words + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
