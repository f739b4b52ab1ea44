"""What clients of map services share: one question over HTTP within a deadline, asked again where that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Self, TypeVar

import httpx
import numpy as np
import polyline
import stamina
from pydantic import BaseModel, ValidationError

from air.geodesy import Floats
from router.map_provider import ProviderUnavailable

_MOST_BYTES: Final = 8 * 2**20
_ATTEMPTS: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 0.5
_AGAIN: Final = {429, 500, 502, 503, 504}
_GEOMETRY_DECIMALS: Final = 6
_LEAST_POINTS: Final = 2

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class _Again(Exception):
    """The question may be answered when it is asked again."""


_retried: Final = stamina.AsyncRetryingCaller(
    attempts=_ATTEMPTS,
    timeout=None,
    wait_initial=_FIRST_WAIT_SECONDS,
    wait_max=_LONGEST_WAIT_SECONDS,
    wait_jitter=_LONGEST_WAIT_SECONDS,
).on(_Again)


class Asking:
    """Asks one map service; to be entered before.

    Args:
        name: What the service is called, for people.
        deadline_seconds: How long one question may take in all.
    """

    def __init__(self, name: str, *, deadline_seconds: float) -> None:
        self._name = name
        self._deadline_seconds = deadline_seconds
        self._client = httpx.AsyncClient(timeout=deadline_seconds, headers={"user-agent": "cleanair-route"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, url: str, query: Mapping[str, str], answer: type[AnswerT]) -> AnswerT:
        """The answer to a GET. Raises ProviderUnavailable."""
        return await self._ask(self._client.build_request("GET", url, params=dict(query)), answer)

    async def post(self, url: str, document: BaseModel, answer: type[AnswerT]) -> AnswerT:
        """The answer to a POST of JSON. Raises ProviderUnavailable."""
        headers = {"content-type": "application/json"}
        content = document.model_dump_json().encode()
        return await self._ask(self._client.build_request("POST", url, content=content, headers=headers), answer)

    def line(self, geometry: str) -> Floats:
        """A line as these services encode it, with six decimals. Raises ProviderUnavailable."""
        try:
            points = np.array(polyline.decode(geometry, _GEOMETRY_DECIMALS), dtype=np.float64).reshape(-1, 2)
        except (ValueError, IndexError, TypeError) as error:
            raise self._unreadable() from error
        if len(points) < _LEAST_POINTS or not np.all(np.abs(points) <= np.array([90.0, 180.0])):
            raise self._unreadable()
        return points

    async def _ask(self, request: httpx.Request, answer: type[AnswerT]) -> AnswerT:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                body = await _retried(self._body, request)
        except TimeoutError as error:
            raise self._unavailable("did not answer in time") from error
        except _Again as error:
            raise self._unavailable("cannot be reached") from error
        try:
            return answer.model_validate_json(body)
        except ValidationError as error:
            raise self._unreadable() from error

    async def _body(self, request: httpx.Request) -> bytes:
        body = bytearray()
        try:
            response = await self._client.send(request, stream=True)
            try:
                if response.status_code in _AGAIN:
                    raise _Again
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise self._unreadable()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _Again from error
        return bytes(body)

    def refused(self, why: str) -> ProviderUnavailable:
        """The service has answered that it will not."""
        return self._unavailable(f"refused the question ({why})")

    def _unreadable(self) -> ProviderUnavailable:
        return self._unavailable("gave an answer that cannot be read")

    def _unavailable(self, what: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._name} {what}: try again later, or leave the provider out.")
