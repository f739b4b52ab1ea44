"""What a model is to the rest of the predictor."""

from __future__ import annotations

from typing import Protocol

from air.pollutants import Pollutant
from predictor.models.calibration import Calibration
from predictor.models.members import MemberForecasts
from predictor.models.observed import Observed


class Model(Protocol):
    """Forecasts a whole network at once, by one member or several. Deterministic."""

    @property
    def name(self) -> str:
        """What it is called, for instance `damped-persistence`."""

    @property
    def version(self) -> str:
        """Name and version of what its parameters mean, for instance `damped-persistence-1`."""

    @property
    def pollutants(self) -> tuple[Pollutant, ...]:
        """What it forecasts, in the order of its pollutant axis."""

    @property
    def members(self) -> tuple[str, ...]:
        """What its members are called, in the order of its member axis; one or more."""

    @property
    def prior(self) -> Calibration:
        """How its members are put together before any of their forecasts has been seen to come true."""

    @property
    def sees_weather(self) -> bool:
        """Whether it looks at the weather."""

    def knows(self, station_id: str) -> bool:
        """Whether it has learnt anything of this station itself; where it has not, it forecasts by its air alone."""

    def forecast(self, observed: Observed) -> MemberForecasts:
        """What each member expects at the stations asked for, in their order, 1 to 72 hours ahead."""
