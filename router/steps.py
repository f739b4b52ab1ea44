"""What to do on the way, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.graph.graph import Access, Graph, RoadClass
from router.search.kernel import Ints
from router.search.outline import NEAR_M, Outline

GAP_M: Final = 30.0
"""A street that loses its name for less than this and gets it back has it all along: such are crossings."""

AT_THE_END_M: Final = 1.0
"""A turn this near to the start or the end of the way is none."""

_HALF_CIRCLE: Final = 180.0
_FULL_CIRCLE: Final = 360.0
_STRAIGHT: Final = 20.0
_SLIGHT: Final = 45.0
_SHARP: Final = 160.0


class Maneuver(StrEnum):
    """What to do at the start of a step."""

    DEPART = "DEPART"
    CONTINUE = "CONTINUE"
    SLIGHT_LEFT = "SLIGHT_LEFT"
    LEFT = "LEFT"
    SHARP_LEFT = "SHARP_LEFT"
    SLIGHT_RIGHT = "SLIGHT_RIGHT"
    RIGHT = "RIGHT"
    SHARP_RIGHT = "SHARP_RIGHT"
    U_TURN = "U_TURN"
    TAKE_STEPS = "TAKE_STEPS"
    ARRIVE = "ARRIVE"


_TURNS: Final = (
    (_SLIGHT, Maneuver.SLIGHT_LEFT, Maneuver.SLIGHT_RIGHT),
    (120.0, Maneuver.LEFT, Maneuver.RIGHT),
    (_SHARP, Maneuver.SHARP_LEFT, Maneuver.SHARP_RIGHT),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and how far it leads.

    Attributes:
        maneuver: What to do at its start.
        street: The street that it leads along; empty where that has no name.
        length_m: Metres.
        seconds: How long that takes.
        first_point: The index of its start among the points of the line.
        bearing: The direction in which it leaves there, degrees from north, clockwise; of the last, how one arrives.
    """

    maneuver: Maneuver
    street: str
    length_m: float
    seconds: float
    first_point: int
    bearing: float


def turn_by_turn(
    graph: Graph, arcs: Ints, length_m: Floats, seconds: Floats, drawn: Outline, access: Access
) -> tuple[Step, ...]:
    """The steps of a way, of which the first departs and the last arrives; lengths and times add up to the way's.

    A step begins where the street's name changes, where stairs begin or end, and where one turns by 45° or more
    although one could go elsewhere: the bends of a street are no turns. Turns within NEAR_M of each other are one.

    Args:
        graph: The streets.
        arcs: int32[k], in order.
        length_m: How much of each is travelled, float64[k], metres.
        seconds: How long that takes, float64[k].
        drawn: Their line.
        access: Whom a street must let pass, to be one that could be taken instead.
    """
    street = _without_gaps(graph.street[arcs], length_m)
    on_stairs = graph.road_class[arcs] == RoadClass.STEPS
    before, after = drawn.bearings_before(), drawn.bearings_after()
    # The arc that one really starts on: of the first no more than its end may be travelled.
    departs = int(np.argmax(drawn.along_m[drawn.mark[1:]] >= AT_THE_END_M))
    begun = [(0, Maneuver.DEPART, graph.streets[street[departs]])]
    for first, last in _turns(graph, arcs, street, on_stairs, drawn, access):
        angle = float(_angle(before[first], after[last]))
        is_same = street[last] == street[first - 1] and on_stairs[last] == on_stairs[first - 1]
        if on_stairs[last] and not on_stairs[first - 1]:
            begun.append((first, Maneuver.TAKE_STEPS, graph.streets[street[last]]))
        elif abs(angle) >= _SLIGHT or not is_same:
            begun.append((first, _maneuver(angle), graph.streets[street[last]]))
    starts = [start for start, _, _ in begun]
    steps_m, steps_s = np.add.reduceat(length_m, starts), np.add.reduceat(seconds, starts)
    steps = [
        Step(maneuver, name, float(steps_m[at]), float(steps_s[at]), int(drawn.mark[start]), float(after[start]))
        for at, (start, maneuver, name) in enumerate(begun)
    ]
    return (*steps, Step(Maneuver.ARRIVE, "", 0.0, 0.0, int(drawn.mark[-1]), float(before[-1])))


def _without_gaps(street: Ints, length_m: Floats) -> Ints:
    """The streets of arcs, int32[k], where no street is without its name for less than GAP_M."""
    filled = street.copy()
    begins = np.flatnonzero(np.diff(street, prepend=-1))
    ends = np.append(begins[1:], len(street))
    for run in range(1, len(begins) - 1):
        begin, end = begins[run], ends[run]
        if street[begin] == 0 and street[begin - 1] == street[end] and length_m[begin:end].sum() < GAP_M:
            filled[begin:end] = street[end]
    return filled


def _turns(
    graph: Graph,
    arcs: Ints,
    street: Ints,
    on_stairs: NDArray[np.bool_],
    drawn: Outline,
    access: Access,
) -> list[tuple[int, int]]:
    """Where something may have to be said: the arcs before which such a place begins and ends, an arc or several."""
    stairs = np.flatnonzero(on_stairs[1:] != on_stairs[:-1]) + 1
    angle = _angle(drawn.bearings_before(), drawn.bearings_after())[1:-1]
    bends = np.flatnonzero(np.abs(angle) >= _SLIGHT) + 1
    forks = bends[_could_go_elsewhere(graph, arcs, bends, access)]
    renamed = np.flatnonzero(street[1:] != street[:-1]) + 1
    begins_m = drawn.along_m[drawn.mark]
    found: list[tuple[int, int]] = []
    for arc in np.unique(np.concatenate([stairs, forks, renamed])).tolist():
        if min(begins_m[arc], begins_m[-1] - begins_m[arc]) < AT_THE_END_M:
            continue
        is_near = bool(found) and begins_m[arc] - begins_m[found[-1][0]] < NEAR_M
        if is_near and not {arc, *found[-1]} & set(stairs.tolist()):
            found[-1] = (found[-1][0], arc)
        else:
            found.append((arc, arc))
    return found


def _could_go_elsewhere(graph: Graph, arcs: Ints, at: NDArray[np.int64], access: Access) -> list[bool]:
    """Whether an arc other than the next one, and than back, is open where each of these arcs of the way begins."""
    elsewhere = []
    for arc in at.tolist():
        node = graph.tail[arcs[arc]]
        out = np.arange(graph.first_out[node], graph.first_out[node + 1])
        is_open = (graph.access[out] & int(access)) != 0
        elsewhere.append(bool(np.any(is_open & (out != arcs[arc]) & (out != graph.reverse[arcs[arc - 1]]))))
    return elsewhere


def _angle(before: Floats, after: Floats) -> Floats:
    """By how much one turns from one bearing to another, degrees, -180 to 180, to the right above 0."""
    turned: Floats = (after - before + _HALF_CIRCLE) % _FULL_CIRCLE - _HALF_CIRCLE
    return turned


def _maneuver(angle: float) -> Maneuver:
    turned = abs(angle)
    if turned < _STRAIGHT:
        return Maneuver.CONTINUE
    if turned >= _SHARP:
        return Maneuver.U_TURN
    left, right = next(pair for most, *pair in _TURNS if turned < most)
    return right if angle > 0 else left
