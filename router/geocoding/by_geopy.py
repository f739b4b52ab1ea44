"""Any geocoder that geopy has a client for: Nominatim, Photon, and those that need a key."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from geopy.exc import GeopyError
from geopy.geocoders import SERVICE_TO_GEOCODER
from pydantic import SecretStr

from air.places import Point
from router.geocoding.geocoder import GeocoderUnavailable, UnknownGeocoder, Wanted
from router.places.place import Kind, Place
from router.places.tags import meaning_of, street_importance

_KEYS: Final = ("api_key", "apikey", "access_token", "subscription_key", "key")
"""What geopy's clients call their key."""

_BIAS_DEGREES: Final = 0.25
"""Half the side of the box that is preferred by a geocoder that knows no point to be near to."""

_FAULTS: Final = (GeopyError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What geopy's clients raise, between them, where a server does not answer as it should."""

_Json = Mapping[str, object]
_Answers = Sequence["_Location"] | None


class _Location(Protocol):
    """What geopy answers with."""

    address: str | None
    latitude: float
    longitude: float
    raw: object


class _Client(Protocol):
    """What geopy asks with; which options it takes is its own."""

    geocode: Callable[..., _Answers]
    reverse: Callable[..., _Answers]


@dataclass(frozen=True, slots=True)
class Access:
    """How a geocoder is reached.

    Attributes:
        url: Its address; that of the public service where None.
        key: What it asks for; None where it asks for nothing.
        user_agent: Who we say we are: Nominatim's terms of use ask for it.
        deadline_seconds: How long an answer may take.
    """

    url: str | None
    key: SecretStr | None
    user_agent: str
    deadline_seconds: float


class GeopyGeocoder:
    """Asks a geocoder by geopy's client, away from the event loop."""

    def __init__(self, service: str, access: Access) -> None:
        """Raises UnknownGeocoder where geopy has no such client, or it needs what the settings do not give."""
        self._name = service
        self._client = _client(service, access)
        self._deadline = access.deadline_seconds

    @property
    def name(self) -> str:
        """As geopy calls it."""
        return self._name

    async def search(self, wanted: Wanted) -> list[Place]:
        """Places with such a name, the best first. Raises GeocoderUnavailable."""
        options: dict[str, object] = {"limit": wanted.most, "namedetails": True}
        if wanted.near is not None:
            latitude, longitude = wanted.near.latitude, wanted.near.longitude
            options["location_bias"] = (latitude, longitude)
            options["viewbox"] = [
                (latitude - _BIAS_DEGREES, longitude - _BIAS_DEGREES),
                (latitude + _BIAS_DEGREES, longitude + _BIAS_DEGREES),
            ]
        return (await self._ask(self._client.geocode, wanted.text, options))[: wanted.most]

    async def reverse(self, point: Point) -> list[Place]:
        """What is at the point, one place or none. Raises GeocoderUnavailable."""
        options: dict[str, object] = {"namedetails": True}
        return (await self._ask(self._client.reverse, (point.latitude, point.longitude), options))[:1]

    async def _ask(self, method: Callable[..., _Answers], asked: object, options: dict[str, object]) -> list[Place]:
        known = inspect.signature(method).parameters
        taken = {key: value for key, value in options.items() if key in known}

        def ask() -> list[Place]:
            found = method(asked, exactly_one=False, timeout=self._deadline, **taken)
            return [_place(each) for each in found or ()]

        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.to_thread(ask)
        except (TimeoutError, *_FAULTS) as error:
            raise GeocoderUnavailable(f"The geocoder {self._name} does not answer; try again later.") from error


def _client(service: str, access: Access) -> _Client:
    client = SERVICE_TO_GEOCODER.get(service)
    if client is None:
        raise UnknownGeocoder(
            f"There is no geocoder {service}; set CLEANAIR_GEOCODER to none or one of"
            f" {', '.join(sorted(SERVICE_TO_GEOCODER))}."
        )
    known = inspect.signature(client).parameters
    given: dict[str, object] = {"user_agent": access.user_agent, "timeout": access.deadline_seconds}
    if access.url is not None:
        parts = urlsplit(access.url)
        given |= {"scheme": parts.scheme, "domain": parts.netloc + parts.path}
    name_of_key = next((each for each in _KEYS if each in known), None)
    if access.key is not None and name_of_key is not None:
        given[name_of_key] = access.key.get_secret_value()
    needed = {each.name for each in known.values() if each.default is each.empty and each.kind is not each.VAR_KEYWORD}
    if needed - given.keys():
        raise UnknownGeocoder(
            f"The geocoder {service} needs {', '.join(sorted(needed - given.keys()))}: set CLEANAIR_GEOCODER_KEY, or"
            " choose another."
        )
    try:
        return cast(_Client, client(**{key: value for key, value in given.items() if key in known}))
    except (GeopyError, ValueError) as error:
        raise UnknownGeocoder(f"The geocoder {service} cannot be used: {error}") from error


def _place(found: _Location) -> Place:
    """What an answer says; Nominatim and Photon say more than the address that all give."""
    address = found.address or ""
    said: _Json = found.raw if isinstance(found.raw, Mapping) else {}
    properties = said.get("properties")
    photon: _Json = properties if isinstance(properties, Mapping) else {}
    details = said.get("namedetails")
    names: _Json = details if isinstance(details, Mapping) else {}
    name = _text(names, "name") or _text(said, "name") or _text(photon, "name") or address.split(",")[0].strip()
    key = _text(photon, "osm_key") or _text(said, "class") or _text(said, "category")
    value = _text(photon, "osm_value") or _text(said, "type")
    return Place(
        name=name,
        name_en=_text(names, "name:en"),
        address=address,
        kind=_kind(key, value),
        point=Point(float(found.latitude), float(found.longitude)),
    )


def _text(said: _Json, key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _kind(key: str, value: str) -> Kind:
    meaning = meaning_of({key: value}) if key and value else None
    if meaning is not None:
        return meaning.kind
    return Kind.STREET if key == "highway" and street_importance(value) is not None else Kind.OTHER
