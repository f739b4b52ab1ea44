"""The geocoder that the settings name."""

from __future__ import annotations

from typing import Final

from router.geocoding.by_geopy import Access, GeopyGeocoder
from router.geocoding.geocoder import Geocoder
from router.geocoding.politeness import Memory, Pace, PoliteGeocoder
from router.settings import RouterSettings

NO_GEOCODER: Final = "none"

_HOUR_SECONDS: Final = 3600.0


def open_geocoder(settings: RouterSettings, memory: Memory) -> Geocoder | None:
    """The geocoder, asked at its pace; None where none is named. Raises UnknownGeocoder."""
    if settings.geocoder == NO_GEOCODER:
        return None
    access = Access(
        url=settings.geocoder_url,
        key=settings.geocoder_key,
        user_agent=settings.geocoder_user_agent,
        deadline_seconds=settings.geocoder_deadline_seconds,
    )
    pace = Pace(settings.geocoder_pause_seconds, patience_seconds=settings.geocoder_deadline_seconds)
    geocoder = GeopyGeocoder(settings.geocoder, access)
    return PoliteGeocoder(geocoder, memory, pace, settings.geocoder_ttl_hours * _HOUR_SECONDS)
