"""What a metric charges for an arc: for the time on it, for the load of its air in that time, and for its length.

All metrics of a graph are of this kind, and differ in three prices alone. So what an arc takes is kept once, and what
it costs is reckoned where it is needed: from the same numbers by the same steps, and so to the same whole number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.search.compiled import compiled
from router.search.kernel import CLOSED, Floats, Ints

Floats32 = NDArray[np.float32]

MOST_CHARGED: Final = 2**29
"""No arc is charged more: what costs this is dearer than a contraction can hold."""

_MOST_CHARGED: Final = float(MOST_CHARGED)


class Tariff(NamedTuple):
    """Three prices, none below 0.

    Attributes:
        time: Of a millisecond.
        load: Of a millisecond times the load of the air.
        length: Of a millimetre.
    """

    time: float
    load: float
    length: float


FASTEST: Final = Tariff(1.0, 0.0, 0.0)
SHORTEST: Final = Tariff(0.0, 0.0, 1.0)


@compiled
def charge(tariff: Tariff, milliseconds: int, load: float, millimeters: int) -> int:
    """What an arc costs, to the nearest whole number; CLOSED where it takes less than no time: it may not be used."""
    if milliseconds < 0:
        return int(CLOSED)
    return int(charge_open((tariff.time, tariff.load, tariff.length), milliseconds, load, millimeters))


@compiled
def charge_open(prices: tuple[float, float, float], milliseconds: int, load: float, millimeters: int) -> np.int32:
    """The same of an arc that may be used, by the three prices of a tariff."""
    cost = milliseconds * (prices[0] + prices[1] * load) + millimeters * prices[2] + 0.5
    return np.int32(min(cost, _MOST_CHARGED))


@compiled
def charge_all(tariff: Tariff, milliseconds: Ints, load: Floats32, millimeters: Ints, weight: Ints) -> None:
    """Writes what each arc costs to `weight`; all are flat arrays of one length."""
    for arc in range(len(weight)):
        weight[arc] = charge(tariff, milliseconds[arc], np.float64(load[arc]), millimeters[arc])


def whole(amount: Floats) -> Ints:
    """Amounts in thousandths, rounded to whole numbers, at least 1."""
    return np.clip(np.rint(1000.0 * amount), 1, MOST_CHARGED).astype(np.int32)
