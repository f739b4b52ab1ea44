"""What a forecast had to do without, or what was done about it."""

from __future__ import annotations

from enum import StrEnum


class Limitation(StrEnum):
    """A reason why a forecast is less sure than others; the contract says what each means."""

    STATION_SILENT = "STATION_SILENT"
    MEASUREMENTS_MISSING = "MEASUREMENTS_MISSING"
    WEATHER_MISSING = "WEATHER_MISSING"
    STATION_UNKNOWN = "STATION_UNKNOWN"
    FALLBACK = "FALLBACK"
    INTERPOLATED = "INTERPOLATED"
