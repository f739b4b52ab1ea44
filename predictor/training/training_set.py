"""One network's recorded hours as the nets are trained on them: on the scale, with surroundings, weather and days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from air.places import Station
from predictor.models.channels import CHANNELS, FORECAST, OWN, SECTORS, WINDOW_HOURS
from predictor.models.day_marks import Days
from predictor.models.scale import to_z
from predictor.models.surroundings import Surroundings, around, surroundings_of
from predictor.training.recordings import Recording
from predictor.training.splits import Kind

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_AT_ONCE: Final = 256
_WEIGHT: Final = 25.0


class Neighbours(StrEnum):
    """Who counts as a station's neighbour."""

    NEAR = "those near to it"
    ALL = "all others"
    NONE = "nobody"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """One network over some years.

    Attributes:
        kind: Which recording it is.
        stations: In the order of the station axis.
        fitted: The stations that the damped persistence is fitted to, (stations,).
        first_hour: The first hour, in hours since 1970-01-01T00Z.
        values: (hours, stations, 6), in network units, pollutants as INPUT_POLLUTANTS, screened, NaN in gaps.
        inputs: The same on the scale, with the surroundings, (hours, stations, CHANNELS), in half precision.
        weather: The weather of all stations, (hours, FORESEEN), float32, NaN where it is not known.
        holidays: See `day_marks`.
        part: TRAIN, TUNE or TEST by hour.
        share: Of the rows of each batch.
    """

    kind: Kind
    stations: tuple[Station, ...]
    fitted: Bools
    first_hour: int
    values: Floats
    inputs: Tensor
    weather: Tensor
    holidays: Days
    part: Ints
    share: float

    @property
    def hours(self) -> int:
        """How many there are."""
        return len(self.values)

    def issues(self, part: int, horizon: int) -> Ints:
        """Rows of the hours with a whole window before them and, within so many hours after them, one of this part."""
        of_part = np.concatenate([[0], np.cumsum(self.part == part)])
        row = np.arange(WINDOW_HOURS - 1, self.hours - 1)
        return row[of_part[np.minimum(row + 1 + horizon, self.hours)] > of_part[row + 1]]

    def without_weather(self) -> TrainingSet:
        """The same where nothing is known of the weather."""
        return replace(self, weather=torch.full_like(self.weather, torch.nan))

    def recording(self) -> Recording:
        """What the damped persistence is fitted to."""
        values = self.values[:, self.fitted, :FORECAST].astype(np.float64)
        return Recording(self.kind.value, self.first_hour, values, self.part, _WEIGHT / values.shape[1])


def inputs_of(values: Floats, stations: tuple[Station, ...], neighbours: Neighbours) -> Tensor:
    """What the nets see of each hour, as `TrainingSet.inputs`."""
    surroundings = _surroundings(stations, neighbours)
    inputs = torch.full((*values.shape[:2], CHANNELS), torch.nan, dtype=torch.float16)
    for start in range(0, len(values), _AT_ONCE):
        own = to_z(torch.from_numpy(values[start : start + _AT_ONCE]))
        inputs[start : start + _AT_ONCE, :, OWN] = own.to(torch.float16)
        if neighbours is not Neighbours.NONE:
            seen = around(own.transpose(0, 1), surroundings).transpose(0, 1)
            inputs[start : start + _AT_ONCE, :, OWN.stop :] = seen.to(torch.float16)
    return inputs


def _surroundings(stations: tuple[Station, ...], neighbours: Neighbours) -> Surroundings:
    if neighbours is Neighbours.NEAR:
        latitude = np.array([station.location.latitude for station in stations])
        longitude = np.array([station.location.longitude for station in stations])
        return surroundings_of(latitude, longitude)
    count = len(stations)
    return Surroundings(1 - torch.eye(count), torch.zeros(len(SECTORS), count, count))
