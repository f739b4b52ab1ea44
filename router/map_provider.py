"""Who else may be asked for ways: map services of others, which know streets but not the air on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from air.geodesy import Floats
from air.places import Point
from mesh.errors import FailedPrecondition, NotFound, Unavailable
from router.modes import TravelMode
from router.route import Provider, RouteRequest


class ProviderNotConfigured(FailedPrecondition):
    """The router knows no address of the provider."""

    reason = "PROVIDER_NOT_CONFIGURED"


class ProviderUnavailable(Unavailable):
    """The provider gave no answer, or none that can be read."""

    reason = "PROVIDER_UNAVAILABLE"


class ProviderFoundNoRoute(NotFound):
    """The provider knows no way between the ends, or none on our streets."""

    reason = "PROVIDER_FOUND_NO_ROUTE"


class MapProvider(Protocol):
    """Finds lines through a city."""

    async def lines(self, origin: Point, destination: Point, mode: TravelMode) -> tuple[Floats, ...]:
        """Ways between two points, one at least, the provider's favourite first.

        Each float64[p, 2], latitude and longitude in degrees; p is at least 2.

        Raises:
            ProviderUnavailable: There is no answer.
            ProviderFoundNoRoute: There is no way.
        """


@dataclass(frozen=True, slots=True)
class MapProviders:
    """Those that the router may ask. Its own engine is the default, and is asked for no lines."""

    known: Mapping[Provider, MapProvider]

    async def lines(self, request: RouteRequest) -> tuple[Floats, ...] | None:
        """The lines of the provider that the request names; None where that is the router's own engine.

        Raises ProviderNotConfigured, or what MapProvider.lines raises.
        """
        if request.provider is Provider.CLEANAIR:
            return None
        provider = self.known.get(request.provider)
        if provider is None:
            raise ProviderNotConfigured(
                f"This router knows no {request.provider.name_for_people} server: set"
                f" CLEANAIR_{request.provider}_URL, or leave the provider out.",
                field="provider",
            )
        return await provider.lines(request.origin, request.destination, request.travel_mode)


OURS_ALONE: Final = MapProviders({})
"""Nobody but the router's own engine."""
