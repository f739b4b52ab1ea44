"""Weather: what was observed in a cell in an hour, and what was forecast for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A cell of `ingestion.grid`: its column from the west, 1 to 149, and its row from the south, 1 to 253."""

    nx: int
    ny: int


class Precipitation(StrEnum):
    """What falls."""

    NONE = "NONE"
    RAIN = "RAIN"
    SLEET = "SLEET"
    SNOW = "SNOW"
    SHOWER = "SHOWER"
    DRIZZLE = "DRIZZLE"
    DRIZZLE_AND_FLURRY = "DRIZZLE_AND_FLURRY"
    FLURRY = "FLURRY"


class Sky(StrEnum):
    """How much of the sky is covered."""

    CLEAR = "CLEAR"
    MOSTLY_CLOUDY = "MOSTLY_CLOUDY"
    OVERCAST = "OVERCAST"


class Product(StrEnum):
    """The two forecasts: for six hours, issued each hour; and for three days and more, issued every three hours."""

    ULTRA_SHORT = "ULTRA_SHORT"
    SHORT = "SHORT"


@dataclass(frozen=True, slots=True)
class Amount:
    """What falls in an hour: a number, and the words that it was read from, which may stand for a range.

    A range is represented by its middle, one that is open upwards by its lower bound, and one from nothing upwards by
    half of its upper bound.
    """

    number: float
    text: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an observation and a forecast both give; None where they do not.

    Attributes:
        temperature: °C.
        humidity: Relative, percent.
        precipitation: What falls.
        precipitation_amount: Within the hour, as water, mm.
        wind_east: The wind's component towards the east, m/s.
        wind_north: The wind's component towards the north, m/s.
        wind_direction: Where the wind comes from, degrees clockwise from north, 0 to 360.
        wind_speed: m/s.
    """

    temperature: float | None = None
    humidity: float | None = None
    precipitation: Precipitation | None = None
    precipitation_amount: Amount | None = None
    wind_east: float | None = None
    wind_north: float | None = None
    wind_direction: float | None = None
    wind_speed: float | None = None


@dataclass(frozen=True, slots=True)
class WeatherObservation:
    """The weather of one cell at `observed_at` (aware, UTC); amounts are of the hour that ends then."""

    cell: Cell
    observed_at: datetime
    conditions: Conditions
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class WeatherForecast:
    """What was forecast at `issued_at` for one cell at `valid_at` (aware, UTC).

    Attributes:
        cell: The cell.
        product: Which of the two forecasts it is part of.
        issued_at: When it was issued, by its own label.
        valid_at: The hour that it is for.
        conditions: What an observation gives as well.
        sky: How much of the sky will be covered.
        precipitation_probability: Percent.
        snow_amount: Fresh snow within the hour, cm.
        wave_height: At sea, m.
        day_minimum: The lowest temperature of the day, °C, in the hour that the source ties it to.
        day_maximum: The highest, likewise.
        simulated: True when it belongs to the simulated city.
    """

    cell: Cell
    product: Product
    issued_at: datetime
    valid_at: datetime
    conditions: Conditions
    sky: Sky | None = None
    precipitation_probability: float | None = None
    snow_amount: Amount | None = None
    wave_height: float | None = None
    day_minimum: float | None = None
    day_maximum: float | None = None
    simulated: bool = False
