"""Means around a station, against sums over pairs of stations one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from air.geodesy import distance_m
from predictor.models.channels import AROUND, SECTORS
from predictor.models.surroundings import around, surroundings_of

_LATITUDE = np.array([37.50, 37.60, 37.20, 37.55, 35.80])
_LONGITUDE = np.array([127.00, 127.10, 126.90, 126.20, 127.10])


def means(z: torch.Tensor) -> torch.Tensor:
    return around(z, surroundings_of(_LATITUDE, _LONGITUDE))


def test_neighbours_count_by_their_distance() -> None:
    z = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])[:, None, None].repeat(1, 1, 4)
    # Of the first station only the second is within 30 km.
    assert means(z)[0, 0, :4].tolist() == pytest.approx([1.0] * 4)
    crowd = surroundings_of(np.array([37.5, 37.55, 37.6]), np.array([127.0, 127.0, 127.0]))
    weights = [1 / ((distance_m(*np.array([37.5, 127.0, there, 127.0])) / 1000) ** 2 + 25) for there in (37.55, 37.6)]
    expected = (weights[0] * 1 + weights[1] * 2) / sum(weights)
    got = around(torch.tensor([9.0, 1.0, 2.0])[:, None, None].repeat(1, 1, 4), crowd)[0, 0, 0].item()
    assert got == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("there", "sector"),
    [
        ((37.0, 127.0), 0),  # 56 km to the south
        ((37.5, 126.2), 1),  # 71 km to the west
        ((38.0, 127.3), 2),  # 62 km to the north-east
        ((35.8, 127.1), 3),  # 189 km to the south
        ((37.6, 125.0), 4),  # 177 km to the west
        ((37.5, 129.0), 5),  # 176 km to the east
        ((37.6, 127.1), None),  # a neighbour
        ((34.0, 127.0), None),  # too far
    ],
)
def test_a_station_lies_in_one_sector_at_most(there: tuple[float, float], sector: int | None) -> None:
    one = surroundings_of(np.array([37.5, there[0]]), np.array([127.0, there[1]]))
    expected = [float(place == sector) for place in range(len(SECTORS))]
    assert one.sectors[:, 0, 1].tolist() == expected


def test_who_measured_nothing_is_left_out_of_the_mean() -> None:
    z = torch.ones(5, 2, 6)
    z[1, 0] = math.nan
    found = means(z)
    assert found.shape == (5, 2, AROUND)
    assert bool(found[0, 0, :4].isnan().all())
    assert bool((found[0, 1, :4] == 1).all())


def test_a_station_without_a_place_is_near_to_nobody() -> None:
    lost = surroundings_of(np.array([37.5, math.nan]), np.array([127.0, 127.0]))
    assert not lost.near.any()
    assert not lost.sectors.any()
