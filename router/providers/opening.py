"""Opens clients of the map services that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from router.map_provider import MapProvider, MapProviders
from router.providers.osrm import Osrm
from router.providers.valhalla import Valhalla
from router.route import Provider
from router.settings import RouterSettings


@asynccontextmanager
async def open_providers(settings: RouterSettings) -> AsyncIterator[MapProviders]:
    """Those that have an address."""
    known: dict[Provider, MapProvider] = {}
    seconds = settings.provider_deadline_seconds
    async with AsyncExitStack() as stack:
        if settings.osrm_url is not None:
            known[Provider.OSRM] = await stack.enter_async_context(Osrm(settings.osrm_url, deadline_seconds=seconds))
        if settings.valhalla_url is not None:
            valhalla = Valhalla(settings.valhalla_url, deadline_seconds=seconds)
            known[Provider.VALHALLA] = await stack.enter_async_context(valhalla)
        yield MapProviders(known)
