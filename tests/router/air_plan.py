"""Forecasts drawn by hand, the same at every hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from air.places import Network, Point, Station
from air.pollutants import Pollutant, ug_m3_per_unit
from router.exposure.field import AirField
from router.exposure.forecast import Quantiles, StationForecast
from router.known_air import KnownAir
from tests.router.street_plan import at

ISSUED = datetime(2025, 11, 3, 8, tzinfo=UTC)
NOW = datetime(2025, 11, 3, 8, 35, tzinfo=UTC)
LOWER, UPPER = 0.5, 2.0
"""The 10 % and 90 % quantiles of every forecast here, as shares of the median."""


def forecast(
    ug_m3: Mapping[Pollutant, float],
    *,
    station_id: str = "behind the houses",
    location: Point | None = None,
    network: Network = Network.URBAN,
    issued: datetime = ISSUED,
    hours: int = 72,
    simulated: bool = False,
) -> StationForecast:
    """A forecast of concentrations given in µg/m³."""

    def quantiles(pollutant: Pollutant, value: float) -> Quantiles:
        told = value / ug_m3_per_unit(pollutant)
        return Quantiles((told * LOWER,) * hours, (told,) * hours, (told * UPPER,) * hours, (told,) * hours)

    return StationForecast(
        station=Station(station_id, station_id, location or at(0, 1000), network, simulated),
        issue_time=issued,
        horizon_hours=tuple(range(1, hours + 1)),
        series={pollutant: quantiles(pollutant, value) for pollutant, value in ug_m3.items()},
    )


def field_of(*forecasts: StationForecast) -> AirField:
    """The field of forecasts, of which there is one at least."""
    field = AirField.of(forecasts)
    assert field is not None
    return field


def air_of(ug_m3: Mapping[Pollutant, float]) -> KnownAir:
    """The same air everywhere."""
    return KnownAir(field_of(forecast(ug_m3)))
