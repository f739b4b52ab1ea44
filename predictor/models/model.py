"""What a model is to the rest of the predictor."""

from __future__ import annotations

from typing import Final, Protocol

from torch import Tensor

from air.pollutants import Pollutant

HORIZON_HOURS: Final = 72
"""How far every model looks ahead."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""What is expected of each hour, in the order of every quantile axis."""

MEDIAN: Final = 1
"""The place of the 50 % quantile on that axis."""


class Model(Protocol):
    """Forecasts many stations at once. Deterministic, and the same for a station whatever else is in the batch."""

    @property
    def name(self) -> str:
        """What it is called, for instance `damped-persistence`."""

    @property
    def version(self) -> str:
        """Name and version, as forecasts carry it."""

    @property
    def pollutants(self) -> tuple[Pollutant, ...]:
        """What it forecasts, in the order of its pollutant axis."""

    def forecast(self, window: Tensor, issue_hour: Tensor) -> Tensor:
        """The quantiles of the next hours.

        Args:
            window: Concentrations, shape (stations, hours, pollutants), float32: the hours up to and including the
                issue hour, oldest first, 1 or more of them. A gap is NaN, and all may be gaps.
            issue_hour: The last hour of each station's window, shape (stations,), int64, in hours since
                1970-01-01T00Z. It gives each hour its place in the day and in the year.

        Returns:
            Shape (stations, 72, pollutants, 3), float32, in the window's units: finite, 0 or more, and ascending
            along the last axis.
        """
