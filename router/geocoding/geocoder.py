"""What a geocoder is to the router."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from air.places import Point
from mesh.errors import FailedPrecondition, Unavailable
from router.places.place import Place


class GeocoderUnavailable(Unavailable):
    """The geocoder does not answer, or says nothing that can be read."""

    reason = "GEOCODER_UNAVAILABLE"


class UnknownGeocoder(FailedPrecondition):
    """No such geocoder, or one that the settings do not suffice for."""

    reason = "UNKNOWN_GEOCODER"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question by name.

    Attributes:
        text: What was typed.
        near: Places near this point are preferred, by a geocoder that can; None for anywhere.
        most: How many are wanted.
    """

    text: str
    near: Point | None
    most: int


class Geocoder(Protocol):
    """Knows places by name and by where they are."""

    @property
    def name(self) -> str:
        """Who it is."""

    async def search(self, wanted: Wanted) -> list[Place]:
        """Places with such a name, the best first. Raises GeocoderUnavailable."""

    async def reverse(self, point: Point) -> list[Place]:
        """What is at the point, one place or none. Raises GeocoderUnavailable."""
