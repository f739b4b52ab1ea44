"""The weather that forecasts are made with: which cell's, which hours, and what stays when nothing comes."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from air.places import Point, Station
from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS
from predictor.models.weather_input import FORESEEN, OBSERVED
from predictor.weather_book import CellKey, GridHours, WeatherBook

NOON = 490_000
CITY_HALL = Station("중구", "중구", Point(37.5665, 126.978))
FIFTEEN_KM_SOUTH = Station("과천", "과천", Point(37.43, 126.99))
JEJU = Station("이도동", "이도동", Point(33.49, 126.53))
CENTRE, SOUTH = CellKey(60, 127), CellKey(60, 124)


def hours(start_hour: int, count: int, *cells: CellKey, plus: float = 0.0) -> GridHours:
    """Weather whose temperature is the hour's own number, and other values known from it."""
    number = np.arange(start_hour - NOON, start_hour - NOON + count, dtype=np.float32)
    values = np.stack([number + axis * 1000 + plus for axis in range(FORESEEN)], axis=-1)
    places = {CENTRE: (37.57, 126.98), SOUTH: (37.43, 126.98)}
    latitude, longitude = np.array([places[cell] for cell in cells]).reshape(-1, 2).T
    own = [values + 100_000 * place for place in range(len(cells))]
    return GridHours(cells, latitude, longitude, start_hour, np.stack(own))


def test_nothing_is_known_of_weather_that_never_came() -> None:
    weather = WeatherBook().at([CITY_HALL, JEJU], NOON)
    assert weather.observed.shape == (2, WINDOW_HOURS, OBSERVED)
    assert weather.foreseen.shape == (2, HORIZON_HOURS, FORESEEN)
    assert bool(weather.observed.isnan().all())
    assert bool(weather.foreseen.isnan().all())


def test_each_station_has_the_weather_of_its_nearest_cell_around_the_issue_hour() -> None:
    book = WeatherBook()
    book.put(hours(NOON - 200, 300, CENTRE, SOUTH))
    weather = book.at([FIFTEEN_KM_SOUTH, CITY_HALL, JEJU], NOON)
    assert weather.observed[1, [0, -1], 0].tolist() == [-167.0, 0.0]
    assert weather.foreseen[1, [0, -1], 0].tolist() == [1.0, 72.0]
    assert weather.foreseen[1, 0].tolist() == [1.0 + axis * 1000 for axis in range(FORESEEN)]
    assert weather.observed[0, -1, 0].item() == 100_000.0
    assert bool(weather.observed[2].isnan().all()), "Jeju is far from any cell"


def test_what_is_told_later_stands_and_what_is_not_told_again_stays() -> None:
    book = WeatherBook()
    book.put(hours(NOON - 168, 240, CENTRE))
    news = hours(NOON - 3, 80, CENTRE, plus=0.5)
    news.values[0, 1] = np.nan
    book.put(news)
    seen = book.at([CITY_HALL], NOON).observed[0, -5:, 0]
    assert seen.tolist() == [-4.0, -2.5, -2.0, -0.5, 0.5]
    assert book.at([CITY_HALL], NOON).foreseen[0, -1, 0].item() == 72.5


def test_a_cell_that_is_not_collected_any_more_gives_way_to_its_neighbour() -> None:
    book = WeatherBook()
    book.put(hours(NOON - 168, 240, CENTRE, SOUTH))
    book.put(hours(NOON - 24, 96, SOUTH))
    assert book.cells == {SOUTH}
    # What is held of a cell is held by its name, whatever its place in the answer.
    assert book.at([CITY_HALL], NOON).observed[0, [0, -1], 0].tolist() == [100_000.0 - 167, 0.0]


def test_weather_of_a_dead_ingestion_ages_and_never_grows() -> None:
    book = WeatherBook()
    book.put(hours(NOON - 168, 241, CENTRE))
    later = book.at([CITY_HALL], NOON + 60)
    assert torch.isfinite(later.foreseen[0, :, 0]).nonzero().max().item() == 11
    assert bool(book.at([CITY_HALL], NOON + 24 * 40).observed.isnan().all())
    for hour in range(24 * 30):
        book.put(hours(NOON + hour, 96, CENTRE))
    assert book.at([CITY_HALL], NOON + 24 * 30).observed.isfinite().all()
    assert book.at([CITY_HALL], NOON).foreseen.isnan().all(), "a month ago is of no use"


@given(
    issued=st.integers(-400, 400),
    puts=st.lists(st.tuples(st.integers(-300, 100), st.integers(1, 300)), min_size=1, max_size=4),
)
def test_an_hour_is_as_it_was_told_or_unknown(issued: int, puts: list[tuple[int, int]]) -> None:
    book = WeatherBook()
    for start, count in puts:
        book.put(hours(NOON + start, count, CENTRE))
    weather = book.at([CITY_HALL], NOON + issued)
    temperature = torch.cat([weather.observed[0, :, 0], weather.foreseen[0, :, 0]])
    number = torch.arange(issued - WINDOW_HOURS + 1, issued + HORIZON_HOURS + 1, dtype=torch.float32)
    known = temperature.isfinite()
    assert torch.equal(temperature[known], number[known])
    told = {hour for start, count in puts for hour in range(start, start + count)}
    kept = range(max(start + count for start, count in puts) - 288, 1000)
    assert {int(hour) for hour in number[known]} == {
        int(hour) for hour in number if int(hour) in told and int(hour) in kept
    }
