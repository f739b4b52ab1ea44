"""The client of AirKorea's services at data.go.kr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from air.places import Station
from ingestion.reading import RawMeasurement
from ingestion.settings import IngestionSettings
from ingestion.source import Quota, Rows, SourceEmpty
from ingestion.sources.airkorea_row import read_measurements, read_stations
from ingestion.sources.data_go_kr import DataGoKr
from ingestion.sources.data_go_kr_answer import Row

MEASUREMENTS_PATH: Final = "ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"
STATIONS_PATH: Final = "MsrstnInfoInqireSvc/getMsrstnList"

_JSON: Final[Mapping[str, str]] = {"returnType": "json"}


class AirKorea:
    """Asks AirKorea for its stations and for what they measured; answers the `Source` protocol."""

    def __init__(self, settings: IngestionSettings, quota: Quota) -> None:
        self._settings = settings
        self._services = DataGoKr(
            str(settings.airkorea_url),
            settings.airkorea_key,
            quota=quota,
            timeout_seconds=settings.airkorea_timeout_seconds,
            attempts=settings.airkorea_attempts,
            retry_seconds=settings.airkorea_retry_seconds,
            deadline_seconds=settings.airkorea_deadline_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._services.__aexit__()

    async def stations(self) -> Rows[Station]:
        """All stations of the country. Raises SourceError."""
        return read_stations(await self._ask(STATIONS_PATH, {}))

    async def measurements(self) -> Rows[RawMeasurement]:
        """The newest hour of each station in the province. Raises SourceError."""
        settings = self._settings
        query = {"sidoName": settings.airkorea_sido, "ver": settings.airkorea_version}
        return read_measurements(await self._ask(MEASUREMENTS_PATH, query))

    async def _ask(self, path: str, query: Mapping[str, str]) -> tuple[Row, ...]:
        rows = await self._services.rows(path, {**_JSON, **query}, ask_again_when_empty=True)
        if not rows:
            raise SourceEmpty("the network answered without a row", code="EMPTY")
        return rows
