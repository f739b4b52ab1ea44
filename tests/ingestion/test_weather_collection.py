"""All cells' weather is collected and kept, each hour once, and one cell's failure does not lose the others'."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from air.korea import KST
from air.places import Point, Station
from ingestion.grid import centre_of
from ingestion.settings import IngestionSettings
from ingestion.source import SourceError, SourceQuotaExceeded, SourceRefused, SourceUnavailable
from ingestion.station import ListedStation
from ingestion.store.readings import Saved
from ingestion.weather import Cell, Product, WeatherForecast, WeatherObservation
from ingestion.weather_cells import WeatherCells
from ingestion.weather_collection import NoCells
from ingestion.weather_listing import OffGrid, WeatherQuestion, list_weather
from simulation.airkorea_server import Reply, Request, gateway_error
from simulation.replay import Fault
from tests.ingestion.assembly import SettableClock
from tests.ingestion.weather_assembly import (
    CELLS,
    NOW,
    FaultyKma,
    WeatherAssembly,
    quick_kma_settings,
    weather_assembled,
)

HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 16, 0, tzinfo=UTC)
# Issued at 8: by the hour to the end of the 19th, then by three hours to the end of the 20th.
HOURS_OF_A_SHORT_FORECAST = 15 + 3 * 24 + 9
ITEMS_A_CELL = 2 + 6 + HOURS_OF_A_SHORT_FORECAST
NO_DATA = Fault(Reply(b'{"response":{"header":{"resultCode":"03","resultMsg":"NO_DATA"}}}'))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def kma(clock: SettableClock) -> Iterator[FaultyKma]:
    with FaultyKma(clock) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, kma: FaultyKma) -> IngestionSettings:
    return quick_kma_settings(tmp_path, kma.url, kma_attempts=2)


@pytest.fixture
async def weather(settings: IngestionSettings, clock: SettableClock) -> AsyncIterator[WeatherAssembly]:
    async with weather_assembled(settings, clock) as parts:
        yield parts


def _of(cells: Sequence[Cell], fault: Fault, request: Request) -> Fault | None:
    return fault if Cell(int(request.query["nx"]), int(request.query["ny"])) in cells else None


async def test_all_that_is_published_is_kept_and_marked_as_simulated(weather: WeatherAssembly) -> None:
    collected = await weather.collector.collect()
    assert collected.saved == Saved(new=ITEMS_A_CELL * len(CELLS))
    assert (collected.rejected, collected.failed_cells) == (0, 0)
    assert collected.newest_observed_at == NINE
    observations = await weather.store.observations(CELLS, NINE - HOUR, NINE + HOUR)
    assert [(row.cell, row.observed_at) for row in observations] == [
        (cell, NINE + h * HOUR) for cell in CELLS for h in (-1, 0)
    ]
    forecasts = await weather.store.latest_forecasts(CELLS, NINE, NINE + 120 * HOUR, as_of=NOW)
    assert {(row.product, row.issued_at.astimezone(KST).strftime("%H%M")) for row in forecasts} == {
        (Product.SHORT, "0800"),
        (Product.ULTRA_SHORT, "0830"),
    }
    assert {row.simulated for row in observations} == {row.simulated for row in forecasts} == {True}
    assert weather.collector.last_success == NOW


async def test_what_is_held_is_not_asked_for_again(
    weather: WeatherAssembly, kma: FaultyKma, clock: SettableClock
) -> None:
    await weather.collector.collect()
    kma.asked()
    assert (await weather.collector.collect()).saved == Saved()
    assert kma.asked() == []
    clock.advance(hours=1)
    again = await weather.collector.collect()
    assert again.saved == Saved(new=7 * len(CELLS))
    assert kma.asked() == sorted(["getUltraSrtFcst 0930", "getUltraSrtNcst 1000"] * len(CELLS))


async def test_hours_missed_while_nobody_collected_are_caught_up(
    weather: WeatherAssembly, clock: SettableClock
) -> None:
    await weather.collector.collect()
    clock.advance(hours=8)
    await weather.collector.collect()
    observations = await weather.store.observations(CELLS[:1], NINE, NINE + 9 * HOUR)
    assert [row.observed_at for row in observations] == [NINE + hour * HOUR for hour in range(9)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Reply(b"bad gateway", 502)),
        Fault(gateway_error("99", "UNKNOWN_ERROR")),
        Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR", 403)),
        Fault(Reply(b"<html>")),
        Fault(Reply(b'{"response":{"header":{"resultCode":"00"},"body":{"items":{"item":[]}}}}', cut=True)),
        NO_DATA,
    ],
    ids=["502", "99", "30", "page", "cut", "NO_DATA"],
)
async def test_a_cell_that_fails_does_not_lose_the_others(
    weather: WeatherAssembly, kma: FaultyKma, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    kma.fault = lambda request: _of(CELLS[:2], fault, request)
    collected = await weather.collector.collect()
    assert (collected.saved.new, collected.failed_cells) == (ITEMS_A_CELL * (len(CELLS) - 2), 2)
    assert weather.collector.outage is None
    assert "weather incomplete" in caplog.text
    kma.fault = lambda _: None
    collected = await weather.collector.collect()
    assert (collected.saved.new, collected.failed_cells) == (ITEMS_A_CELL * 2, 0)


async def test_a_silent_cell_is_given_up_in_time(tmp_path: Path, kma: FaultyKma, clock: SettableClock) -> None:
    kma.fault = lambda request: _of(CELLS[:1], Fault(delay_seconds=30), request)
    settings = quick_kma_settings(tmp_path, kma.url, kma_attempts=1, kma_timeout_seconds=0.3)
    async with weather_assembled(settings, clock) as weather:
        collected = await weather.collector.collect()
    assert (collected.saved.new, collected.failed_cells) == (ITEMS_A_CELL * (len(CELLS) - 1), 1)


async def test_a_service_that_is_away_is_an_outage_and_not_asked_by_every_cell(
    weather: WeatherAssembly, kma: FaultyKma, clock: SettableClock
) -> None:
    kma.fault = lambda _: Fault(gateway_error("1", "APPLICATION_ERROR"))
    with pytest.raises(SourceUnavailable):
        await weather.collector.collect()
    outage = weather.collector.outage
    assert outage is not None
    assert (outage.since, outage.code) == (NOW, "1")
    assert len(kma.requests) < 2 * 3 * len(CELLS)
    clock.advance(minutes=10)
    with pytest.raises(SourceUnavailable):
        await weather.collector.collect()
    assert weather.collector.outage == outage
    kma.fault = lambda _: None
    await weather.collector.collect()
    assert weather.collector.outage is None


async def test_what_is_held_does_not_hide_an_outage(
    weather: WeatherAssembly, kma: FaultyKma, clock: SettableClock
) -> None:
    await weather.collector.collect()
    clock.advance(hours=1)
    kma.fault = lambda _: Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"))
    with pytest.raises(SourceRefused):
        await weather.collector.collect()


async def test_the_quota_ends_what_it_ends(tmp_path: Path, kma: FaultyKma, clock: SettableClock) -> None:
    class Five:
        left = 5

        async def take(self, service: str) -> None:
            assert service == "VilageFcstInfoService_2.0"
            if not self.left:
                raise SourceQuotaExceeded("used up", code="QUOTA")
            self.left -= 1

    async with weather_assembled(quick_kma_settings(tmp_path, kma.url), clock, quota=Five()) as weather:
        collected = await weather.collector.collect()
        assert len(kma.requests) == 5
        assert collected.saved.new > 0
        with pytest.raises(SourceError):
            await weather.collector.collect()


async def test_the_cells_are_those_of_the_stations(
    settings: IngestionSettings, clock: SettableClock, kma: FaultyKma
) -> None:
    async with weather_assembled(settings, clock, cells=()) as weather:
        with pytest.raises(NoCells):
            await weather.collector.collect()
        places = [centre_of(cell) for cell in (CELLS[1], CELLS[0], CELLS[1])]
        await weather.stations.observe(
            "airkorea", [ListedStation(Station(f"역{n}", f"역{n}", place)) for n, place in enumerate(places)], NOW
        )
        await weather.collector.collect()
        observed = await weather.store.observations(CELLS, NINE, NINE + HOUR)
        assert [row.cell for row in observed] == sorted(CELLS[:2])
        few = WeatherCells(weather.stations, most=1)
        assert await few.all() == [CELLS[1]]


async def test_the_weather_of_a_place_is_observed_and_then_forecast(weather: WeatherAssembly) -> None:
    await weather.collector.collect()
    question = WeatherQuestion(centre_of(CELLS[0]), NINE - HOUR, NINE + 9 * HOUR)
    listed = await list_weather(weather.store, question, weather.clock)
    kinds = [one.product if isinstance(one, WeatherForecast) else None for one in listed]
    assert kinds == [None, None, *[Product.ULTRA_SHORT] * 5, *[Product.SHORT] * 3]
    before = WeatherQuestion(centre_of(CELLS[0]), NINE - HOUR, NINE + HOUR, as_of=NINE - HOUR)
    assert [type(one) for one in await list_weather(weather.store, before, weather.clock)] == [
        WeatherObservation,
        WeatherForecast,
    ]


async def test_a_place_without_weather_has_that_of_the_nearest_cell(weather: WeatherAssembly) -> None:
    await weather.collector.collect()

    async def cells_for(place: Point) -> set[Cell]:
        return {one.cell for one in await list_weather(weather.store, WeatherQuestion(place), weather.clock)}

    assert await cells_for(centre_of(CELLS[3])) == {CELLS[3]}
    assert await cells_for(centre_of(Cell(70, 101))) == {CELLS[3]}
    assert await cells_for(centre_of(Cell(72, 100))) == set()
    with pytest.raises(OffGrid):
        await cells_for(Point(34.05, -118.24))


async def test_forecasts_are_kept_as_long_as_asked(
    weather: WeatherAssembly, kma: FaultyKma, clock: SettableClock
) -> None:
    await weather.collector.collect()
    clock.advance(days=31)
    await weather.collector.collect()
    assert await weather.store.latest_forecasts(CELLS, NINE, NINE + 120 * HOUR, as_of=NOW) == []


async def test_the_key_is_in_no_log(
    tmp_path: Path, kma: FaultyKma, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kma.fault = lambda request: _of(CELLS[:2], Fault(Reply(b"verysecretkey", 500)), request)
    settings = quick_kma_settings(tmp_path, kma.url, kma_key="verysecretkey", kma_attempts=1)
    async with weather_assembled(settings, clock) as weather:
        await weather.collector.collect()
    assert kma.requests[0].query["serviceKey"] == "verysecretkey"
    assert "verysecretkey" not in caplog.text + repr(settings)
