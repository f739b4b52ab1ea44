"""The air of a field on the streets of a graph, hour by hour."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from router.exposure.background import Background
from router.exposure.concentration import StreetAir
from router.exposure.field import HOUR, AirField
from router.exposure.recent import Recent

HOURS_KEPT: Final = 80
"""All hours of a field: 72 ahead, and some where stations differ in when they were issued. One takes 104 bytes a cell:
of a city of 600 km² a megabyte."""

_SECONDS_AN_HOUR: Final = 3600.0


class HourlyAir:
    """The backgrounds of one field, each made when first asked for; any number of threads may ask at once."""

    def __init__(self, streets: StreetAir, field: AirField | None) -> None:
        self.streets = streets
        self.field = field
        self._kept: Recent[int, Background | None] = Recent(HOURS_KEPT)

    def background(self, hour: int | None) -> Background | None:
        """The background in an hour of the field; None when nothing is known of it."""
        field = self.field
        if field is None or hour is None:
            return None
        return self._kept.get(hour, lambda: self.streets.background(field, hour))

    def at(self, time: datetime) -> Background | None:
        """The background in the hour that a time lies in; None when nothing is known of it."""
        return None if self.field is None else self.background(self.field.hour_at(time))

    def after(self, hour: int, before: Background) -> Background:
        """The background in an hour of which not all may be known: else that of the hour before goes on."""
        field = self.field
        if field is None or hour >= field.values.shape[2]:
            return before
        background = self.background(hour)
        return before if background is None or not set(before.known) <= set(background.known) else background

    def hour_of(self, departure: datetime) -> tuple[int | None, float]:
        """The hour of the field that a departure lies in, and how many seconds of it are left."""
        hour = None if self.field is None else self.field.hour_at(departure)
        if self.field is None or hour is None:
            return None, _SECONDS_AN_HOUR
        return hour, (self.field.first_hour + HOUR * hour - departure).total_seconds()
