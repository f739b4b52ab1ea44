"""One model in service: the model, what its matured forecasts have taught, and those that are still to come true."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.forecasting import Told, told_of
from predictor.maturing import DaySums, Measured, matured, scored
from predictor.models.calibration import Calibration
from predictor.models.model_file import LoadedModel
from predictor.models.observed import Observed
from predictor.pending import Pending, PendingIssue

PERSISTENCE_HOURS: Final = 3
"""A last value may be so much older than the issue hour, and is still what persistence says."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A model in service. It never changes: each step makes the next one.

    Attributes:
        loaded: The model.
        calibration: How its members are put together by now.
        pending: Its forecasts of hours that have not all been measured.
        learned_until: The newest hour that it has learnt from; None before the first.
    """

    loaded: LoadedModel
    calibration: Calibration
    pending: Pending = field(default_factory=Pending)
    learned_until: int | None = None

    @classmethod
    def fresh(cls, loaded: LoadedModel) -> Run:
        """A model of which nothing has come true yet."""
        return cls(loaded, loaded.model.prior)

    def with_news(self, news: Collection[Measured]) -> tuple[Run, DaySums]:
        """With what these hours teach, ascending, and the scores of what had been said of them."""
        calibration, learned_until = self.calibration, self.learned_until
        for measured in news:
            found = matured(self.pending, measured)
            if found is not None:
                calibration = calibration.learned(found)
                learned_until = max(measured.hour, learned_until or measured.hour)
        learned = replace(self, calibration=calibration, learned_until=learned_until)
        return learned, scored(self.pending, news)

    def forecast(self, observed: Observed) -> tuple[Run, Told]:
        """What is told of the stations asked for; and with it among what is pending."""
        said = self.loaded.model.forecast(observed)
        told = told_of(self.calibration.apply(said))
        station_ids = [observed.stations[place].station_id for place in observed.places.tolist()]
        issue = PendingIssue.of(observed.issue_hour, station_ids, said, told.field, last_values(observed))
        return replace(self, pending=self.pending.with_issue(issue)), told


def last_values(observed: Observed) -> NDArray[np.float32]:
    """What persistence says at the stations asked for: (stations, pollutants), NaN where it says nothing."""
    recent = observed.values[observed.places, -(PERSISTENCE_HOURS + 1) :, : len(FORECAST_POLLUTANTS)]
    last = np.full((len(recent), recent.shape[2]), np.nan, dtype=np.float32)
    for hour in range(recent.shape[1]):
        last = np.where(np.isfinite(recent[:, hour]), recent[:, hour], last)
    return last
