"""What else is told of a route where it is asked for: turn by turn, and the air piece by piece."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from air.geodesy import Floats
from router.exposure.along import exposure_along
from router.exposure.dose import Dose
from router.modes import GAITS
from router.route import Detail, Route
from router.search.outline import Outline, outline
from router.segments import Segment, in_pieces
from router.steps import turn_by_turn
from router.way import Way
from router.wayfinding import Wayfinder


def with_details(route: Route, way: Way, finder: Wayfinder, departure: datetime, details: Collection[Detail]) -> Route:
    """The route of a way with the details asked for; segments are told only where something is known of the air."""
    if not {Detail.STEPS, Detail.SEGMENTS} & set(details):
        return route
    region, path = finder.region, way.path
    drawn = outline(region.shapes, path)
    length_m = region.graph.length_m[path.arcs] * path.portions()
    steps = (
        turn_by_turn(region.graph, path.arcs, length_m, way.arc_seconds, drawn, GAITS[way.mode].access)
        if Detail.STEPS in details
        else ()
    )
    segments = _segments(way, finder, departure, length_m, drawn) if Detail.SEGMENTS in details else ()
    return replace(route, line=drawn.points, steps=steps, segments=segments)


def _segments(
    way: Way, finder: Wayfinder, departure: datetime, length_m: Floats, drawn: Outline
) -> tuple[Segment, ...]:
    if way.exposure.score is None:
        return ()
    air, arcs, ventilation = finder.air, way.path.arcs, GAITS[way.mode].ventilation_m3_h
    begun = np.cumsum(way.arc_seconds) - way.arc_seconds

    def breathed(some: slice) -> tuple[tuple[Dose, ...], float]:
        start = max(departure, finder.now) + timedelta(seconds=float(begun[some.start]))
        exposure = exposure_along(air, arcs[some], way.arc_seconds[some], start, ventilation)
        return exposure.doses, 0.0 if exposure.score is None else exposure.score.value

    return in_pieces(length_m, way.arc_seconds, drawn, breathed)
