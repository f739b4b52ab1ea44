"""Calls to a running mesh from the command line: one channel a call, and errors as one readable sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.channel import open_channel

_T = TypeVar("_T")


def call(settings: CommandSettings, ask: Callable[[grpc.aio.Channel], Awaitable[_T]]) -> _T:
    """Runs `ask` on a channel to the gateway. Raises CommandFailed with what the mesh said."""

    async def run() -> _T:
        async with open_channel(settings.gateway_target, settings) as channel:
            try:
                return await ask(channel)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in (error.details() or ""):
                    raise CommandFailed(
                        f"Nothing answers at {settings.gateway_target}: start the mesh with `make up`, or set"
                        " CLEANAIR_GATEWAY_TARGET."
                    ) from error
                raise CommandFailed(f"{error.details() or error.code().name} ({error.code().name})") from error

    return asyncio.run(run())
