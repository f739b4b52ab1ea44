"""The air of the simulated city: what each station measures in any hour of any year, as a function of the seed alone.

The levels, the course of the day and year, and the correlations in time and space follow those that a Korean city
shows; no measured value is in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

import numpy as np

from air.places import Network, Point
from air.pollutants import Pollutant
from simulation.noise import Floats, Noise

KST: Final = timezone(timedelta(hours=9), "KST")

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAYS_A_YEAR: Final = 365.25

# The course of a working day by hour of KST: two rush hours, and the mixing of the afternoon.
_TRAFFIC: Final = (
    *(1.08, 1.00, 0.93, 0.88, 0.88, 0.93, 1.06, 1.24, 1.32, 1.24, 1.12, 1.00),
    *(0.93, 0.84, 0.80, 0.79, 0.82, 0.90, 1.02, 1.10, 1.15, 1.14, 1.13, 1.11),
)
_QUIET: Final = (
    *(1.08, 1.00, 0.94, 0.89, 0.86, 0.86, 0.90, 0.94, 0.97, 0.97, 0.95, 0.91),
    *(0.87, 0.82, 0.79, 0.78, 0.80, 0.86, 0.95, 1.02, 1.06, 1.06, 1.05, 1.04),
)
_SUN: Final = (
    *(0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.10, 0.22, 0.38, 0.56),
    *(0.74, 0.90, 0.98, 1.00, 0.97, 0.88, 0.72, 0.52, 0.34, 0.20, 0.10, 0.04),
)
_PARTICLES: Final = (
    *(1.01, 1.00, 0.98, 0.97, 0.96, 0.96, 0.97, 1.00, 1.03, 1.04, 1.03, 1.01),
    *(1.00, 0.99, 0.98, 0.97, 0.97, 0.98, 1.00, 1.02, 1.04, 1.04, 1.03, 1.02),
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


class SimulatedAir:
    """What the stations measure. The same seed and sites give the same air, whatever is asked first."""

    def __init__(self, seed: int, sites: Sequence[Site]) -> None:
        self.sites: Final = tuple(sites)
        self._noise = Noise(seed)
        self._roadside = np.array([site.network is Network.ROADSIDE for site in sites], dtype=np.float64)
        self._modes = _spatial_modes(sites)
        self._hour = lru_cache(maxsize=512)(self._concentrations)

    def concentrations(self, measured_at: datetime) -> dict[Pollutant, Floats]:
        """Concentrations of the hour that ends at `measured_at` (aware, on the hour), one a site, unrounded."""
        return self._hour(hour_number(measured_at))

    def _concentrations(self, hour: int) -> dict[Pollutant, Floats]:
        time = (_EPOCH + hour * _HOUR).astimezone(KST)
        noise, sites = self._noise, len(self.sites)
        # 1 in the middle of winter, -1 in the middle of summer.
        winter = np.cos(2.0 * np.pi * (time.timetuple().tm_yday - 15) / _DAYS_A_YEAR)
        # Still air holds everything that is emitted; it comes and goes within days.
        still = (
            0.7 * noise.smooth(1, hour, 60)[0] + 0.65 * noise.smooth(2, hour, 18)[0] + 0.4 * noise.smooth(3, hour, 6)[0]
        )
        local = self._local(hour)

        fine = 12.5 * np.exp(0.28 * winter + 0.52 * still + local[0]) * _PARTICLES[time.hour]
        fine *= np.exp(self._episode(hour, winter))
        coarse = 9.0 * np.exp(0.25 * noise.smooth(4, hour, 30)[0] + 0.2 * winter + local[1]) + self._dust(hour, time)
        coarse *= 1.0 + 0.2 * self._roadside

        rush = self._traffic(time)
        no2 = 0.0150 * np.exp(0.38 * winter + 0.30 * still + local[2]) * rush
        o3 = self._ozone(hour, time, float(winter), no2) * np.exp(0.4 * local[3])
        co = 0.37 * np.exp(0.22 * winter + 0.20 * still + 0.6 * local[4]) * (0.75 + 0.25 * rush)
        so2 = 0.0026 * np.exp(0.06 * winter + 0.10 * noise.smooth(5, hour, 24, 1)[0] + 0.6 * local[5])
        return {
            Pollutant.PM25: fine,
            Pollutant.PM10: 1.12 * fine + coarse,
            Pollutant.O3: o3,
            Pollutant.NO2: no2,
            Pollutant.CO: co,
            Pollutant.SO2: so2 * np.ones(sites),
        }

    def _local(self, hour: int) -> Floats:
        """How sites differ from the city, as logarithms of a factor: shape (pollutants, sites)."""
        noise, sites, kinds = self._noise, len(self.sites), len(Pollutant)
        tilt = noise.smooth(10, hour, 20, kinds * _MODES).reshape(kinds, _MODES) @ self._modes
        offset = noise.normal(11, 0, kinds * sites).reshape(kinds, sites)
        drift = noise.smooth(12, hour, 5, kinds * sites).reshape(kinds, sites)
        white = noise.normal(13, hour, kinds * sites).reshape(kinds, sites)
        local: Floats = 0.09 * tilt + 0.10 * offset + 0.12 * drift + 0.06 * white
        return local

    def _traffic(self, time: datetime) -> Floats:
        """The emission of traffic relative to its mean, one a site; a kerb sees more, and more of its course."""
        weekday = time.weekday()
        city = (
            _QUIET[time.hour] * (0.92 if weekday == _SUNDAY else 0.98) if weekday >= _SATURDAY else _TRAFFIC[time.hour]
        )
        return np.where(self._roadside > 0, 1.45 * (1.0 + 1.25 * (city - 1.0)), city)

    def _ozone(self, hour: int, time: datetime, winter: float, no2: Floats) -> Floats:
        """Made by the sun in the afternoon, eaten by what traffic emits."""
        clear = 1.0 / (1.0 + np.exp(-(0.6 + 1.4 * self._noise.smooth(6, hour, 34)[0])))
        background = 0.024 - 0.006 * winter
        made = (0.026 - 0.017 * winter) * _SUN[time.hour] * (0.35 + clear)
        ozone: Floats = np.maximum(background + made - 0.55 * (no2 - 0.010), 0.0015)
        return ozone

    def _episode(self, hour: int, winter: float) -> float:
        """The logarithm of the factor by which an episode of some days raises fine particles."""
        return math.fsum(
            (0.5 + 0.6 * strength) * _bump(hour, _EPISODE_HOURS, cell, centre, 16.0 + 24.0 * width)
            for cell in _cells_near(hour, _EPISODE_HOURS)
            for chance, centre, width, strength in [self._noise.uniform(7, cell, 4)]
            if chance < 0.30 + 0.18 * winter
        )

    def _dust(self, hour: int, time: datetime) -> float:
        """Desert dust in µg/m³: in spring, for a day or so."""
        spring = np.exp(-(((time.timetuple().tm_yday - 95) / 35.0) ** 2))
        return math.fsum(
            (80.0 + 260.0 * strength**2) * spring * _bump(hour, _DUST_HOURS, cell, centre, 6.0 + 10.0 * width)
            for cell in _cells_near(hour, _DUST_HOURS)
            for chance, centre, width, strength in [self._noise.uniform(8, cell, 4)]
            if chance < _DUST_CHANCE
        )


def hour_number(time: datetime) -> int:
    """Hours since the start of 2000 (UTC), rounded down."""
    return (time - _EPOCH) // _HOUR


def _cells_near(hour: int, length: int) -> range:
    return range(hour // length - 1, hour // length + 2)


def _bump(hour: int, length: int, cell: int, centre: float, width: float) -> float:
    distance = (hour - (cell + centre) * length) / width
    return float(np.exp(-0.5 * distance * distance))


def _spatial_modes(sites: Sequence[Site]) -> Floats:
    """Smooth patterns over the city, each with mean square one over its sites: shape (modes, sites)."""
    east = _centred(np.array([site.location.longitude for site in sites]))
    north = _centred(np.array([site.location.latitude for site in sites]))
    return np.stack([east, north, _centred(east * north), _centred(east * east - north * north)])


def _centred(values: Floats) -> Floats:
    spread = float(values.std())
    centred: Floats = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return centred
