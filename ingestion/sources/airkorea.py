"""The client of AirKorea's services at data.go.kr."""

from __future__ import annotations

import asyncio
import random
from typing import Final, Self
from urllib.parse import unquote

import httpx
import stamina

from air.places import Station
from ingestion.reading import RawMeasurement
from ingestion.settings import IngestionSettings
from ingestion.source import Rows, SourceEmpty, SourceError, SourceUnavailable, SourceUnreadable
from ingestion.sources.airkorea_answer import Answer, Row, read_answer
from ingestion.sources.airkorea_row import read_measurements, read_stations

MEASUREMENTS_PATH: Final = "ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"
STATIONS_PATH: Final = "MsrstnInfoInqireSvc/getMsrstnList"

_ROWS_A_PAGE: Final = 1000
_MOST_PAGES: Final = 20
_MOST_BYTES: Final = 16 * 2**20
_LONGEST_WAIT_FACTOR: Final = 30.0


class AirKorea:
    """Asks AirKorea for its stations and for what they measured; answers the `Source` protocol.

    Each question is retried with full-jitter backoff where that may help, within a number of attempts and a deadline.
    """

    def __init__(self, settings: IngestionSettings) -> None:
        self._settings = settings
        key = settings.airkorea_key.get_secret_value() if settings.airkorea_key is not None else None
        self._client = httpx.AsyncClient(
            base_url=str(settings.airkorea_url).rstrip("/") + "/",
            timeout=settings.airkorea_timeout_seconds,
            transport=_KeyTransport(key),
            headers={"user-agent": "cleanair-route"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def stations(self) -> Rows[Station]:
        """All stations of the country. Raises SourceError."""
        return read_stations(await self._ask(STATIONS_PATH, {}))

    async def measurements(self) -> Rows[RawMeasurement]:
        """The newest hour of each station in the province. Raises SourceError."""
        settings = self._settings
        query = {"sidoName": settings.airkorea_sido, "ver": settings.airkorea_version}
        return read_measurements(await self._ask(MEASUREMENTS_PATH, query))

    async def _ask(self, path: str, query: dict[str, str]) -> tuple[Row, ...]:
        try:
            async with asyncio.timeout(self._settings.airkorea_deadline_seconds):
                rows = await self._all_pages(path, query)
                if not rows:
                    # Now and then an answer holds no row and no error, and the next one is whole.
                    await asyncio.sleep(self._wait(1))
                    rows = await self._all_pages(path, query)
        except TimeoutError as error:
            raise _timed_out() from error
        if not rows:
            raise SourceEmpty("the network answered without a row", code="EMPTY")
        return rows

    async def _all_pages(self, path: str, query: dict[str, str]) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        for number in range(1, _MOST_PAGES + 1):
            page = await self._page(path, {**query, "pageNo": str(number)})
            rows += page.rows
            if not page.rows or len(rows) >= page.total_count:
                break
        return rows

    async def _page(self, path: str, query: dict[str, str]) -> Answer:
        attempts = 0

        def wait_before_retry(error: Exception) -> float | bool:
            return isinstance(error, SourceError) and error.retryable and self._wait(attempts)

        async for attempt in stamina.retry_context(
            on=wait_before_retry, attempts=self._settings.airkorea_attempts, timeout=None
        ):
            with attempt:
                attempts = attempt.num
                return await self._request(path, query)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, attempts: int) -> float:
        first = self._settings.airkorea_retry_seconds
        longest = min(first * 2.0 ** (attempts - 1), first * _LONGEST_WAIT_FACTOR)
        return random.uniform(0.0, longest)  # noqa: S311 - spreads retries, guards nothing

    async def _request(self, path: str, query: dict[str, str]) -> Answer:
        fixed = {"returnType": "json", "numOfRows": str(_ROWS_A_PAGE)}
        try:
            async with self._client.stream("GET", path, params={**fixed, **query}) as response:
                return read_answer(response.status_code, await _body(response))
        except httpx.TimeoutException as error:
            raise _timed_out() from error
        except httpx.HTTPError as error:
            code = "CONNECT" if isinstance(error, httpx.ConnectError) else "CONNECTION"
            raise SourceUnavailable("the network cannot be reached: try again later", code=code) from error


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise SourceUnreadable("the network's answer is larger than any real one", code="TOO_LARGE")
    return bytes(body)


def _timed_out() -> SourceUnavailable:
    return SourceUnavailable("the network did not answer in time: try again later", code="TIMEOUT")


class _KeyTransport(httpx.AsyncHTTPTransport):
    """Adds the service key below everything that logs a URL or puts one in an error."""

    def __init__(self, key: str | None) -> None:
        super().__init__()
        # data.go.kr shows each key twice, plain and percent-encoded. Plain keys hold no %, so decoding either gives the
        # plain one; unquote leaves its `+` alone, and httpx encodes it once.
        self._key = unquote(key) if key is not None else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._key is None:
            return await super().handle_async_request(request)
        keyed = httpx.Request(
            request.method,
            request.url.copy_merge_params({"serviceKey": self._key}),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(keyed)
