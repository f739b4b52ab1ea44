"""Rows to train on: a station at an issue hour, with what was known then and what came."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import FORECAST, WINDOW_HOURS
from predictor.models.features import Features, Measured, Times, features, times_of
from predictor.models.field import network_row
from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.models.scale import to_z
from predictor.models.weather_input import OBSERVED, Weather
from predictor.training.training_set import TrainingSet
from predictor.training.weather_degradation import as_forecast


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """B rows; NaN where nothing is known.

    Attributes:
        window: As `Measured.window`, (B, 168, CHANNELS).
        week_before: As `Measured.week_before`, (B, 168, 4).
        observed: As `Weather.observed`, (B, 168, OBSERVED).
        foreseen: As `Weather.foreseen`, (B, 72, FORESEEN).
        usual_window: As `Times.usual_window`, (B, 168, 4).
        usual_next: As `Times.usual_next`, (B, 72, 4).
        clock: As `Times.clock`, (B, 168, 2).
        marks: As `Times.marks`, (B, 72, MARKS).
        station: The row of the nets' table of stations, (B,).
        network: Likewise of kinds of station, (B,).
        truth: What came, on the scale, (B, 72, 4); NaN also outside the part of the recording that they are of.
    """

    window: Tensor
    week_before: Tensor
    observed: Tensor
    foreseen: Tensor
    usual_window: Tensor
    usual_next: Tensor
    clock: Tensor
    marks: Tensor
    station: Tensor
    network: Tensor
    truth: Tensor

    @property
    def newest(self) -> Tensor:
        """What was measured at the issue hour, on the scale, (B, 4)."""
        return self.window[:, -1, :FORECAST]

    def features(self) -> Features:
        """What a net reads of them."""
        times = Times(self.usual_window, self.usual_next, self.clock, self.marks)
        weather = Weather(self.observed, self.foreseen)
        return features(Measured(self.window, self.week_before), weather, times, self.station, self.network)


def joined(parts: Sequence[Rows]) -> Rows:
    """One after the other."""
    return Rows(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Rows)))


class Source:
    """Makes rows of one recording."""

    def __init__(self, recorded: TrainingSet, nets: RecurrentEnsemble) -> None:
        """`nets` give the climatology and the rows of stations."""
        self._set = recorded
        self._pattern = nets.pattern
        self._station = nets.rows_of([station.station_id for station in recorded.stations])
        self._network = torch.tensor([network_row(station.network) for station in recorded.stations])
        self._part = torch.from_numpy(recorded.part)
        self._values = torch.from_numpy(recorded.values)
        self._issues = functools.cache(lambda part: torch.from_numpy(recorded.issues(part, HORIZON_HOURS)))

    def rows(self, issue: Tensor, place: Tensor, part: int, chance: torch.Generator) -> Rows:
        """Rows of stations at their issue hours; the weather to come is degraded to a forecast.

        Args:
            issue: Rows of the issue hours in the recording, (B,), each with a whole window before it.
            place: The places of stations, (B,).
            part: What came is told of this part of the recording only.
            chance: Of the weather's errors.
        """
        one, last = self._set, self._set.hours - 1
        back, ahead = issue[:, None] + torch.arange(1 - WINDOW_HOURS, 1), issue[:, None] + torch.arange(1, 73)
        older, known = back - WINDOW_HOURS, (ahead <= last)[..., None]
        ahead = ahead.clamp(max=last)
        week = one.inputs[older.clamp_min(0), place[:, None]][..., :FORECAST].to(torch.float32)
        truth = to_z(self._values[ahead, place[:, None]][..., :FORECAST])
        times = times_of(issue + one.first_hour, self._pattern, one.holidays)
        return Rows(
            window=one.inputs[back, place[:, None]].to(torch.float32),
            week_before=torch.where((older >= 0)[..., None], week, torch.nan),
            observed=one.weather[back][..., :OBSERVED],
            foreseen=as_forecast(torch.where(known, one.weather[ahead], torch.nan), chance),
            usual_window=times.usual_window,
            usual_next=times.usual_next,
            clock=times.clock,
            marks=times.marks,
            station=self._station[place],
            network=self._network[place],
            truth=torch.where(known & (self._part[ahead] == part)[..., None], truth, torch.nan),
        )

    def draw(self, count: int, part: int, chance: torch.Generator) -> Rows:
        """Rows of random stations at random issue hours with an hour of this part ahead."""
        issues = self._issues(part)
        at = torch.randint(len(issues), (count,), generator=chance)
        place = torch.randint(len(self._station), (count,), generator=chance)
        return self.rows(issues[at], place, part, chance)
