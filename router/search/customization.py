"""What the links of a contraction cost, for many metrics at a time.

A link costs what the cheapest way between its ends does that keeps below both. With the costs of the arcs on it to
begin with, one sweep over all triangles makes that so: a link yz is no dearer than by way of a lower x, from y down to
x and up to z. All metrics go through one sweep side by side, as finding the triangles takes longer than adding up.

Costs are int32 with CLOSED_LINK for what cannot be travelled. Two of those still fit into an int32, and no sum with
one is below it: what is closed stays closed without being asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesh.errors import InvalidInput
from router.search.compiled import compiled
from router.search.contraction import Contraction
from router.search.kernel import Ints

CLOSED_LINK: Final = np.int32(2**30 - 1)
"""The cost of a link that cannot be travelled."""

LARGEST_LINK: Final = np.int32(2**29 - 1)
"""No link that can be travelled costs more, so that no sum of two has come near CLOSED_LINK and been lost."""

Table = NDArray[np.int32]
"""Two axes."""


class WeightsTooLarge(InvalidInput):
    """The ways of a metric cost more than links can hold."""

    reason = "WEIGHTS_TOO_LARGE"


class CustomizedMetric(NamedTuple):
    """One metric brought into a contraction; the arrays are written by `Customizer.customize` alone.

    Attributes:
        weight: int32[m], the weight of each arc, at most LARGEST_LINK; negative where it is closed.
        up: int32[k], what each link costs upwards, at most LARGEST_LINK, or CLOSED_LINK.
        down: int32[k], and downwards.
    """

    weight: Ints
    up: Ints
    down: Ints


@dataclass(frozen=True, slots=True, eq=False)
class CustomizedMetrics:
    """Room for `q` metrics brought into a contraction.

    A metric is a row: a query reads links that lie side by side, and only one metric of each.

    Attributes:
        weight: int32[q, m], as in CustomizedMetric.
        up: int32[q, k].
        down: int32[q, k].
    """

    weight: Table
    up: Table
    down: Table

    def metric(self, row: int) -> CustomizedMetric:
        """One of the metrics, without a copy."""
        return CustomizedMetric(self.weight[row], self.up[row], self.down[row])


class Customizer:
    """Brings metrics into one contraction; it owns what the sweep writes to, and is for one thread at a time."""

    def __init__(self, contraction: Contraction, metric_count: int) -> None:
        """Takes the memory that it needs for so many metrics, here and not when a new field arrives."""
        self._contraction = contraction
        self._up = np.full((contraction.link_count, metric_count), CLOSED_LINK, dtype=np.int32)
        self._down = self._up.copy()
        self._link_to = np.zeros(contraction.node_count, dtype=np.int32)

    def room(self) -> CustomizedMetrics:
        """Room for the result, of metrics that are closed everywhere."""
        metric_count, links = self._up.shape[1], self._contraction.link_count
        closed = np.full((metric_count, links), CLOSED_LINK, dtype=np.int32)
        return CustomizedMetrics(
            np.full((metric_count, len(self._contraction.link)), -1, dtype=np.int32), closed, closed.copy()
        )

    def customize(self, metrics: CustomizedMetrics) -> None:
        """Writes `up` and `down` of metrics whose `weight` has been written.

        Raises:
            WeightsTooLarge: A way that may be needed costs more than LARGEST_LINK; `up` and `down` are of no use then.
        """
        topology = self._contraction
        _refuse_above_largest(int(metrics.weight.max(initial=0)))
        _load(topology.link, topology.is_up, metrics.weight, self._up, self._down)
        _sweep(
            topology.first_up,
            topology.upper,
            topology.lower,
            topology.first_down,
            topology.down,
            self._up,
            self._down,
            self._link_to,
        )
        _refuse_above_largest(max(_unload(self._up, metrics.up), _unload(self._down, metrics.down)))


def _refuse_above_largest(cost: int) -> None:
    if cost > LARGEST_LINK:
        raise WeightsTooLarge(
            f"A way in the graph costs {cost}, and {LARGEST_LINK} is the most that can be reckoned with;"
            " choose a larger unit for the weights."
        )


@compiled
def _load(link: Ints, is_up: NDArray[np.bool_], weight: Table, up: Table, down: Table) -> None:
    """Gives each link the cost of the cheapest arc on it, either way."""
    metric_count = len(weight)
    up[:] = CLOSED_LINK
    down[:] = CLOSED_LINK
    for arc in range(len(link)):
        on = link[arc]
        if on < 0:
            continue
        # Read without its sign, the weight of a closed arc is above all others.
        if is_up[arc]:
            for metric in range(metric_count):
                up[on, metric] = min(np.uint32(up[on, metric]), np.uint32(weight[metric, arc]))
        else:
            for metric in range(metric_count):
                down[on, metric] = min(np.uint32(down[on, metric]), np.uint32(weight[metric, arc]))


@compiled
def _sweep(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    first_up: Ints, upper: Ints, lower: Ints, first_down: Ints, down_links: Ints, up: Table, down: Table, link_to: Ints
) -> None:
    """Takes each link through each of its lower triangles; all that a triangle needs is final when it is taken.

    Args:
        first_up: See Contraction, as for the four that follow.
        upper: Likewise.
        lower: Likewise.
        first_down: Likewise.
        down_links: Likewise.
        up: int32[k, q], the metrics of a link side by side.
        down: int32[k, q].
        link_to: int32[n], to write to.
    """
    metric_count = up.shape[1]
    for y in range(len(first_up) - 1):
        for link in range(first_up[y], first_up[y + 1]):
            link_to[upper[link]] = link
        for at in range(first_down[y], first_down[y + 1]):
            # Indices without a sign need no check for being counted from the end.
            xy = np.uint64(down_links[at])
            for xz in range(xy + np.uint64(1), np.uint64(first_up[lower[xy] + 1])):
                yz = np.uint64(link_to[upper[xz]])
                # Without the conversion sums are int64, and half as many are made at a time.
                for q in range(metric_count):
                    up[yz, q] = min(up[yz, q], np.int32(down[xy, q] + up[xz, q]))
                for q in range(metric_count):
                    down[yz, q] = min(down[yz, q], np.int32(down[xz, q] + up[xy, q]))


@compiled
def _unload(links: Table, metrics: Table) -> int:
    """Turns a row a link into a row a metric; returns the largest cost of a link that can be travelled."""
    largest = 0
    for link in range(len(links)):
        for metric in range(len(metrics)):
            cost = links[link, metric]
            metrics[metric, link] = cost
            if cost != CLOSED_LINK:
                largest = max(largest, cost)
    return largest
