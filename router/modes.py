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
    WHEELCHAIR = "WHEELCHAIR"
    CAR = "CAR"


PROFILES: Final = (TravelMode.WALK, TravelMode.BIKE, TravelMode.WHEELCHAIR, TravelMode.CAR)
"""The modes that differ in where they may go, or in how their times compare from arc to arc."""


def profile(mode: TravelMode) -> TravelMode:
    """The profile whose metrics serve the mode: who runs takes on every arc the same share of the time of who walks."""
    return TravelMode.WALK if mode is TravelMode.RUN else mode


@dataclass(frozen=True, slots=True)
class Gait:
    """The figures of a travel mode.

    Attributes:
        access: Whom a street must let pass.
        speed_m_s: Usual speed on the level, metres a second.
        ventilation_m3_h: Air breathed, cubic metres an hour.
        slower_on: Speed on streets where it is not the usual one, metres a second.
    """

    access: Access
    speed_m_s: float
    ventilation_m3_h: float
    slower_on: Mapping[RoadClass, float] = field(default_factory=dict)


def _per_hour(litres_a_minute: float) -> float:
    return litres_a_minute * 60 / 1000


_WALKING_M_S: Final = 1.3
_RUNNING_M_S: Final = 2.8
_ON_STAIRS_M_S: Final = 0.5
_CAR_M_S: Final = 50 / 3.6

GAITS: Final[Mapping[TravelMode, Gait]] = {
    TravelMode.WALK: Gait(Access.FOOT, _WALKING_M_S, _per_hour(26.0), {RoadClass.STEPS: _ON_STAIRS_M_S}),
    TravelMode.RUN: Gait(
        Access.FOOT,
        _RUNNING_M_S,
        _per_hour(50.0),
        {RoadClass.STEPS: _ON_STAIRS_M_S * _RUNNING_M_S / _WALKING_M_S},
    ),
    TravelMode.BIKE: Gait(
        Access.BIKE,
        4.4,
        _per_hour(46.0),
        {RoadClass.FOOTWAY: 3.0, RoadClass.PARK_PATH: 3.0, RoadClass.STEPS: 0.5},
    ),
    TravelMode.WHEELCHAIR: Gait(Access.WHEELCHAIR, 1.0, _per_hour(26.0), {RoadClass.STEPS: 0.5}),
    TravelMode.CAR: Gait(Access.CAR, _CAR_M_S, _per_hour(14.6)),
}
"""The figures, and where they come from.

Speeds: walking 1.3 m/s, within the comfortable speeds of adults aged 20 to 79, 1.27 to 1.46 m/s (Bohannon 1997, Age
and Ageing 26:15); on long stairs 0.4 to 0.5 m/s along the horizontal (Kretz et al. 2008, at the Expo 2000). Cycling
4.4 m/s is 16 km/h, in the range of 12 to 20 km/h that keeps the dose low (Bigazzi 2017). Assumed: running 2.8 m/s
(10 km/h), and on stairs faster than walking by the same ratio; 3.0 m/s by bicycle where people walk, and the pace of
walking where it is carried on stairs; 1.0 m/s in a wheelchair, and half of it on a ramp beside steps. A car drives by
the limit of each street (`CAR_SHARE`); its speed here is that of a city's limit.

Ventilation: walking at that speed is of moderate intensity (3 to 6 METs) and running of high intensity; the EPA
Exposure Factors Handbook (2011), chapter 6, table 6-2, gives 0.026 and 0.050 m³ a minute for adults aged 21 to 30.
Cycling 46 l/min, and at rest, as in a car, 14.6 l/min (10.1186/s12940-018-0424-8); in a wheelchair as walking, which
is assumed. One value a mode: the dose of who breathes more is in proportion. In a car one is taken to breathe the air
of the street, which is an upper bound where the cabin's air is filtered.
"""

CAR_SHARE: Final = 0.5
"""The share of the speed limit that a car makes on streets with signals: waiting and turning are in it. Assumed."""

CAR_SHARE_ON_EXPRESSWAYS: Final = 0.8
"""The same where the limit is EXPRESSWAY_KMH or more, as there are no signals. Assumed."""

EXPRESSWAY_KMH: Final = 80

_TOBLER = 3.5
_TOBLER_LEVEL = 0.05
_BIKE_LOST_A_PERCENT = 0.067
_BIKE_LEAST = 0.3


def is_open(graph: Graph, mode: TravelMode) -> NDArray[np.bool_]:
    """Which arcs the mode may use, bool[m]."""
    allowed: NDArray[np.bool_] = (graph.access & int(GAITS[mode].access)) != 0
    return allowed


def seconds(graph: Graph, mode: TravelMode) -> NDArray[np.float64]:
    """The time that each arc takes, float64[m], seconds, whether or not it is open."""
    taken: NDArray[np.float64] = graph.length_m / (_level_speed_m_s(graph, mode) * _slope_share(graph, mode))
    return taken


def _level_speed_m_s(graph: Graph, mode: TravelMode) -> NDArray[np.float64]:
    if mode is TravelMode.CAR:
        limit = graph.speed_limit_kmh.astype(np.float64)
        return np.where(limit >= EXPRESSWAY_KMH, CAR_SHARE_ON_EXPRESSWAYS, CAR_SHARE) * limit / 3.6
    speed = np.full(len(RoadClass), GAITS[mode].speed_m_s)
    for road_class, slower in GAITS[mode].slower_on.items():
        speed[road_class] = slower
    by_arc: NDArray[np.float64] = speed[graph.road_class]
    return by_arc


def _slope_share(graph: Graph, mode: TravelMode) -> NDArray[np.float64]:
    """The share of the speed on the level that a slope leaves, float64[m]; nobody is faster than on the level.

    On foot and in a wheelchair after Tobler's hiking function (1993); on steps their own speed says it all. A bicycle
    loses 1.44 of 21.6 km/h for each per cent that it climbs (Parkin and Rotheram 2010, Transport Policy 17:335).
    """
    if mode is TravelMode.CAR:
        return np.ones(graph.arc_count)
    if mode is TravelMode.BIKE:
        return np.clip(1.0 - _BIKE_LOST_A_PERCENT * np.maximum(graph.grade_percent, 0.0), _BIKE_LEAST, 1.0)
    off_best = np.abs(graph.grade_percent / 100.0 + _TOBLER_LEVEL) - _TOBLER_LEVEL
    share: NDArray[np.float64] = np.exp(-_TOBLER * np.maximum(off_best, 0.0))
    share[graph.road_class == RoadClass.STEPS] = 1.0
    return share
