"""Valhalla, by its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from pydantic import BaseModel

from air.geodesy import Floats
from air.places import Point
from router.map_provider import ProviderFoundNoRoute
from router.modes import TravelMode
from router.providers.asking import Asking

_COSTINGS: Final[Mapping[TravelMode, str]] = {TravelMode.BIKE: "bicycle", TravelMode.CAR: "auto"}
_ON_FOOT: Final = "pedestrian"
_OPTIONS: Final[Mapping[TravelMode, dict[str, dict[str, str]]]] = {
    TravelMode.WHEELCHAIR: {_ON_FOOT: {"type": "wheelchair"}}
}
_ALTERNATES: Final = 2
_NO_WAY: Final = {170, 171, 442}
"""Locations in unconnected regions, none suitable near a location, no path."""


class _Location(BaseModel):
    lat: float
    lon: float


class _Question(BaseModel):
    locations: list[_Location]
    costing: str
    costing_options: dict[str, dict[str, str]]
    alternates: int = _ALTERNATES
    directions_type: str = "none"


class _Leg(BaseModel):
    shape: str


class _Trip(BaseModel):
    legs: list[_Leg] = []


class _Alternate(BaseModel):
    trip: _Trip


class _Answer(BaseModel):
    """What the service says: trips, or a code of why there are none."""

    trip: _Trip | None = None
    alternates: list[_Alternate] = []
    error_code: int | None = None


class Valhalla:
    """Asks a Valhalla server; to be entered before.

    Args:
        url: Its address, such as `http://localhost:8002`.
        deadline_seconds: How long one question may take in all.
    """

    def __init__(self, url: str, *, deadline_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._asking = Asking("Valhalla", deadline_seconds=deadline_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._asking.__aexit__()

    async def lines(self, origin: Point, destination: Point, mode: TravelMode) -> tuple[Floats, ...]:
        """Ways between two points, as MapProvider has it."""
        question = _Question(
            locations=[_Location(lat=end.latitude, lon=end.longitude) for end in (origin, destination)],
            costing=_COSTINGS.get(mode, _ON_FOOT),
            costing_options=_OPTIONS.get(mode, {}),
        )
        answer = await self._asking.post(f"{self._url}/route", question, _Answer)
        if answer.error_code in _NO_WAY:
            raise ProviderFoundNoRoute(
                "Valhalla knows no way between the ends; leave the provider out to search our own streets.",
                field="provider",
            )
        trips = [] if answer.trip is None else [answer.trip, *(alternate.trip for alternate in answer.alternates)]
        lines = [self._line(trip) for trip in trips if trip.legs]
        if not lines:
            raise self._asking.refused(f"error {answer.error_code}")
        return tuple(lines)

    def _line(self, trip: _Trip) -> Floats:
        return np.concatenate([self._asking.line(leg.shape) for leg in trip.legs])
