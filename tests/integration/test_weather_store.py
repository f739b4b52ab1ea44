"""Weather is kept as it was said, issue by issue, in both databases."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from ingestion.run import Fence
from ingestion.settings import IngestionSettings
from ingestion.store.fences import Fenced
from ingestion.store.readings import Saved
from ingestion.store.weather import Held, WeatherStore
from ingestion.weather import (
    Amount,
    Cell,
    Conditions,
    Precipitation,
    Product,
    Sky,
    WeatherForecast,
    WeatherObservation,
)
from mesh.database import Database
from tests.backing.tables import make_tables

SEOUL, NEXT = Cell(60, 127), Cell(61, 127)
NOON = datetime(2026, 3, 16, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONDITIONS = Conditions(-8.1, 34.0, Precipitation.SNOW, Amount(0.5, "1mm 미만"), 3.2, -0.1, 272.0, 3.2)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WeatherStore]:
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None
    settings = IngestionSettings.model_validate({"data_dir": tmp_path, "database_url": url})
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    yield WeatherStore(database)
    await database.close()


def _observation(hour: int, cell: Cell = SEOUL, temperature: float = -8.1) -> WeatherObservation:
    return WeatherObservation(cell, NOON + hour * HOUR, dataclasses.replace(CONDITIONS, temperature=temperature))


def _forecast(issue: int, valid: int, product: Product = Product.SHORT, cell: Cell = SEOUL) -> WeatherForecast:
    return WeatherForecast(
        cell=cell,
        product=product,
        issued_at=NOON + issue * HOUR,
        valid_at=NOON + valid * HOUR,
        conditions=CONDITIONS,
        sky=Sky.OVERCAST,
        precipitation_probability=60.0,
        snow_amount=Amount(5.0, "5.0cm 이상"),
        wave_height=0.5,
        day_minimum=-12.0,
        simulated=True,
    )


async def test_what_is_stored_comes_back_as_it_was(store: WeatherStore) -> None:
    bare = WeatherObservation(NEXT, NOON, Conditions(temperature=0.0))
    forecast = _forecast(0, 6)
    assert await store.save([_observation(0), bare], [forecast], NOON) == Saved(new=3)
    assert await store.observations([SEOUL, NEXT], NOON, NOON + HOUR) == [_observation(0), bare]
    assert await store.latest_forecasts([SEOUL], NOON, NOON + 7 * HOUR, as_of=NOON) == [forecast]


async def test_the_same_again_changes_nothing_and_another_content_is_a_correction(store: WeatherStore) -> None:
    observations = [_observation(hour) for hour in range(3)]
    forecasts = [_forecast(0, valid) for valid in range(600)]
    assert await store.save(observations, forecasts, NOON) == Saved(new=603)
    assert await store.save(observations, forecasts, NOON + HOUR) == Saved(unchanged=603)
    corrected = [_observation(0), _observation(1, temperature=-7.9)]
    assert await store.save(corrected, [], NOON + HOUR) == Saved(corrected=1, unchanged=1)
    stored = await store.observations([SEOUL], NOON, NOON + 3 * HOUR)
    assert [row.conditions.temperature for row in stored] == [-8.1, -7.9, -8.1]


async def test_of_doubles_the_last_stands(store: WeatherStore) -> None:
    assert await store.save([_observation(0), _observation(0, temperature=-1.0)], [], NOON) == Saved(new=1)
    (stored,) = await store.observations([SEOUL], NOON, NOON + HOUR)
    assert stored.conditions.temperature == -1.0


async def test_observations_are_of_the_cells_and_hours_asked_for(store: WeatherStore) -> None:
    await store.save([_observation(hour, cell) for cell in (SEOUL, NEXT) for hour in range(4)], [], NOON)
    found = await store.observations([NEXT], NOON + HOUR, NOON + 3 * HOUR)
    assert [(row.cell, row.observed_at) for row in found] == [(NEXT, NOON + HOUR), (NEXT, NOON + 2 * HOUR)]
    assert await store.observations([], NOON, NOON + HOUR) == []


async def test_the_newest_forecast_is_that_of_its_time(store: WeatherStore) -> None:
    issues = [_forecast(issue, valid) for issue in (-6, -3, 0) for valid in range(issue + 1, 12)]
    await store.save([], [*issues, _forecast(0, 4, Product.ULTRA_SHORT), _forecast(0, 4, cell=NEXT)], NOON)
    now = await store.latest_forecasts([SEOUL], NOON, NOON + 5 * HOUR, as_of=NOON + HOUR)
    issue_of = {(row.valid_at - NOON) // HOUR: (row.issued_at - NOON) // HOUR for row in now}
    assert issue_of == {0: -3, 1: 0, 2: 0, 3: 0, 4: 0}
    assert [row.product for row in now[4:]] == [Product.SHORT, Product.ULTRA_SHORT]
    then = await store.latest_forecasts([SEOUL], NOON, NOON + 5 * HOUR, as_of=NOON - HOUR)
    assert {row.issued_at for row in then} == {NOON - 3 * HOUR}


async def test_how_far_it_is_held_is_known_by_cell_and_product(store: WeatherStore) -> None:
    await store.save([_observation(0), _observation(1)], [_forecast(-3, 1), _forecast(0, 1)], NOON)
    await store.save([_observation(-48, NEXT)], [_forecast(-1, 1, Product.ULTRA_SHORT)], NOON)
    held = await store.held([SEOUL, NEXT], NOON - 24 * HOUR)
    assert held == Held({SEOUL: NOON + HOUR}, {(SEOUL, Product.SHORT): NOON, (SEOUL, Product.ULTRA_SHORT): NOON - HOUR})


async def test_the_newest_issues_are_those_of_cells_that_are_still_forecast_for(store: WeatherStore) -> None:
    late, given_up = Cell(62, 127), Cell(63, 127)
    issues = [_forecast(-3, 1), _forecast(0, 1), _forecast(0, 2), _forecast(-1, 1, Product.ULTRA_SHORT)]
    await store.save([], [*issues, _forecast(-5, 1, cell=late), _forecast(-6, 1, cell=given_up)], NOON)
    newest = await store.newest_issues(NOON + HOUR)
    assert newest == {
        (SEOUL, Product.SHORT): NOON,
        (SEOUL, Product.ULTRA_SHORT): NOON - HOUR,
        (late, Product.SHORT): NOON - 5 * HOUR,
    }
    assert await store.newest_issues(NOON - 30 * HOUR) == {}
    said = await store.forecasts(newest, NOON + HOUR, NOON + 2 * HOUR)
    assert [(row.cell, row.product, row.issued_at) for row in said] == [
        (SEOUL, Product.SHORT, NOON),
        (SEOUL, Product.ULTRA_SHORT, NOON - HOUR),
        (late, Product.SHORT, NOON - 5 * HOUR),
    ]
    assert await store.forecasts({}, NOON, NOON + 2 * HOUR) == []


async def test_forecasts_of_old_issues_are_pruned(store: WeatherStore) -> None:
    await store.save([_observation(-99)], [_forecast(issue, 6) for issue in (-6, -3, 0)], NOON)
    assert await store.prune(NOON - 3 * HOUR) == 1
    assert await store.prune(NOON - 3 * HOUR) == 0
    (kept,) = await store.latest_forecasts([SEOUL], NOON, NOON + 7 * HOUR, as_of=NOON - HOUR)
    assert kept.issued_at == NOON - 3 * HOUR
    assert len(await store.observations([SEOUL], NOON - 99 * HOUR, NOON)) == 1


async def test_who_comes_after_a_later_holder_of_the_turn_stores_nothing(store: WeatherStore) -> None:
    await store.save([_observation(0)], [], NOON, fence=Fence("kma", 2))
    with pytest.raises(Fenced):
        await store.save([_observation(1)], [], NOON, fence=Fence("kma", 1))
    assert await store.save([_observation(1)], [], NOON, fence=Fence("kma", 2)) == Saved(new=1)
