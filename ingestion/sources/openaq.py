"""The client of OpenAQ's API, version 3 (api.openaq.org/v3), which passes on what public networks of the world publish.

Its server has been the only one since versions 1 and 2 were shut down on 31 January 2025. Values of one hour come
sensor by sensor; a key may ask 60 times a minute (docs.openaq.org/using-the-api/rate-limits).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, Self

import httpx
import stamina

from ingestion.reading import RawMeasurement
from ingestion.settings import IngestionSettings
from ingestion.source import (
    Quota,
    RejectedRow,
    Rows,
    SourceEmpty,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    SourceUnreadable,
)
from ingestion.sources.data_go_kr_answer import Row
from ingestion.sources.openaq_rows import (
    Hour,
    Location,
    Page,
    Sensor,
    SensorHours,
    join,
    read_hours,
    read_locations,
    read_page,
)
from ingestion.station import ListedStation
from mesh.clock import Clock
from mesh.errors import FailedPrecondition

_ROWS_A_PAGE: Final = 1000
_MOST_PAGES: Final = 20
_MOST_BYTES: Final = 16 * 2**20
_LONGEST_WAIT_FACTOR: Final = 30.0
_LONGEST_PERIOD_S: Final = 60.0
# One sensor's own trouble: gone, or too much data for the server at the moment.
_OF_ONE_SENSOR: Final = frozenset({"HTTP_404", "HTTP_408", "HTTP_410", "HTTP_422", "HTTP_500"})
# Networks report to OpenAQ hours late, and not in order.
_REACH: Final = timedelta(hours=6)


class NowhereToLook(FailedPrecondition):
    """The settings do not say which locations to collect."""

    reason = "NOWHERE_TO_LOOK"


class OpenAQ:
    """Asks OpenAQ for stations and for what they measure and measured; answers `Source` and `HistorySource`.

    Making one raises NowhereToLook. The quota is left alone: OpenAQ limits by the minute, and says so with each answer.
    """

    def __init__(self, settings: IngestionSettings, quota: Quota, clock: Clock) -> None:  # noqa: ARG002 - as all sources
        if not settings.openaq_bbox and not settings.openaq_locations:
            raise NowhereToLook(
                "set CLEANAIR_OPENAQ_BBOX or CLEANAIR_OPENAQ_LOCATIONS to say what to collect of OpenAQ"
            )
        self._settings = settings
        self._clock = clock
        self._locations: dict[str, Location] = {}
        self._free_at = 0.0
        key = settings.openaq_key
        self._client = httpx.AsyncClient(
            base_url=str(settings.openaq_url).rstrip("/") + "/v3/",
            timeout=settings.openaq_timeout_seconds,
            headers={"user-agent": "cleanair-route", **({} if key is None else {"x-api-key": key.get_secret_value()})},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def stations(self) -> Rows[ListedStation]:
        """The reference stations within the box, or those named. Raises SourceError."""
        async with _within(self._settings.openaq_deadline_seconds):
            rows = await self._list()
        return Rows(tuple(location.listed for location in rows.readable), rows.rejected)

    async def measurements(self) -> Rows[RawMeasurement]:
        """The hours of the last six that each station has by now. Raises SourceError."""
        async with _within(self._settings.openaq_deadline_seconds):
            if not self._locations:
                await self._list()
            return join(await self._measured(list(self._locations.values()), self._clock() - _REACH))

    @property
    def history_service(self) -> str:
        """The name under which questions for history would be counted, if a day's allowance limited them."""
        return "openaq"

    async def history(self, station_id: str, since: datetime) -> Rows[RawMeasurement]:
        """What one station measured at `since` and later; nothing of one that is not listed. Raises SourceError."""
        async with _within(self._settings.openaq_deadline_seconds):
            if not self._locations:
                await self._list()
            location = self._locations.get(station_id)
            # The server gives the hours that ended after the time that it is given.
            return join(await self._measured([] if location is None else [location], since - timedelta(hours=1)))

    async def _list(self) -> Rows[Location]:
        settings = self._settings
        if settings.openaq_locations:
            rows = [row for number in settings.openaq_locations for row in await self._rows(f"locations/{number}", {})]
        else:
            rows = list(await self._rows("locations", {"bbox": ",".join(map(str, settings.openaq_bbox))}))
        locations = read_locations(rows)
        if not locations.readable:
            raise SourceEmpty("OpenAQ lists no reference station there", code="EMPTY")
        sensors = sum(len(location.sensors) for location in locations.readable)
        if sensors > settings.openaq_most_sensors:
            raise SourceRefused(
                f"OpenAQ lists {sensors} sensors there, each of which costs a request a collection: ask for fewer, or"
                " raise CLEANAIR_OPENAQ_MOST_SENSORS",
                code="TOO_MANY_SENSORS",
            )
        self._locations = {location.station_id: location for location in locations.readable}
        return locations

    async def _measured(self, locations: list[Location], since: datetime) -> list[SensorHours]:
        """What each sensor measured; one that fails by itself is a rejected row, unless all do."""
        measured: list[SensorHours] = []
        failures: list[SourceError] = []
        for location in locations:
            for sensor in location.sensors:
                try:
                    hours = await self._hours(sensor, since)
                except SourceError as error:
                    if error.code not in _OF_ONE_SENSOR:
                        raise
                    failures.append(error)
                    hours = Rows((), (RejectedRow(f"sensor {sensor.sensor_id}", error.message),))
                measured.append((location, sensor, hours))
        if failures and len(failures) == len(measured):
            raise failures[0]
        return measured

    async def _hours(self, sensor: Sensor, since: datetime) -> Rows[Hour]:
        query = {"datetime_from": since.isoformat(timespec="seconds")}
        return read_hours(await self._rows(f"sensors/{sensor.sensor_id}/hours", query), sensor)

    async def _rows(self, path: str, query: Mapping[str, str]) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        for number in range(1, _MOST_PAGES + 1):
            page = await self._page(path, query, number)
            rows += page.rows
            if not page.more:
                break
        return rows

    async def _page(self, path: str, query: Mapping[str, str], number: int) -> Page:
        attempts = 0

        def wait_before_retry(error: Exception) -> float | bool:
            return isinstance(error, SourceError) and error.retryable and self._wait(attempts)

        async for attempt in stamina.retry_context(
            on=wait_before_retry, attempts=self._settings.openaq_attempts, timeout=None
        ):
            with attempt:
                attempts = attempt.num
                await asyncio.sleep(self._free_at - time.monotonic())
                return await self._request(path, query, number)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, attempts: int) -> float:
        first = self._settings.openaq_retry_seconds
        longest = min(first * 2.0 ** (attempts - 1), first * _LONGEST_WAIT_FACTOR)
        return random.uniform(0.0, longest)  # noqa: S311 - spreads retries, guards nothing

    async def _request(self, path: str, query: Mapping[str, str], number: int) -> Page:
        params = {**query, "limit": str(_ROWS_A_PAGE), "page": str(number)}
        try:
            async with self._client.stream("GET", path, params=params) as response:
                self._mind_the_limit(response)
                body = await _body(response)
        except httpx.TimeoutException as error:
            raise _timed_out() from error
        except httpx.HTTPError as error:
            code = "CONNECT" if isinstance(error, httpx.ConnectError) else "CONNECTION"
            raise SourceUnavailable("OpenAQ cannot be reached: try again later", code=code) from error
        return read_page(response.status_code, body, page=number, limit=_ROWS_A_PAGE)

    def _mind_the_limit(self, response: httpx.Response) -> None:
        """Asks no more until the period is over, once its requests are used up: who goes on is banned.

        With status 429 the server gives what was used as what remains, so that the status itself must tell.
        """
        refused = response.status_code == httpx.codes.TOO_MANY_REQUESTS
        if refused or _seconds(response.headers.get("x-ratelimit-remaining")) == 0.0:
            reset = _seconds(response.headers.get("x-ratelimit-reset"))
            self._free_at = time.monotonic() + (_LONGEST_PERIOD_S if reset is None else min(reset, _LONGEST_PERIOD_S))


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise _timed_out() from error


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise SourceUnreadable("OpenAQ's answer is larger than any real one", code="TOO_LARGE")
    return bytes(body)


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isascii() and header.isdecimal() else None


def _timed_out() -> SourceUnavailable:
    return SourceUnavailable("OpenAQ did not answer in time: try again later", code="TIMEOUT")
