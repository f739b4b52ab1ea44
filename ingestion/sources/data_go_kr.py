"""The client that all services of data.go.kr share: key, quota, pages, retries, and the limits on each question."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Final, Self
from urllib.parse import unquote

import httpx
import stamina
from pydantic import SecretStr

from ingestion.source import Quota, SourceError, SourceUnavailable, SourceUnreadable
from ingestion.sources.data_go_kr_answer import Answer, Row, read_answer

_MOST_PAGES: Final = 20
_MOST_BYTES: Final = 16 * 2**20
_LONGEST_WAIT_FACTOR: Final = 30.0


class DataGoKr:
    """Asks services of data.go.kr for rows.

    Each page is retried with full-jitter backoff where that may help, within a number of attempts; a whole question
    has a deadline. Every request that leaves is counted against the service's quota first.

    Args:
        url: The address under which the services lie, such as `http://apis.data.go.kr/B552584`.
        key: The service key in either of its two spellings; none is sent without one.
        quota: What counts the requests of a day.
        timeout_seconds: How long one request may take.
        attempts: How often one page is tried.
        retry_seconds: The longest wait before the first retry; it doubles with each, up to 30 times this.
        deadline_seconds: How long one question may take in all.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr | None,
        *,
        quota: Quota,
        timeout_seconds: float,
        attempts: int,
        retry_seconds: float,
        deadline_seconds: float,
    ) -> None:
        self._quota = quota
        self._attempts = attempts
        self._retry_seconds = retry_seconds
        self._deadline_seconds = deadline_seconds
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            timeout=timeout_seconds,
            transport=_KeyTransport(None if key is None else key.get_secret_value()),
            headers={"user-agent": "cleanair-route"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def rows(
        self, path: str, query: Mapping[str, str], *, page_size: int = 1000, ask_again_when_empty: bool = False
    ) -> tuple[Row, ...]:
        """All rows that answer a question, page after page; none when the service says that there are none.

        Args:
            path: The service and the operation, such as `MsrstnInfoInqireSvc/getMsrstnList`.
            query: The parameters, but for the key and the page.
            page_size: Rows a page.
            ask_again_when_empty: Ask once more when there is no row. AirKorea now and then answers without a row and
                without an error, and is whole the next time; elsewhere it means that nothing is published yet.

        Raises:
            SourceError: The service did not give an answer, or the quota of the day is used up.
        """
        try:
            async with asyncio.timeout(self._deadline_seconds):
                rows = await self._all_pages(path, query, page_size)
                if not rows and ask_again_when_empty:
                    await asyncio.sleep(self._wait(1))
                    rows = await self._all_pages(path, query, page_size)
        except TimeoutError as error:
            raise _timed_out() from error
        return rows

    async def _all_pages(self, path: str, query: Mapping[str, str], page_size: int) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        for number in range(1, _MOST_PAGES + 1):
            page = await self._page(path, {"numOfRows": str(page_size), **query, "pageNo": str(number)})
            rows += page.rows
            if not page.rows or len(rows) >= page.total_count:
                break
        return rows

    async def _page(self, path: str, query: Mapping[str, str]) -> Answer:
        attempts = 0

        def wait_before_retry(error: Exception) -> float | bool:
            return isinstance(error, SourceError) and error.retryable and self._wait(attempts)

        async for attempt in stamina.retry_context(on=wait_before_retry, attempts=self._attempts, timeout=None):
            with attempt:
                attempts = attempt.num
                await self._quota.take(path.partition("/")[0])
                return await self._request(path, query)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, attempts: int) -> float:
        first = self._retry_seconds
        longest = min(first * 2.0 ** (attempts - 1), first * _LONGEST_WAIT_FACTOR)
        return random.uniform(0.0, longest)  # noqa: S311 - spreads retries, guards nothing

    async def _request(self, path: str, query: Mapping[str, str]) -> Answer:
        try:
            async with self._client.stream("GET", path, params=dict(query)) as response:
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
