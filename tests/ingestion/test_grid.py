"""Places are turned into the weather service's cells as it does itself, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from air.places import Point
from ingestion.grid import COLUMNS, ROWS, cells_at, cells_of, centre_of, centres_of
from ingestion.weather import Cell

SEOUL = Point(37.5665, 126.978)
BUSAN = Point(35.1796, 129.0756)


@pytest.mark.parametrize(("place", "cell"), [(SEOUL, Cell(60, 127)), (BUSAN, Cell(98, 76))])
def test_the_city_halls_are_in_their_published_cells(place: Point, cell: Cell) -> None:
    assert cells_of([place]) == [cell]


@pytest.mark.real_data
def test_the_check_values_hold(real_data: Path) -> None:
    rows = json.loads((real_data / "api_samples" / "kma_grid_check_values.json").read_text())
    nx, ny = cells_at(np.array([row["lat"] for row in rows]), np.array([row["lon"] for row in rows]))
    assert [(row["nx"], row["ny"]) for row in rows] == list(zip(nx.tolist(), ny.tolist(), strict=True))
    # The first three are centres, given by the service itself.
    for row in rows[:3]:
        centre = centre_of(Cell(row["nx"], row["ny"]))
        assert (centre.latitude, centre.longitude) == pytest.approx((row["lat"], row["lon"]), abs=1e-9)


def test_the_middle_of_every_cell_is_in_it() -> None:
    nx, ny = np.meshgrid(np.arange(1, COLUMNS + 1), np.arange(1, ROWS + 1))
    back_nx, back_ny = cells_at(*centres_of(nx, ny))
    assert np.array_equal(back_nx, nx)
    assert np.array_equal(back_ny, ny)


def test_cells_are_five_kilometres_apart() -> None:
    latitude, longitude = centres_of(np.array([60, 61, 60]), np.array([127, 127, 128]))
    east_km = (longitude[1] - longitude[0]) * 111.19 * np.cos(np.radians(latitude[0]))
    north_km = (latitude[2] - latitude[0]) * 111.19
    # The projection stretches by some percent between its parallels.
    assert (east_km, north_km) == pytest.approx((5.0, 5.0), rel=0.05)


def test_cells_with_most_places_come_first_and_places_off_the_grid_are_in_none() -> None:
    los_angeles = Point(34.05, -118.24)
    assert cells_of([BUSAN, los_angeles, SEOUL, SEOUL]) == [Cell(60, 127), Cell(98, 76)]
    assert cells_of([]) == []
