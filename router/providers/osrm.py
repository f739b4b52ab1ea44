"""OSRM, by version 1 of its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel

from air.geodesy import Floats
from air.places import Point
from router.map_provider import ProviderFoundNoRoute
from router.modes import TravelMode
from router.providers.asking import Asking

PROFILE: Final = "{profile}"
"""Where an address holds this, the profile comes in its place: an OSRM server knows one."""

_PROFILES: Final[Mapping[TravelMode, str]] = {TravelMode.BIKE: "bike", TravelMode.CAR: "car"}
_ON_FOOT: Final = "foot"
_QUERY: Final = {"alternatives": "3", "overview": "full", "geometries": "polyline6", "steps": "false"}
_OK: Final = "Ok"
_NO_WAY: Final = {"NoRoute", "NoSegment"}


class _Route(BaseModel):
    geometry: str


class _Answer(BaseModel):
    """What the service says: routes, or a code of why there are none."""

    code: str
    routes: list[_Route] = []


class Osrm:
    """Asks an OSRM server; to be entered before.

    Args:
        url: Its address, such as `http://localhost:5000`; PROFILE in it is foot, bike or car.
        deadline_seconds: How long one question may take in all.
    """

    def __init__(self, url: str, *, deadline_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._asking = Asking("OSRM", deadline_seconds=deadline_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._asking.__aexit__()

    async def lines(self, origin: Point, destination: Point, mode: TravelMode) -> tuple[Floats, ...]:
        """Ways between two points, as MapProvider has it."""
        profile = _PROFILES.get(mode, _ON_FOOT)
        ends = ";".join(f"{end.longitude:.6f},{end.latitude:.6f}" for end in (origin, destination))
        url = f"{self._url.replace(PROFILE, profile)}/route/v1/{profile}/{ends}"
        answer = await self._asking.get(url, _QUERY, _Answer)
        if answer.code in _NO_WAY:
            raise ProviderFoundNoRoute(
                "OSRM knows no way between the ends; leave the provider out to search our own streets.",
                field="provider",
            )
        if answer.code != _OK or not answer.routes:
            raise self._asking.refused(answer.code)
        return tuple(self._asking.line(route.geometry) for route in answer.routes)
