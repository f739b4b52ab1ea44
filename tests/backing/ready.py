"""Waits until a mesh, or a server of it, is ready, as `cleanair up` does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final

from cli.readiness import serving, whole

_SECONDS: Final = 60.0


def until_whole(target: str) -> None:
    """Returns when every line of the mesh's health is up, asked at the gateway or at the router."""
    _wait(whole(target))


def until_serving(*targets: str) -> None:
    """Returns when these servers say that they serve."""
    for target in targets:
        _wait(serving(target))


def _wait(step: Coroutine[object, object, None]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(_SECONDS):
            await step

    asyncio.run(in_time())
