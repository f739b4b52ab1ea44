"""What is measured around each station: means over its neighbours, and over the sectors where its air comes from.

Arrays in, arrays out; training and serving call the same functions, so that the nets see the same surroundings.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from air.places import Point
from predictor.models.channels import AROUND, FORECAST, SECTOR_POLLUTANTS, SECTORS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NEAR_KM: Final = 30.0
_SOFTENING_KM2: Final = 25.0
_KM_PER_DEGREE: Final = 111.2


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Who counts in whose surroundings, and how much.

    Attributes:
        near: The weight of station j among the neighbours of station i, (i, j), 0 or more.
        sectors: Whether station j lies in each sector of station i, (6, i, j), 0 or 1.
    """

    near: Tensor
    sectors: Tensor


def surroundings_of(latitude: Floats, longitude: Floats) -> Surroundings:
    """The surroundings of stations at these places, degrees, (stations,); NaN is a place unknown, near to nobody.

    Neighbours weigh 1 / (d² + 25 km²) up to 30 km away. Distances are those of a plane at the mean latitude of the two
    (equirectangular projection), which is within a per cent at the 250 km that matter.
    """
    middle = np.radians((latitude[None, :] + latitude[:, None]) / 2)
    north = (latitude[None, :] - latitude[:, None]) * _KM_PER_DEGREE
    east = (longitude[None, :] - longitude[:, None]) * _KM_PER_DEGREE * np.cos(middle)
    distance = np.hypot(east, north)
    bearing = np.degrees(np.arctan2(east, north)) % 360
    others = ~np.eye(len(latitude), dtype=np.bool_)
    near = np.where((distance <= _NEAR_KM) & others, 1 / (distance**2 + _SOFTENING_KM2), 0.0)
    sectors = np.stack(
        [
            (distance > inner) & (distance <= outer) & _between(bearing, first, last)
            for inner, outer, first, last in SECTORS
        ]
    )
    return Surroundings(torch.from_numpy(near.astype(np.float32)), torch.from_numpy(sectors.astype(np.float32)))


@functools.lru_cache(maxsize=4)
def surroundings_at(locations: tuple[Point, ...]) -> Surroundings:
    """The surroundings of stations that stand there: worked out once, for stations seldom move."""
    latitude = np.array([location.latitude for location in locations])
    longitude = np.array([location.longitude for location in locations])
    return surroundings_of(latitude, longitude)


def around(z: Tensor, surroundings: Surroundings) -> Tensor:
    """The surroundings' means of each hour.

    Args:
        z: All stations' values on the scale, (stations, hours, 4 or more), NaN where nothing was measured.
        surroundings: Of the same stations.

    Returns:
        (stations, hours, AROUND): the neighbours' four pollutants, then each sector's first three; NaN where nobody
        there measured anything.
    """
    stations, hours, _ = z.shape
    values = z[..., :FORECAST].mT
    means = torch.full((stations, AROUND, hours), torch.nan)
    means[:, :FORECAST] = _means(surroundings.near, values)
    # Around a city by the sea most sectors are empty.
    peopled = surroundings.sectors.any(dim=-1)
    of_sectors = means[:, FORECAST:].view(stations, len(SECTORS), SECTOR_POLLUTANTS, hours).transpose(0, 1)
    of_sectors[peopled] = _means(surroundings.sectors[peopled], values[:, :SECTOR_POLLUTANTS])
    return means.mT


def _means(weights: Tensor, values: Tensor) -> Tensor:
    """Weighted means over stations, (groups, stations) of (stations, ..., hours); NaN where nobody measured."""
    measured = torch.from_numpy(np.isfinite(values.numpy()).astype(np.float32))
    amount = weights @ measured.flatten(1)
    total = weights @ values.nan_to_num(0.0).flatten(1)
    return (total / amount).reshape(-1, *values.shape[1:])


def no_surroundings(stations: int, hours: int) -> Tensor:
    """The surroundings of stations of which nothing is known, as `around` gives them."""
    return torch.full((stations, hours, AROUND), torch.nan)


def _between(bearing: Floats, first: float, last: float) -> Bools:
    """Whether a bearing lies from `first` to below `last`, clockwise, by way of north where need be."""
    after, before = bearing >= first, bearing < last
    return (after & before) if first < last else (after | before)
