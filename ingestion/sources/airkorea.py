"""The client of AirKorea's services at data.go.kr."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Self

from ingestion.bulletin import Bulletin
from ingestion.reading import RawMeasurement
from ingestion.settings import IngestionSettings
from ingestion.source import Quota, Rows, SourceEmpty
from ingestion.sources.airkorea_bulletin import read_bulletins
from ingestion.sources.airkorea_row import read_history, read_measurements, read_stations
from ingestion.sources.data_go_kr import DataGoKr
from ingestion.sources.data_go_kr_answer import Row
from ingestion.station import ListedStation
from mesh.clock import Clock

STATIONS_PATH: Final = "MsrstnInfoInqireSvc/getMsrstnList"
MEASUREMENTS_PATH: Final = "ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"
HISTORY_PATH: Final = "ArpltnInforInqireSvc/getMsrstnAcctoRltmMesureDnsty"
BULLETINS_PATH: Final = "ArpltnInforInqireSvc/getMinuDustFrcstDspth"

_JSON: Final[Mapping[str, str]] = {"returnType": "json"}
# How far back each dataTerm is sure to reach: a day ends where its first hour is published, a month may be February.
_TERMS: Final = ((timedelta(hours=23), "DAILY"), (timedelta(days=28), "MONTH"))
_LONGEST_TERM: Final = "3MONTH"


class AirKorea:
    """Asks AirKorea for its stations, for what they measure and measured, and for what it forecasts.

    Answers the protocols `Source`, `HistorySource` and `BulletinSource`.
    """

    def __init__(self, settings: IngestionSettings, quota: Quota, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
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

    async def stations(self) -> Rows[ListedStation]:
        """All stations of the country. Raises SourceError."""
        return read_stations(await self._whole(STATIONS_PATH, {}))

    async def measurements(self) -> Rows[RawMeasurement]:
        """The newest hour of each station in the province. Raises SourceError."""
        settings = self._settings
        query = {"sidoName": settings.airkorea_sido, "ver": settings.airkorea_version}
        return read_measurements(await self._whole(MEASUREMENTS_PATH, query))

    @property
    def history_service(self) -> str:
        """The service whose quota questions for history are counted against."""
        return HISTORY_PATH.partition("/")[0]

    async def history(self, station_id: str, since: datetime) -> Rows[RawMeasurement]:
        """What one station measured at `since` and later, three months back at most. Raises SourceError.

        None for a station that the network does not know: it says no more than that it has no rows.
        """
        query = {
            "stationName": station_id,
            "dataTerm": data_term(self._clock() - since),
            "ver": self._settings.airkorea_version,
        }
        rows = read_history(await self._ask(HISTORY_PATH, query, ask_again_when_empty=True), station_id)
        return Rows(tuple(row for row in rows.readable if row.measured_at >= since), rows.rejected)

    async def bulletins(self, day: date) -> Rows[Bulletin]:
        """What was issued on a day of Korea so far; nothing before 05 h. Raises SourceError."""
        return read_bulletins(await self._ask(BULLETINS_PATH, {"searchDate": day.isoformat()}))

    async def _whole(self, path: str, query: Mapping[str, str]) -> tuple[Row, ...]:
        rows = await self._ask(path, query, ask_again_when_empty=True)
        if not rows:
            raise SourceEmpty("the network answered without a row", code="EMPTY")
        return rows

    async def _ask(self, path: str, query: Mapping[str, str], *, ask_again_when_empty: bool = False) -> tuple[Row, ...]:
        return await self._services.rows(path, {**_JSON, **query}, ask_again_when_empty=ask_again_when_empty)


def data_term(age: timedelta) -> str:
    """The shortest of the periods that one can ask for which reaches back so far."""
    return next((term for reach, term in _TERMS if age <= reach), _LONGEST_TERM)
