"""What the links of a contraction cost, for sixteen metrics at a time.

A link costs what the cheapest way between its ends does that keeps below both. With the costs of the arcs on it to
begin with, one sweep over all triangles makes that so: a link yz is no dearer than by way of a lower x, from y down to
x and up to z. All metrics go through one sweep side by side, as finding the triangles takes longer than adding up.

Costs are int32 with CLOSED_LINK for what cannot be travelled. Two of those still fit into an int32, and no sum with
one is below it: what is closed stays closed without being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesh.errors import InvalidInput
from router.search.compiled import compiled
from router.search.contraction import Contraction
from router.search.kernel import Floats, Ints
from router.search.lanes import LANES, Rows, through
from router.search.tariff import Floats32, Tariff, charge_open

CLOSED_LINK: Final = np.int32(2**30 - 1)
"""The cost of a link that cannot be travelled."""

LARGEST_LINK: Final = np.int32(2**29 - 1)
"""No link that can be travelled costs more, so that no sum of two has come near CLOSED_LINK and been lost."""

PROFILES: Final = 4
"""How many ways of moving a sweep brings in, each by all of its tariffs."""

TARIFFS: Final = LANES // PROFILES

Table = NDArray[np.int32]
"""Two axes."""


class WeightsTooLarge(InvalidInput):
    """The ways of a metric cost more than links can hold."""

    reason = "WEIGHTS_TOO_LARGE"


class CustomizedMetric(NamedTuple):
    """One metric brought into a contraction; the arrays are written by `Customizer.customize` alone.

    Attributes:
        tariff: What it charges for what an arc takes, by the arc's place among all (`arc_places`):
        milliseconds: int32[m], negative where it is closed.
        load: float32[m].
        millimeters: int32[m].
        up: int32[k], what each link costs upwards, at most LARGEST_LINK, or CLOSED_LINK.
        down: int32[k], and downwards.
    """

    tariff: Tariff
    milliseconds: Ints
    load: Floats32
    millimeters: Ints
    up: Ints
    down: Ints


@dataclass(frozen=True, slots=True, eq=False)
class CustomizedMetrics:
    """Room for metrics brought into a contraction: those of each profile by each of some tariffs.

    A metric is a row: a query reads links that lie side by side, and only one metric of each.

    Attributes:
        milliseconds: int32[PROFILES, m], by the arcs' places among all; negative where they are closed.
        millimeters: int32[m].
        load: float32[m].
        tariffs: float64[TARIFFS, 3].
        up: int32[PROFILES, TARIFFS or less, k].
        down: Likewise.
    """

    milliseconds: Table
    millimeters: Ints
    load: Floats32
    tariffs: Floats
    up: NDArray[np.int32]
    down: NDArray[np.int32]

    def metric(self, profile: int, tariff: int) -> CustomizedMetric:
        """One of the metrics, without a copy."""
        return CustomizedMetric(
            Tariff(*self.tariffs[tariff].tolist()),
            self.milliseconds[profile],
            self.load,
            self.millimeters,
            self.up[profile, tariff],
            self.down[profile, tariff],
        )

    def first(self, tariffs: int) -> CustomizedMetrics:
        """A copy of what is customised, by the first tariffs alone."""
        up, down = (np.ascontiguousarray(rows[:, :tariffs]) for rows in (self.up, self.down))
        return CustomizedMetrics(self.milliseconds, self.millimeters, self.load.copy(), self.tariffs.copy(), up, down)


def arc_places(contraction: Contraction) -> Ints:
    """The place of each arc among all when they lie as their links do, int32[m]; loops, on no link, come last."""
    on_link = contraction.arc_on
    arcs = np.concatenate([np.where(on_link < 0, ~on_link, on_link), np.flatnonzero(contraction.link < 0)])
    place = np.empty(len(arcs), dtype=np.int32)
    place[arcs] = np.arange(len(arcs), dtype=np.int32)
    return place


class Customizer:
    """Brings metrics into one contraction; it owns what the sweep writes to, and is for one thread at a time."""

    def __init__(self, contraction: Contraction, milliseconds: Table, millimeters: Ints) -> None:
        """Takes the memory that it needs, here and not when a new field arrives.

        Args:
            contraction: The links.
            milliseconds: int32[PROFILES, m], the time that each arc takes, by place; negative where it is closed.
            millimeters: int32[m], its length.
        """
        self._contraction = contraction
        self._milliseconds, self._millimeters = milliseconds, millimeters
        self._rows: Rows = np.empty((contraction.link_count, 2, LANES), dtype=np.int32)
        self._link_to: Ints = np.zeros(contraction.node_count, dtype=np.int32)

    def room(self) -> CustomizedMetrics:
        """Room for the result, of metrics that are closed everywhere."""
        closed = np.full((PROFILES, TARIFFS, self._contraction.link_count), CLOSED_LINK, dtype=np.int32)
        return CustomizedMetrics(
            self._milliseconds,
            self._millimeters,
            np.zeros(len(self._millimeters), dtype=np.float32),
            np.zeros((TARIFFS, 3)),
            closed,
            closed.copy(),
        )

    def customize(self, metrics: CustomizedMetrics, tariffs: Sequence[Tariff]) -> None:
        """Writes `up` and `down` of metrics whose `load` has been written.

        Raises:
            WeightsTooLarge: A way that may be needed costs more than LARGEST_LINK; `up` and `down` are of no use then.
        """
        topology = self._contraction
        metrics.tariffs[:] = tariffs
        _sweep(
            topology,
            metrics.tariffs,
            metrics.milliseconds,
            metrics.load,
            metrics.millimeters,
            self._rows,
            self._link_to,
        )
        up, down = (rows.reshape(LANES, -1) for rows in (metrics.up, metrics.down))
        _refuse_above_largest(_unload(self._rows, up, down))


def _refuse_above_largest(cost: int) -> None:
    if cost > LARGEST_LINK:
        raise WeightsTooLarge(
            f"A way in the graph costs {cost}, and {LARGEST_LINK} is the most that can be reckoned with;"
            " choose a larger unit for the weights."
        )


@compiled
def _sweep(
    topology: Contraction,
    tariffs: Floats,
    milliseconds: Table,
    load: Floats32,
    millimeters: Ints,
    rows: Rows,
    link_to: Ints,
) -> None:
    """Takes each link through each of its lower triangles; all that a triangle needs is final when it is taken.

    Args:
        topology: The links.
        tariffs: float64[TARIFFS, 3].
        milliseconds: int32[PROFILES, m].
        load: float32[m].
        millimeters: int32[m].
        rows: int32[k, 2, LANES], to write to.
        link_to: int32[n], to write to.
    """
    for y in range(len(topology.parent)):
        for link in range(topology.first_up[y], topology.first_up[y + 1]):
            link_to[topology.upper[link]] = link
            rows[link] = CLOSED_LINK
            for at in range(topology.first_arc[link], topology.first_arc[link + 1]):
                way = 0 if topology.arc_on[at] >= 0 else 1
                for profile in range(PROFILES):
                    time = milliseconds[profile, at]
                    if time < 0:
                        continue
                    for tariff in range(TARIFFS):
                        prices = tariffs[tariff, 0], tariffs[tariff, 1], tariffs[tariff, 2]
                        cost = charge_open(prices, time, np.float64(load[at]), millimeters[at])
                        lane = profile * TARIFFS + tariff
                        rows[link, way, lane] = min(rows[link, way, lane], cost)
        for at in range(topology.first_down[y], topology.first_down[y + 1]):
            # Indices without a sign need no check for being counted from the end.
            xy = np.uint64(topology.down[at])
            for xz in range(xy + np.uint64(1), np.uint64(topology.first_up[topology.lower[xy] + 1])):
                through(rows, np.uint64(link_to[topology.upper[xz]]), xy, np.uint64(xz))


@compiled
def _unload(rows: Rows, up: Table, down: Table) -> int:
    """Turns a row a link into a row a metric; returns the largest cost of a link that can be travelled."""
    largest = np.int32(0)
    for link in range(len(rows)):
        for lane in range(LANES):
            upwards, downwards = rows[link, 0, lane], rows[link, 1, lane]
            up[lane, link], down[lane, link] = upwards, downwards
            largest = max(largest, _if_open(upwards), _if_open(downwards))
    return int(largest)


@compiled
def _if_open(cost: np.int32) -> np.int32:
    # A choice between two numbers, not of a branch: which links are closed a processor cannot guess.
    return np.int32(0) if cost == CLOSED_LINK else cost
