"""The baseline: what was measured last fades into what is usual at that hour and season.

On the scale z = ln(x + c), with c a few µg/m³ (or ppb) for each pollutant:

    z(h) = clim(valid hour) + level + damping(h) · (z(newest value) - clim(its hour) - level)

The scale is the choice that keeps every quantile at 0 or above and makes intervals multiplicative in high air and
additive in clean air, as the errors of such forecasts are. `clim` is one pattern for all stations by hour of day
and season (`calendar.waves`); `level` is the station's own mean departure from it; `damping` is the share of an
anomaly that is left after h hours. The outer quantiles lie at fitted distances from the median by pollutant and h,
widened where the station's own air is rougher than usual, and where its level is not known yet.

A newest value that is `a` hours old is forecast from as if it were `a` hours longer ahead, and after a day without
one nothing but climatology and level are left: so gaps and silent stations need no rule of their own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.axes import HORIZON_HOURS, MEDIAN, QUANTILES, SWANSON
from predictor.models.calendar import WAVES, waves, waves_from
from predictor.models.calibration import Calibration
from predictor.models.channels import FORECAST
from predictor.models.members import MemberForecasts
from predictor.models.observed import Observed

OLDEST_HOURS: Final = 24
"""A newest value older than this says nothing about the hours to come."""

LEADS: Final = HORIZON_HOURS + OLDEST_HOURS
"""The leads from the newest value that have parameters: 1 to LEADS hours; one more row stands for no such value."""

_NORMAL_80: Final = 2.5631
"""The width of the central 80 % of a normal distribution, in standard deviations."""

_ROUGHEST: Final = 4.0

_LARGEST: Final = 1e4
"""More than this is no concentration of anything, and a mean of it would be without bounds."""


class DampedPersistence(nn.Module):
    """Damped persistence around an hourly climatology; all parameters are fitted in closed form and kept as buffers.

    Shapes: P pollutants, R = LEADS + 1 rows of leads.

    Attributes:
        shift: c, (P,), in the pollutant's unit, above 0.
        pattern: The climatology's coefficients on the waves, (P, WAVES).
        damping: The share of an anomaly that is left, by lead, (P, R).
        spread: The error's 10, 50 and 90 % quantiles by lead, (P, R, 3).
        roughness_share: How far the interval follows the station's own roughness, (P, R): 0 not at all, 1 in
            proportion.
        step: The usual size (root mean square) of an anomaly's change from one hour to the next, (P,).
        level_spread: How far levels of stations and fortnights lie apart (standard deviation), (P,).
        memory_hours: How fast old hours lose their say in level and roughness (e-folding), a scalar.
        trust_hours: After so many hours of data half of the station's own mean departure is believed, a scalar.
    """

    shift: Tensor
    pattern: Tensor
    damping: Tensor
    spread: Tensor
    roughness_share: Tensor
    step: Tensor
    level_spread: Tensor
    memory_hours: Tensor
    trust_hours: Tensor

    def __init__(self) -> None:
        super().__init__()
        pollutants, rows = len(FORECAST_POLLUTANTS), LEADS + 1
        self.register_buffer("shift", torch.ones(pollutants))
        self.register_buffer("pattern", torch.zeros(pollutants, WAVES))
        self.register_buffer("damping", torch.zeros(pollutants, rows))
        self.register_buffer("spread", torch.zeros(pollutants, rows, len(QUANTILES)))
        self.register_buffer("roughness_share", torch.zeros(pollutants, rows))
        self.register_buffer("step", torch.ones(pollutants))
        self.register_buffer("level_spread", torch.zeros(pollutants))
        self.register_buffer("memory_hours", torch.tensor(336.0))
        self.register_buffer("trust_hours", torch.tensor(48.0))

    @property
    def name(self) -> str:
        """The family's name."""
        return "damped-persistence"

    @property
    def version(self) -> str:
        """The family's name and the version of its parameters' meaning."""
        return f"{self.name}-1"

    @property
    def pollutants(self) -> tuple[Pollutant, ...]:
        """All that is forecast."""
        return FORECAST_POLLUTANTS

    def defects(self) -> list[str]:
        """What makes these parameters unusable; empty when they are sound."""
        found = [f"{name} is not finite" for name, buffer in self.named_buffers() if not bool(buffer.isfinite().all())]
        positive = ("shift", "step", "memory_hours", "trust_hours")
        found += [f"{name} must be above 0" for name in positive if bool((self.get_buffer(name) <= 0).any())]
        if bool((self.level_spread < 0).any()):
            found.append("level_spread must not be below 0")
        if bool((self.damping.abs() > 1).any()):
            found.append("damping must lie between -1 and 1")
        if bool((self.spread.diff(dim=-1) < 0).any()):
            found.append("the quantiles of spread must ascend")
        return found

    @property
    def members(self) -> tuple[str, ...]:
        """Itself."""
        return (self.name,)

    @property
    def prior(self) -> Calibration:
        """None: it is told as it is until its forecasts have been seen to come true."""
        return Calibration.neutral(1)

    @property
    def sees_weather(self) -> bool:
        """It does not."""
        return False

    def knows(self, station_id: str) -> bool:  # noqa: ARG002 # others do look
        """It learns a station's level from its own hours, and so knows all alike."""
        return True

    def forecast(self, observed: Observed) -> MemberForecasts:
        """See `Model.forecast`. The mean is worked out from the quantiles."""
        window = torch.from_numpy(observed.values[observed.places, :, :FORECAST])
        issue_hour = torch.full((len(window),), observed.issue_hour, dtype=torch.int64)
        quantiles = self.quantiles(window, issue_hour).clamp(max=_LARGEST)
        mean = quantiles @ torch.tensor(SWANSON)
        return MemberForecasts(mean.numpy()[None], quantiles.numpy()[None])

    @torch.inference_mode()
    def quantiles(self, window: Tensor, issue_hour: Tensor) -> Tensor:
        """The quantiles of the next hours.

        Args:
            window: Concentrations, shape (stations, hours, pollutants), float32: the hours up to and including the
                issue hour, oldest first, 1 or more of them. A gap is NaN, and all may be gaps.
            issue_hour: The last hour of each station's window, shape (stations,), int64, in hours since
                1970-01-01T00Z. It gives each hour its place in the day and in the year.

        Returns:
            Shape (stations, 72, pollutants, 3), float32, in the window's units: 0 or more, and ascending along the
            last axis.
        """
        hours = window.shape[1]
        usual = self._usual(issue_hour, hours)
        anomaly, known = self._anomalies(window, usual[:, :hours].mT)
        age = torch.arange(hours - 1, -1, -1, dtype=torch.float32)
        say = torch.exp(-age / self.memory_hours)

        level, trusted = self._level(anomaly, known, say)
        newest, row = _newest(anomaly, known)
        damping, share, *spread = self._at(row)
        median = spread[MEDIAN]
        middle = usual[:, hours:] + level.unsqueeze(1) + damping * (newest - level).unsqueeze(1) + median

        # Roughness to the power of the share.
        roughness = torch.exp(share * torch.log(self._roughness(anomaly, known, say)).unsqueeze(1))
        unknown = (1 - damping) ** 2 * (self.level_spread**2 * (1 - trusted)).unsqueeze(1)
        usual_variance = ((spread[-1] - spread[0]) / _NORMAL_80).square().clamp_min(1e-12)
        widening = roughness * torch.sqrt(1 + unknown / usual_variance)
        z = torch.stack([middle + (each - median) * widening for each in spread], dim=-1)
        shift = self.shift.repeat_interleave(len(QUANTILES))
        return (torch.exp(z).flatten(-2) - shift).clamp_min(0.0).view(z.shape)

    def _at(self, row: Tensor) -> Tensor:
        """Damping, share of roughness and spread at rows of leads, (stations, 72, P): one more axis, in front."""
        parameters = torch.stack([self.damping, self.roughness_share, *self.spread.unbind(-1)])
        pollutants, rows = self.damping.shape
        place = row + rows * torch.arange(pollutants)
        return parameters.flatten(1).index_select(1, place.flatten()).view(-1, *row.shape)

    def _anomalies(self, window: Tensor, usual: Tensor) -> tuple[Tensor, Tensor]:
        """Departures from what is usual, 0 where unknown, and 1 where known; both (stations, P, hours), as `usual`."""
        # Series by series, and in numpy: torch takes long over logarithms of NaN, and to tell NaN from numbers.
        series = window.mT.contiguous().numpy()
        with np.errstate(all="ignore"):
            anomaly = np.log(series + self.shift.numpy()[:, None]) - usual.numpy()
        known = ((series >= 0) & np.isfinite(anomaly)).astype(np.float32)
        return torch.from_numpy(anomaly).nan_to_num_(0.0, 0.0, 0.0) * torch.from_numpy(known), torch.from_numpy(known)

    def _usual(self, issue_hour: Tensor, hours: int) -> Tensor:
        """The climatology on the z scale, from the window's first hour to the last horizon: (stations, hours, P)."""
        # Stations of one network share their issue hours, so there are few to work out.
        distinct, of_station = torch.unique(issue_hour, return_inverse=True)
        if len(distinct) == 1:
            of_all: Tensor = waves_from(int(distinct) + 1 - hours, hours + HORIZON_HOURS) @ self.pattern.T
            return of_all.expand(len(of_station), -1, -1)
        hour = distinct.unsqueeze(-1) + torch.arange(1 - hours, HORIZON_HOURS + 1)
        usual: Tensor = (waves(hour) @ self.pattern.T)[of_station]
        return usual

    def _level(self, anomaly: Tensor, known: Tensor, say: Tensor) -> tuple[Tensor, Tensor]:
        """The station's mean departure, drawn towards none while there are few hours, and how far it is trusted."""
        amount = known @ say
        return anomaly @ say / (amount + self.trust_hours), amount / (amount + self.trust_hours)

    def _roughness(self, anomaly: Tensor, known: Tensor, say: Tensor) -> Tensor:
        """The station's hour-to-hour change against the usual one, drawn towards 1 while there are few hours."""
        both = known[..., 1:] * known[..., :-1]
        change = anomaly.diff(dim=-1).square() * both
        mean = (change @ say[1:] + self.trust_hours * self.step.square()) / (both @ say[1:] + self.trust_hours)
        return (mean.sqrt() / self.step).clamp(1 / _ROUGHEST, _ROUGHEST)


def _newest(anomaly: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The newest known anomaly, (stations, P), and for each horizon the row of its lead, (stations, 72, P)."""
    hours = anomaly.shape[-1]
    # The newest known hour is the highest of those that are numbered from 1 on.
    place = (known * torch.arange(1, hours + 1)).amax(dim=-1).to(torch.int64) - 1
    newest = anomaly.gather(-1, place.clamp_min(0).unsqueeze(-1)).squeeze(-1)
    age = (hours - 1 - place).unsqueeze(1)
    lead_row = age + torch.arange(HORIZON_HOURS).unsqueeze(-1)
    silent = (place.unsqueeze(1) < 0) | (age > OLDEST_HOURS)
    return newest, torch.where(silent, LEADS, lead_row)
