"""How one moves: where that is allowed, how fast it is, and how much air it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.graph.graph import Access, Graph, RoadClass


class TravelMode(StrEnum):
    """How one moves."""

    WALK = "WALK"
    RUN = "RUN"
    BIKE = "BIKE"


@dataclass(frozen=True, slots=True)
class Gait:
    """The figures of a travel mode.

    Attributes:
        access: Whom a street must let pass.
        speed_m_s: Usual speed, metres a second.
        ventilation_m3_h: Air breathed, cubic metres an hour.
        slower_on: Speed on streets where it is not the usual one, metres a second.
    """

    access: Access
    speed_m_s: float
    ventilation_m3_h: float
    slower_on: Mapping[RoadClass, float] = field(default_factory=dict)


def _per_hour(litres_a_minute: float) -> float:
    return litres_a_minute * 60 / 1000


GAITS: Final[Mapping[TravelMode, Gait]] = {
    TravelMode.WALK: Gait(Access.FOOT, 1.3, _per_hour(26.0), {RoadClass.STEPS: 0.5}),
    TravelMode.RUN: Gait(Access.FOOT, 2.8, _per_hour(50.0), {RoadClass.STEPS: 1.0}),
    TravelMode.BIKE: Gait(
        Access.BIKE,
        4.4,
        _per_hour(46.0),
        {RoadClass.FOOTWAY: 3.0, RoadClass.PARK_PATH: 3.0, RoadClass.STEPS: 0.5},
    ),
}
"""The figures, and where they come from.

Speeds: walking 1.3 m/s, within the comfortable speeds of adults aged 20 to 79, 1.27 to 1.46 m/s (Bohannon 1997, Age
and Ageing 26:15); on long stairs 0.4 to 0.5 m/s along the horizontal (Kretz et al. 2008, at the Expo 2000). Cycling
4.4 m/s is 16 km/h, in the range of 12 to 20 km/h that keeps the dose low (Bigazzi 2017). Assumed: running 2.8 m/s
(10 km/h), and on stairs at twice the pace of walking; 3.0 m/s by bicycle where people walk, and the pace of walking
where it is carried on stairs.

Ventilation: walking at that speed is of moderate intensity (3 to 6 METs) and running of high intensity; the EPA
Exposure Factors Handbook (2011), chapter 6, table 6-2, gives 0.026 and 0.050 m³ a minute for adults aged 21 to 30.
Cycling 46 l/min (10.1186/s12940-018-0424-8). One value a mode: the dose of who breathes more is in proportion.
"""


def is_open(graph: Graph, mode: TravelMode) -> NDArray[np.bool_]:
    """Which arcs the mode may use, bool[m]."""
    allowed: NDArray[np.bool_] = (graph.access & int(GAITS[mode].access)) != 0
    return allowed


def seconds(graph: Graph, mode: TravelMode) -> NDArray[np.float64]:
    """The time that each arc takes, float64[m], seconds, whether or not it is open."""
    speed = np.full(len(RoadClass), GAITS[mode].speed_m_s)
    for road_class, slower in GAITS[mode].slower_on.items():
        speed[road_class] = slower
    taken: NDArray[np.float64] = graph.length_m / speed[graph.road_class]
    return taken
