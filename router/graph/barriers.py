"""Whom a barrier on a way stops, after the OpenStreetMap wiki's "Key:barrier"."""

from __future__ import annotations

from typing import Final

from router.graph.graph import Access
from router.graph.permission import Tags, may_cycle, may_drive, may_walk

_WHEELS: Final = Access.BIKE | Access.WHEELCHAIR | Access.CAR

_LETS_CARS_PASS: Final = frozenset(
    {
        *("arch", "border_control", "cattle_grid", "entrance", "gate", "hampshire_gate", "height_restrictor", "kerb"),
        *("lift_gate", "no", "sally_port", "sliding_gate", "spikes", "swing_gate", "toll_booth"),
    }
)
"""What is there to be driven through or over; any other barrier is there against cars."""

_ALSO_STOPS: Final = {
    **dict.fromkeys(("stile", "horse_stile", "turnstile", "full-height_turnstile", "kissing_gate", "step"), _WHEELS),
    **dict.fromkeys(("cycle_barrier", "motorcycle_barrier", "cattle_grid", "log", "debris"), Access.WHEELCHAIR),
}

_RAISED: Final = frozenset({"raised", "regular", "yes"})


def stopped_by(tags: Tags) -> Access:
    """Who may not pass a node with these tags; nobody is stopped where it is no barrier.

    Tags of access go before the kind of barrier, the mode's own before wider ones: a private gate stops all, a bollard
    cars alone. A wheelchair passes where people on foot do, but over no raised kerb, and through nothing too narrow.
    """
    barrier = tags.get("barrier", "")
    if not barrier:
        return Access(0)
    stops = _ALSO_STOPS.get(barrier, Access(0))
    if barrier not in _LETS_CARS_PASS:
        stops |= Access.CAR
    if barrier == "kerb" and tags.get("kerb", "") in _RAISED:
        stops |= Access.WHEELCHAIR
    walks = may_walk(tags, by_default=True)
    wheelchair = tags.get("wheelchair", "")
    rolls = walks and wheelchair != "no" and (wheelchair in {"yes", "designated"} or Access.WHEELCHAIR not in stops)
    passes = {
        Access.FOOT: walks,
        Access.BIKE: may_cycle(tags, by_default=Access.BIKE not in stops),
        Access.WHEELCHAIR: rolls,
        Access.CAR: may_drive(tags, by_default=Access.CAR not in stops),
    }
    stopped = Access(0)
    for mode, may_pass in passes.items():
        stopped |= Access(0) if may_pass else mode
    return stopped
