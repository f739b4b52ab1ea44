"""A weather service that fails as a test asks, and the parts of ingestion that collect from it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.source import Quota
from ingestion.sources.kma import Kma
from ingestion.store.stations import StationStore
from ingestion.store.weather import WeatherStore
from ingestion.weather import Cell
from ingestion.weather_cells import WeatherCells
from ingestion.weather_collection import WeatherCollector
from mesh.clock import Clock
from mesh.database import Database
from simulation.airkorea_server import AirKoreaServer, Reply, Request
from simulation.kma_server import KmaDesk
from simulation.replay import Fault
from tests.backing.tables import make_tables
from tests.ingestion.assembly import SettableClock

NOW: Final = datetime(2026, 3, 16, 0, 16, tzinfo=UTC)
"""09:16 in Seoul: the observations of 9, the forecasts of 8 h and 8:30 are out."""

CELLS: Final = tuple(Cell(nx, ny) for nx in (66, 67) for ny in (99, 100))


class FaultyKma(AirKoreaServer):
    """The simulated weather service.

    Attributes:
        requests: What was asked so far.
        fault: The fault that a request meets, if any.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(self._answer)
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Fault | None] = lambda _: None
        self._desk = KmaDesk(7, clock)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Stops, delayed answers included."""
        self._stopping.set()
        super().stop()

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        fault = self.fault(request)
        if fault is not None:
            self._stopping.wait(fault.delay_seconds)
            if fault.reply is not None:
                return fault.reply
        return self._desk(request)

    def asked(self) -> list[str]:
        """What was asked since the last time, as `operation base_time`, in the order of the alphabet."""
        asked = sorted(f"{request.operation} {request.query['base_time']}" for request in self.requests)
        self.requests.clear()
        return asked


@dataclass(frozen=True, slots=True)
class WeatherAssembly:
    """The parts."""

    database: Database
    clock: SettableClock
    source: Kma
    stations: StationStore
    store: WeatherStore
    collector: WeatherCollector


def quick_kma_settings(folder: Path, url: str, **more: object) -> IngestionSettings:
    """No waits between retries, and a database in the folder unless told otherwise."""
    quick = {"kma_retry_seconds": 0.0, "kma_timeout_seconds": 5.0}
    return IngestionSettings.model_validate({"data_dir": folder, "kma_url": url, **quick, **more})


@asynccontextmanager
async def weather_assembled(
    settings: IngestionSettings,
    clock: SettableClock,
    cells: Sequence[Cell] = CELLS,
    quota: Quota | None = None,
) -> AsyncIterator[WeatherAssembly]:
    """The parts over a database brought up to date."""
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    try:
        async with Kma(settings, quota or Unlimited(), clock) as source:
            stations, store = StationStore(database), WeatherStore(database)
            collector = WeatherCollector(
                source,
                store,
                WeatherCells(stations, chosen=cells, most=settings.kma_most_cells),
                clock,
                at_once=settings.kma_requests_at_once,
                keep_forecasts=timedelta(days=settings.weather_forecast_days),
            )
            yield WeatherAssembly(database, clock, source, stations, store, collector)
    finally:
        await database.close()
