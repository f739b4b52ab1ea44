"""The air of the simulated city: what each station measures in any hour of any year, as a function of the seed alone.

The levels, the course of the day and year, and the correlations in time and space follow those that a Korean city
shows; no measured value is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import numpy as np

from air.places import Network, Point
from air.pollutants import Pollutant
from simulation.noise import Floats, Integers, Noise

KST: Final = timezone(timedelta(hours=9), "KST")

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAYS_A_YEAR: Final = 365.25
_KST_HOURS: Final = 9

# The course of a working day by hour of KST: two rush hours, and the mixing of the afternoon.
_TRAFFIC: Final = np.array(
    (
        *(1.08, 1.00, 0.93, 0.88, 0.88, 0.93, 1.06, 1.24, 1.32, 1.24, 1.12, 1.00),
        *(0.93, 0.84, 0.80, 0.79, 0.82, 0.90, 1.02, 1.10, 1.15, 1.14, 1.13, 1.11),
    )
)
_QUIET: Final = np.array(
    (
        *(1.08, 1.00, 0.94, 0.89, 0.86, 0.86, 0.90, 0.94, 0.97, 0.97, 0.95, 0.91),
        *(0.87, 0.82, 0.79, 0.78, 0.80, 0.86, 0.95, 1.02, 1.06, 1.06, 1.05, 1.04),
    )
)
_SUN: Final = np.array(
    (
        *(0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.10, 0.22, 0.38, 0.56),
        *(0.74, 0.90, 0.98, 1.00, 0.97, 0.88, 0.72, 0.52, 0.34, 0.20, 0.10, 0.04),
    )
)
_PARTICLES: Final = np.array(
    (
        *(1.01, 1.00, 0.98, 0.97, 0.96, 0.96, 0.97, 1.00, 1.03, 1.04, 1.03, 1.01),
        *(1.00, 0.99, 0.98, 0.97, 0.97, 0.98, 1.00, 1.02, 1.04, 1.04, 1.03, 1.02),
    )
)

_SATURDAY: Final = 5
_SUNDAY: Final = 6
_EPISODE_HOURS: Final = 192
_DUST_HOURS: Final = 240
_DUST_CHANCE: Final = 0.35
_MODES: Final = 4


@dataclass(frozen=True, slots=True)
class Site:
    """A station of the simulated city."""

    name: str
    location: Point
    network: Network


@dataclass(frozen=True, slots=True)
class _Calendar:
    """What the clocks of the city show at some hours; each of shape (hours, 1)."""

    hour: Integers
    day_of_year: Integers
    weekday: Integers
    winter: Floats
    """1 in the middle of winter, -1 in the middle of summer."""

    @classmethod
    def of(cls, hours: Integers) -> _Calendar:
        local = (hours + _KST_HOURS)[:, None]
        day = local // 24
        date = np.datetime64(_EPOCH.date()) + day
        day_of_year = (date - date.astype("datetime64[Y]")).astype(np.int64) + 1
        winter = np.cos(2.0 * np.pi * (day_of_year - 15) / _DAYS_A_YEAR)
        return cls(local % 24, day_of_year, (day + _EPOCH.weekday()) % 7, winter)


class SimulatedAir:
    """What the stations measure. The same seed and sites give the same air, whatever is asked first."""

    def __init__(self, seed: int, sites: Sequence[Site]) -> None:
        self.sites: Final = tuple(sites)
        self._noise = Noise(seed)
        self._roadside = np.array([site.network is Network.ROADSIDE for site in sites], dtype=np.float64)
        self._modes = _spatial_modes(sites)

    def concentrations(self, first: int, count: int = 1) -> dict[Pollutant, Floats]:
        """Unrounded concentrations of `count` hours from the hour number `first` on: shape (count, sites) each."""
        hours = np.arange(first, first + count, dtype=np.int64)
        noise, calendar = self._noise, _Calendar.of(hours)
        winter = calendar.winter
        # Still air holds everything that is emitted; it comes and goes within days.
        still = 0.7 * noise.smooth(1, hours, 60) + 0.65 * noise.smooth(2, hours, 18) + 0.4 * noise.smooth(3, hours, 6)
        local = self._local(hours)

        fine = 12.5 * np.exp(0.28 * winter + 0.52 * still + local[0] + self._episode(hours, winter))
        fine *= _PARTICLES[calendar.hour]
        coarse = 9.0 * np.exp(0.25 * noise.smooth(4, hours, 30) + 0.2 * winter + local[1]) + self._dust(hours, calendar)
        coarse *= 1.0 + 0.2 * self._roadside
        rush = self._traffic(calendar)
        no2 = 0.0150 * np.exp(0.38 * winter + 0.30 * still + local[2]) * rush
        return {
            Pollutant.PM25: fine,
            Pollutant.PM10: 1.12 * fine + coarse,
            Pollutant.O3: self._ozone(hours, calendar, no2) * np.exp(0.4 * local[3]),
            Pollutant.NO2: no2,
            Pollutant.CO: 0.37 * np.exp(0.22 * winter + 0.20 * still + 0.6 * local[4]) * (0.75 + 0.25 * rush),
            Pollutant.SO2: 0.0026 * np.exp(0.06 * winter + 0.10 * noise.smooth(5, hours, 24) + 0.6 * local[5]),
        }

    def _local(self, hours: Integers) -> Floats:
        """How sites differ from the city, as logarithms of a factor: shape (pollutants, hours, sites)."""
        noise, sites, kinds = self._noise, len(self.sites), len(Pollutant)
        tilt = noise.smooth(10, hours, 20, kinds * _MODES).reshape(-1, kinds, _MODES) @ self._modes
        offset = noise.normal(11, np.zeros(1, dtype=np.int64), kinds * sites)
        drift = noise.smooth(12, hours, 5, kinds * sites)
        white = noise.normal(13, hours, kinds * sites)
        local: Floats = 0.09 * tilt + (0.10 * offset + 0.12 * drift + 0.06 * white).reshape(-1, kinds, sites)
        return local.transpose(1, 0, 2)

    def _traffic(self, calendar: _Calendar) -> Floats:
        """The emission of traffic over its mean: shape (hours, sites). A kerb sees more, and more of its course."""
        quiet = _QUIET[calendar.hour] * np.where(calendar.weekday == _SUNDAY, 0.92, 0.98)
        city = np.where(calendar.weekday >= _SATURDAY, quiet, _TRAFFIC[calendar.hour])
        return np.where(self._roadside > 0, 1.45 * (1.0 + 1.25 * (city - 1.0)), city)

    def _ozone(self, hours: Integers, calendar: _Calendar, no2: Floats) -> Floats:
        """Made by the sun in the afternoon, eaten by what traffic emits: shape (hours, sites)."""
        clear = 1.0 / (1.0 + np.exp(-(0.6 + 1.4 * self._noise.smooth(6, hours, 34))))
        background = 0.024 - 0.006 * calendar.winter
        made = (0.026 - 0.017 * calendar.winter) * _SUN[calendar.hour] * (0.35 + clear)
        ozone: Floats = np.maximum(background + made - 0.55 * (no2 - 0.010), 0.0015)
        return ozone

    def _episode(self, hours: Integers, winter: Floats) -> Floats:
        """The logarithm of the factor by which episodes of some days raise fine particles: shape (hours, 1)."""
        total = np.zeros((len(hours), 1))
        for cells in _cells_near(hours, _EPISODE_HOURS):
            chance, centre, width, strength = np.split(self._noise.uniform(7, cells, 4), 4, axis=1)
            bump = _bump(hours, _EPISODE_HOURS, cells, centre, 16.0 + 24.0 * width)
            total += np.where(chance < 0.30 + 0.18 * winter, (0.5 + 0.6 * strength) * bump, 0.0)
        return total

    def _dust(self, hours: Integers, calendar: _Calendar) -> Floats:
        """Desert dust in µg/m³, in spring for a day or so: shape (hours, 1)."""
        total = np.zeros((len(hours), 1))
        for cells in _cells_near(hours, _DUST_HOURS):
            chance, centre, width, strength = np.split(self._noise.uniform(8, cells, 4), 4, axis=1)
            bump = _bump(hours, _DUST_HOURS, cells, centre, 6.0 + 10.0 * width)
            total += np.where(chance < _DUST_CHANCE, (80.0 + 260.0 * strength**2) * bump, 0.0)
        spring = np.exp(-(((calendar.day_of_year - 95) / 35.0) ** 2))
        dust: Floats = spring * total
        return dust


def hour_number(time: datetime) -> int:
    """Hours since the start of 2000 (UTC), rounded down."""
    return (time - _EPOCH) // _HOUR


def hour_time(hour: int) -> datetime:
    """The time of an hour number, in KST."""
    return (_EPOCH + hour * _HOUR).astimezone(KST)


def _cells_near(hours: Integers, length: int) -> tuple[Integers, Integers, Integers]:
    cells = hours // length
    return cells - 1, cells, cells + 1


def _bump(hours: Integers, length: int, cells: Integers, centre: Floats, width: Floats) -> Floats:
    distance = (hours[:, None] - (cells[:, None] + centre) * length) / width
    bump: Floats = np.exp(-0.5 * distance * distance)
    return bump


def _spatial_modes(sites: Sequence[Site]) -> Floats:
    """Smooth patterns over the city, each with mean square one over its sites: shape (modes, sites)."""
    east = _centred(np.array([site.location.longitude for site in sites]))
    north = _centred(np.array([site.location.latitude for site in sites]))
    return np.stack([east, north, _centred(east * north), _centred(east * east - north * north)])


def _centred(values: Floats) -> Floats:
    spread = float(values.std())
    centred: Floats = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return centred
