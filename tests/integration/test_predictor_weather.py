"""The predictor learns the weather from a real ingestion, and keeps it when there is none to ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from air.status import State
from ingestion.grid import cells_of
from ingestion.store.weather import WeatherStore
from ingestion.weather import Amount, Cell, Conditions, Product, Sky, WeatherForecast, WeatherObservation
from mesh.channel import open_channel
from mesh.health import HealthState
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.models.weather_input import Weather
from predictor.weather_book import WeatherBook
from predictor.weather_stream import WeatherStream
from predictor.window import hour_of
from tests.backing.ports import free_port
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import BUSAN, HOUR, JONGNO, NOON, hours_of_air
from tests.predictor.assembly import Predictor, Upstream, open_predictor, predictor_settings, run_ingestion

JONGNO_CELL, BUSAN_CELL = cells_of([JONGNO.location])[0], cells_of([BUSAN.location])[0]

WEATHER_IS_LATE = "The newest weather forecast is of 2026-03-16T03:00Z."


def observed(cell: Cell, at: datetime, temperature: float) -> WeatherObservation:
    fallen = Amount(0.5, "0.5")
    return WeatherObservation(cell, at, Conditions(temperature, 60.0, None, fallen, wind_east=3.0, wind_north=-4.0))


def forecast(cell: Cell, at: datetime, temperature: float, issued_at: datetime = NOON) -> WeatherForecast:
    conditions = Conditions(temperature, wind_east=0.0, wind_north=1.0)
    return WeatherForecast(cell, Product.SHORT, issued_at, at, conditions, sky=Sky.MOSTLY_CLOUDY)


async def collect(upstream: Upstream, *weather: WeatherObservation | WeatherForecast) -> None:
    observations = [one for one in weather if isinstance(one, WeatherObservation)]
    forecasts = [one for one in weather if isinstance(one, WeatherForecast)]
    await WeatherStore(upstream.parts.database).save(observations, forecasts, upstream.parts.clock())


@dataclass(frozen=True, slots=True)
class Asking:
    book: WeatherBook
    stream: WeatherStream
    clock: SettableClock
    new_cells: asyncio.Semaphore

    def at_jongno(self) -> Weather:
        return self.book.at([JONGNO], hour_of(NOON))

    async def until_told(self) -> None:
        async with asyncio.timeout(10):
            await self.new_cells.acquire()

    async def until(self, state: HealthState) -> None:
        async with asyncio.timeout(10):
            while self.stream.health().state is not state:  # noqa: ASYNC110 - a question tells nobody how it went
                await asyncio.sleep(0.01)


@asynccontextmanager
async def asking(folder: Path, target: str) -> AsyncIterator[Asking]:
    """Asks without pause for as long as the context lasts."""
    settings = predictor_settings(folder, ingestion_target=target, default_deadline_seconds=2)
    async with open_channel(target, settings) as channel, asyncio.TaskGroup() as group:
        book, clock, new_cells = WeatherBook(), SettableClock(NOON), asyncio.Semaphore(0)

        async def on_new_cells() -> None:
            new_cells.release()

        stream = WeatherStream(channel, book, clock, poll_seconds=0.05, on_new_cells=on_new_cells)
        running = group.create_task(stream.run())
        yield Asking(book, stream, clock, new_cells)
        running.cancel()


async def test_weather_is_known_as_soon_as_it_is_collected(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path, NOON) as upstream, asking(tmp_path, upstream.target) as predictor:
        await predictor.until(HealthState.UP)
        assert predictor.at_jongno().observed.isnan().all(), "an ingestion without weather is no trouble"
        await collect(
            upstream,
            observed(JONGNO_CELL, NOON - 100 * HOUR, 1.0),
            observed(JONGNO_CELL, NOON, 2.0),
            forecast(JONGNO_CELL, NOON, 99.0),
            forecast(JONGNO_CELL, NOON + HOUR, 3.0),
            forecast(JONGNO_CELL, NOON + 72 * HOUR, 4.0),
        )
        await predictor.until_told()
        weather = predictor.at_jongno()
        # Temperature, humidity, wind towards east and north, its speed, rain; and of forecasts the clouds.
        assert weather.observed[0, -1].tolist() == [2.0, 60.0, 3.0, -4.0, 5.0, 0.5]
        assert weather.observed[0, -101, 0].item() == 1.0
        assert weather.foreseen[0, 0].nan_to_num(-1.0).tolist() == [3.0, -1.0, 0.0, 1.0, 1.0, -1.0, 7.0]
        assert weather.foreseen[0, -1, 0].item() == 4.0
        assert predictor.stream.newest_issue == NOON
        assert not predictor.stream.lateness()
        predictor.clock.advance(hours=5)
        assert predictor.stream.lateness() == WEATHER_IS_LATE


async def test_a_cell_that_is_new_comes_with_its_whole_week(tmp_path: Path) -> None:
    async with run_ingestion(tmp_path, NOON) as upstream, asking(tmp_path, upstream.target) as predictor:
        await collect(upstream, forecast(JONGNO_CELL, NOON + HOUR, 3.0))
        await predictor.until_told()
        last_week = observed(BUSAN_CELL, NOON - 160 * HOUR, 1.0)
        await collect(upstream, last_week, forecast(BUSAN_CELL, NOON + HOUR, 5.0))
        await predictor.until_told()
        weather = predictor.book.at([BUSAN, JONGNO], hour_of(NOON))
        assert weather.observed[0, -161, 0].item() == 1.0
        assert weather.foreseen[:, 0, 0].tolist() == [5.0, 3.0]


async def test_weather_stays_known_while_ingestion_is_away(tmp_path: Path) -> None:
    port = free_port()
    async with asking(tmp_path, f"127.0.0.1:{port}") as predictor:
        async with run_ingestion(tmp_path, NOON, port=port) as upstream:
            await collect(upstream, forecast(JONGNO_CELL, NOON + HOUR, 3.0))
            await predictor.until_told()
        await predictor.until(HealthState.DEGRADED)
        assert predictor.at_jongno().foreseen[0, 0, 0].item() == 3.0
        assert "UNAVAILABLE; the newest forecast is of 2026-03-16T03:00Z" in predictor.stream.health().detail
        async with run_ingestion(tmp_path, NOON, port=port) as upstream:
            await collect(upstream, forecast(JONGNO_CELL, NOON + HOUR, 6.0, NOON + HOUR / 2))
            upstream.parts.clock.now = NOON + HOUR
            await predictor.until(HealthState.UP)
            async with asyncio.timeout(10):
                while predictor.stream.newest_issue == NOON:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
            assert predictor.at_jongno().foreseen[0, 0, 0].item() == 6.0


async def test_what_was_forecast_without_weather_is_forecast_anew_with_it_once(tmp_path: Path) -> None:
    port = free_port()
    settings = predictor_settings(tmp_path, ingestion_target=f"127.0.0.1:{port}", weather_poll_seconds=0.05)
    async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
        async with open_predictor(settings, SettableClock(NOON)) as predictor:
            await upstream.measure(hours_of_air(JONGNO, NOON, 200))
            await predictor.until_issued(NOON)
            without = at_jongno(predictor)
            assert Limitation.WEATHER_MISSING in without.limitations
            await collect(upstream, *(forecast(JONGNO_CELL, NOON + hour * HOUR, 25.0) for hour in range(73)))
            async with asyncio.timeout(10):
                while Limitation.WEATHER_MISSING in at_jongno(predictor).limitations:
                    await predictor.bell.wait(predictor.bell.rings, 1)
            assert not np.allclose(at_jongno(predictor).quantiles, without.quantiles, rtol=0.01)
            predictor.clock.advance(hours=5)
            status = predictor.readings.upstream
            assert status is not None
            assert (status.state, status.reasons) == (State.STALE, (WEATHER_IS_LATE,))
        async with open_predictor(settings, SettableClock(NOON)) as restarted:
            before = restarted.issuer.board.sequence
            async with asyncio.timeout(10):
                while restarted.weather.newest_issue is None:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
            await restarted.issuer.weather_came()
            assert restarted.issuer.board.sequence == before, "nothing was forecast without weather"


async def test_forecasts_go_on_with_the_weather_that_is_known(tmp_path: Path) -> None:
    port = free_port()
    settings = predictor_settings(tmp_path, ingestion_target=f"127.0.0.1:{port}", weather_poll_seconds=0.05)
    async with open_predictor(settings, SettableClock(NOON)) as predictor:
        async with run_ingestion(tmp_path / "ingestion", NOON, port=port) as upstream:
            await collect(upstream, *(forecast(JONGNO_CELL, NOON + hour * HOUR, 25.0) for hour in range(73)))
            async with asyncio.timeout(10):
                while predictor.weather.newest_issue is None:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
        await predictor.issuer.take(list(hours_of_air(JONGNO, NOON + HOUR, 200)), "")
        await predictor.until_issued(NOON + HOUR)
        assert Limitation.WEATHER_MISSING not in at_jongno(predictor).limitations


def at_jongno(predictor: Predictor) -> Forecast:
    return predictor.issuer.board.newest[JONGNO.station_id]
