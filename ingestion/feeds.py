"""The feeds: what can be collected from, by name. A new one is a file in `ingestion/sources/` and a line in `FEEDS`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from pydantic import SecretStr

from ingestion.settings import IngestionSettings
from ingestion.slots import OPENAQ, READINGS, Slots
from ingestion.source import BulletinSource, HistorySource, Quota, Source, WeatherSource
from ingestion.sources.airkorea import HISTORY_PATH, STATIONS_PATH, AirKorea
from ingestion.sources.kma import OBSERVATIONS_PATH, Kma
from ingestion.sources.openaq import OpenAQ
from mesh.clock import Clock
from mesh.errors import InvalidInput

_Client = TypeVar("_Client")
_Opener: TypeAlias = Callable[[IngestionSettings, Quota, Clock], AbstractAsyncContextManager[_Client]]


# What data.go.kr counts by: the first part of each path. The forecasts of the weather are of the observations' service.
_AIRKOREA_SERVICES: Final = (HISTORY_PATH.partition("/")[0], STATIONS_PATH.partition("/")[0])
_KMA_SERVICES: Final = (OBSERVATIONS_PATH.partition("/")[0],)


class UnknownFeed(InvalidInput):
    """There is no feed of that name."""

    reason = "UNKNOWN_FEED"


@dataclass(frozen=True, slots=True)
class Ports:
    """What a feed answers, each by the port through which it is asked; None what it does not.

    Attributes:
        readings: What stations measure now.
        history: What they measured before.
        bulletins: Official forecasts.
        weather: Weather, observed and forecast.
    """

    readings: Source | None = None
    history: HistorySource | None = None
    bulletins: BulletinSource | None = None
    weather: WeatherSource | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """Something that can be collected from.

    Attributes:
        name: What it is called, in settings, runs, health and metrics.
        open: Opens its client, and closes it at the end.
        configured: Whether the settings say what it needs: so it is collected unless they name others.
        daily_limits: How many requests a day allows each of its services; those that are not named are not counted.
        readings_slots: When its readings are collected; weather and bulletins have times of their own (`slots`).
    """

    name: str
    open: _Opener[Ports]
    configured: Callable[[IngestionSettings], bool]
    daily_limits: Callable[[IngestionSettings], Mapping[str, int]]
    readings_slots: Slots


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """A feed whose client is open."""

    feed: Feed
    ports: Ports


def _feed(
    name: str,
    client: _Opener[_Client],
    ports: Callable[[_Client], Ports],
    *,
    configured: Callable[[IngestionSettings], bool],
    daily_limits: Callable[[IngestionSettings], Mapping[str, int]] = lambda _: {},
    readings_slots: Slots = READINGS,
) -> Feed:
    @asynccontextmanager
    async def opened(settings: IngestionSettings, quota: Quota, clock: Clock) -> AsyncGenerator[Ports, None]:
        async with client(settings, quota, clock) as source:
            yield ports(source)

    return Feed(name, opened, configured, daily_limits, readings_slots)


def _any_of(*settings_of_its_own: str) -> Callable[[IngestionSettings], bool]:
    return lambda settings: not settings.model_fields_set.isdisjoint(settings_of_its_own)


def _limits(services: Sequence[str], key: SecretStr | None, limit: int) -> Mapping[str, int]:
    """Without a key it is no service of data.go.kr that is asked, but a server of our own."""
    return {} if key is None else dict.fromkeys(services, limit)


FEEDS: Final = (
    _feed(
        "airkorea",
        AirKorea,
        lambda one: Ports(readings=one, history=one, bulletins=one),
        configured=lambda _: True,
        daily_limits=lambda settings: _limits(
            _AIRKOREA_SERVICES, settings.airkorea_key, settings.airkorea_daily_requests
        ),
    ),
    _feed(
        "kma",
        Kma,
        lambda one: Ports(weather=one),
        configured=_any_of("kma_url", "kma_key"),
        daily_limits=lambda settings: _limits(_KMA_SERVICES, settings.kma_key, settings.kma_daily_requests),
    ),
    _feed(
        "openaq",
        OpenAQ,
        lambda one: Ports(readings=one, history=one),
        configured=_any_of("openaq_key"),
        readings_slots=OPENAQ,
    ),
)
"""All feeds. AirKorea is collected unless the settings name others; others are, once something of theirs is set."""


def chosen(settings: IngestionSettings) -> Sequence[Feed]:
    """The feeds that the settings name, or else all that are configured. Raises UnknownFeed."""
    known = {feed.name: feed for feed in FEEDS}
    for name in settings.feeds:
        if name not in known:
            raise UnknownFeed(f"there is no feed {name!r}: CLEANAIR_FEEDS takes {', '.join(known)}", field="feeds")
    return [feed for feed in FEEDS if (feed.name in settings.feeds if settings.feeds else feed.configured(settings))]


def daily_limits(feeds: Sequence[Feed], settings: IngestionSettings) -> Mapping[str, int]:
    """How many requests a day allows each service that these feeds ask and that counts them."""
    return {service: limit for feed in feeds for service, limit in feed.daily_limits(settings).items()}


@asynccontextmanager
async def opened(
    feeds: Sequence[Feed], settings: IngestionSettings, quota: Quota, clock: Clock
) -> AsyncGenerator[Sequence[OpenFeed], None]:
    """Opens feeds, in their order, and closes them at the end."""
    async with AsyncExitStack() as stack:
        yield [OpenFeed(feed, await stack.enter_async_context(feed.open(settings, quota, clock))) for feed in feeds]
