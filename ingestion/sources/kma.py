"""The client of KMA's forecast service (단기예보 조회서비스 2.0) at data.go.kr."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Self, TypeVar

from air.korea import KST
from ingestion.settings import IngestionSettings
from ingestion.source import Quota, RejectedRow, Rows, SourceEmpty, SourceTooOld
from ingestion.sources.data_go_kr import DataGoKr
from ingestion.sources.data_go_kr_answer import Row
from ingestion.sources.kma_rows import read_forecasts, read_observations
from ingestion.sources.kma_times import OBSERVATIONS, SHORT, ULTRA_SHORT, Timetable
from ingestion.weather import Cell, Product, WeatherForecast, WeatherObservation
from mesh.clock import Clock

OBSERVATIONS_PATH: Final = "VilageFcstInfoService_2.0/getUltraSrtNcst"
FORECAST_PATHS: Final[Mapping[Product, str]] = {
    Product.ULTRA_SHORT: "VilageFcstInfoService_2.0/getUltraSrtFcst",
    Product.SHORT: "VilageFcstInfoService_2.0/getVilageFcst",
}

_TIMETABLES: Final[Mapping[Product, Timetable]] = {Product.ULTRA_SHORT: ULTRA_SHORT, Product.SHORT: SHORT}
# The longest answer has some 1200 rows: with fewer a page each cell would cost two requests of the day's quota.
_ROWS_A_PAGE: Final = 1500
_HOUR: Final = timedelta(hours=1)
# Observations are served for one day.
_OLDEST: Final = 23 * _HOUR

_T = TypeVar("_T", bound=WeatherObservation | WeatherForecast)


class Kma:
    """Asks KMA for the weather of cells; answers the `WeatherSource` protocol."""

    def __init__(self, settings: IngestionSettings, quota: Quota, clock: Clock) -> None:
        self._clock = clock
        self._services = DataGoKr(
            str(settings.kma_url),
            settings.kma_key,
            quota=quota,
            timeout_seconds=settings.kma_timeout_seconds,
            attempts=settings.kma_attempts,
            retry_seconds=settings.kma_retry_seconds,
            deadline_seconds=settings.kma_deadline_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._services.__aexit__()

    async def observations(self, cell: Cell, after: datetime | None) -> Rows[WeatherObservation] | None:
        """What was observed after an hour, as far back as one day; the newest two hours when None.

        None when no later hour can be there yet. Raises SourceEmpty when hours are missing that should be there, or
        another SourceError.
        """
        newest = OBSERVATIONS.newest(self._clock())
        after = max(after or newest - 2 * _HOUR, newest - _OLDEST)
        hours = [after + count * _HOUR for count in range(1, (newest - after) // _HOUR + 1)]
        if not hours:
            return None
        rows: tuple[Row, ...] = ()
        for hour in hours:
            rows += await self._past_rows(cell, hour)
        # The newest hour may be a little late.
        if not rows and len(hours) > 1:
            raise _nothing_published()
        return _of(cell, await asyncio.to_thread(read_observations, rows))

    async def forecasts(self, cell: Cell, product: Product, after: datetime | None) -> Rows[WeatherForecast] | None:
        """The newest issue of a product, or the one before it when the newest is late.

        None when there can be none after `after` yet. Raises SourceEmpty when neither is there, or another SourceError.
        """
        path, timetable = FORECAST_PATHS[product], _TIMETABLES[product]
        newest = timetable.newest(self._clock())
        issues = [issue for issue in (newest, timetable.before(newest)) if after is None or issue > after]
        if not issues:
            return None
        rows: tuple[Row, ...] = ()
        for issue in issues:
            if not rows:
                rows = await self._ask(path, cell, issue)
        if not rows and len(issues) > 1:
            raise _nothing_published()
        return _of(cell, await asyncio.to_thread(read_forecasts, rows, product))

    async def _past_rows(self, cell: Cell, hour: datetime) -> tuple[Row, ...]:
        try:
            return await self._ask(OBSERVATIONS_PATH, cell, hour)
        except SourceTooOld:
            return ()

    async def _ask(self, path: str, cell: Cell, issue: datetime) -> tuple[Row, ...]:
        local = issue.astimezone(KST)
        query = {"dataType": "JSON", "base_date": f"{local:%Y%m%d}", "base_time": f"{local:%H%M}"}
        place = {"nx": str(cell.nx), "ny": str(cell.ny)}
        return await self._services.rows(path, {**query, **place}, page_size=_ROWS_A_PAGE)


def _of(cell: Cell, rows: Rows[_T]) -> Rows[_T]:
    """The rows of the cell that was asked for: what an answer says of another is a fault of the service."""
    others = {row.cell for row in rows.readable if row.cell != cell}
    rejected = (RejectedRow(f"{other.nx},{other.ny}", "another cell than was asked for") for other in sorted(others))
    return Rows(tuple(row for row in rows.readable if row.cell == cell), (*rows.rejected, *rejected))


def _nothing_published() -> SourceEmpty:
    return SourceEmpty("the weather service has not published what it should have: try again later", code="NO_DATA")
