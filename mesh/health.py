"""What a server knows of its own health: one list of checks behind grpc.health.v1 and MeshService alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mesh.errors import CleanAirError

_CHECK_SECONDS: Final = 2.0


class HealthState(IntEnum):
    """How a part does; the higher the worse."""

    UP = 1
    DEGRADED = 2
    DOWN = 3


@dataclass(frozen=True, slots=True)
class Health:
    """How a part does, and what was seen."""

    state: HealthState
    detail: str = ""


UP: Final = Health(HealthState.UP)


@dataclass(frozen=True, slots=True)
class HealthLine:
    """The health of one part of one server."""

    service: str
    part: str
    health: Health


Check = Callable[[], Awaitable[Health]]
Upstream = Callable[[], Awaitable[Sequence[HealthLine]]]


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    check: Check
    critical: bool


class HealthBoard:
    """The parts of one server, and how to look at each.

    A critical part that is down takes the server out of service; any other is said, and served around.
    """

    def __init__(self, service: str) -> None:
        self.service: Final = service
        self._parts: list[_Part] = []
        self._upstreams: list[tuple[str, Upstream]] = []

    def check(self, part: str, check: Check, *, critical: bool) -> None:
        """Adds a part."""
        self._parts.append(_Part(part, check, critical))

    def upstream(self, neighbour: str, lines: Upstream) -> None:
        """Adds the left neighbour, whose own lines follow ours."""
        self._upstreams.append((neighbour, lines))

    async def serving(self) -> bool:
        """True when every critical part works."""
        critical = [part for part in self._parts if part.critical]
        healths = await asyncio.gather(*(_look(part) for part in critical))
        return all(health.state is not HealthState.DOWN for health in healths)

    async def report(self) -> list[HealthLine]:
        """A line for the server, one for each part, then the neighbour's. Never raises: what fails is a line."""
        healths, neighbours = await asyncio.gather(
            asyncio.gather(*(_look(part) for part in self._parts)),
            asyncio.gather(*(_ask(name, lines) for name, lines in self._upstreams)),
        )
        parts = [HealthLine(self.service, part.name, health) for part, health in zip(self._parts, healths, strict=True)]
        return [
            HealthLine(self.service, "server", self._own(healths)),
            *parts,
            *(line for n in neighbours for line in n),
        ]

    def _own(self, healths: Sequence[Health]) -> Health:
        for part, health in zip(self._parts, healths, strict=True):
            if part.critical and health.state is HealthState.DOWN:
                return Health(HealthState.DOWN, f"{part.name} is down")
        if any(health.state is not HealthState.UP for health in healths):
            return Health(HealthState.DEGRADED, "serves with less than it should have")
        return UP


async def _look(part: _Part) -> Health:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await part.check()
    except TimeoutError:
        return Health(HealthState.DOWN, f"did not answer within {_CHECK_SECONDS:g} s")
    except CleanAirError as error:
        return Health(HealthState.DOWN, error.message)


async def _ask(neighbour: str, lines: Upstream) -> Sequence[HealthLine]:
    try:
        async with asyncio.timeout(_CHECK_SECONDS * 2):
            return await lines()
    except TimeoutError:
        return [HealthLine(neighbour, "server", Health(HealthState.DOWN, "did not answer in time"))]
    except CleanAirError as error:
        return [HealthLine(neighbour, "server", Health(HealthState.DOWN, error.message))]
