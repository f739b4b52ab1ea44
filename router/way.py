"""A path with what it costs, reckoned from the streets themselves and not from what a search made least."""

from __future__ import annotations

from dataclasses import dataclass

from air.geodesy import Floats
from router.exposure.along import Exposure
from router.exposure.dose import Dose
from router.modes import TravelMode
from router.search.engine import Path


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A path as one mode travels it, from one departure on.

    Attributes:
        path: The arcs.
        mode: How it is travelled.
        arc_seconds: float64[k], the time on each of its arcs; of the first and the last the part that is travelled.
        seconds: Time on the way.
        length_m: Metres.
        exposure: What is inhaled on it.
    """

    path: Path
    mode: TravelMode
    arc_seconds: Floats
    seconds: float
    length_m: float
    exposure: Exposure

    @property
    def load(self) -> float:
        """Time weighed by the air's load, seconds, whatever that load rests on."""
        return self.exposure.load

    @property
    def doses(self) -> tuple[Dose, ...]:
        """What is inhaled, by pollutant; empty when the air is unknown."""
        return self.exposure.doses
