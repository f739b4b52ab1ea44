"""What a model is shown: all that is known of a network of stations at one issue hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Point, Station
from predictor.models.day_marks import Days
from predictor.models.weather_input import Weather

Floats = NDArray[np.float32]

NO_HOLIDAYS: Final[Days] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What is known of stations at an issue hour.

    Attributes:
        stations: Where they stand and what they are there for.
        issue_hour: In hours since 1970-01-01T00Z.
        values: What they measured up to and including the issue hour, in network units, (stations, hours, 4 or 6),
            pollutants in the order of INPUT_POLLUTANTS, oldest first, one hour or more, NaN in gaps: who is late has
            gaps at the end, and all may be gaps.
        weather: At the stations; any of it may be NaN.
        holidays: See `day_marks`.
        asked: The places of the stations to forecast for, ascending; None for all. The others are only looked at.
    """

    stations: Sequence[Station]
    issue_hour: int
    values: Floats
    weather: Weather
    holidays: Days = field(default_factory=lambda: NO_HOLIDAYS)
    asked: NDArray[np.int64] | None = None

    @property
    def locations(self) -> tuple[Point, ...]:
        """Where the stations stand."""
        return tuple(station.location for station in self.stations)

    @property
    def places(self) -> NDArray[np.int64]:
        """The places of the stations to forecast for."""
        return np.arange(len(self.stations)) if self.asked is None else self.asked
