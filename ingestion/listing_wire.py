"""Stations, weather and bulletins as protobuf."""

from __future__ import annotations

from typing import Final

from cleanair.ingestion.v1 import bulletin_pb2, reading_pb2, weather_pb2
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire

from ingestion.bulletin import Bulletin
from ingestion.grid import centre_of
from ingestion.grid_weather import GridWeather
from ingestion.station import StationPlace
from ingestion.weather import Cell, Product, Sky, WeatherForecast, WeatherObservation
from mesh.wire import point_to_wire, pollutant_to_wire, station_to_wire, time_to_wire

_FORECASTS: Final = {
    Product.ULTRA_SHORT: weather_pb2.Weather.ULTRA_SHORT_FORECAST,
    Product.SHORT: weather_pb2.Weather.SHORT_FORECAST,
}


def place_to_wire(place: StationPlace) -> wire.ListStationsResponse.StationPlace:
    """A station at a place as its message."""
    return wire.ListStationsResponse.StationPlace(
        station=station_to_wire(place.station),
        feed=place.feed,
        address=place.listed.address,
        start_time=time_to_wire(place.valid_from),
        end_time=None if place.valid_to is None else time_to_wire(place.valid_to),
    )


def weather_to_wire(weather: WeatherObservation | WeatherForecast) -> weather_pb2.Weather:
    """An observation or a forecast as its message."""
    conditions = weather.conditions
    amount, falls = conditions.precipitation_amount, conditions.precipitation
    message = weather_pb2.Weather(
        cell=_cell(weather.cell),
        temperature_celsius=conditions.temperature,
        humidity_percent=conditions.humidity,
        wind_east_mps=conditions.wind_east,
        wind_north_mps=conditions.wind_north,
        precipitation=weather_pb2.Weather.Precipitation.Value(falls.value if falls else "PRECIPITATION_UNSPECIFIED"),
        precipitation_mm=None if amount is None else amount.number,
        simulated=weather.simulated,
    )
    if isinstance(weather, WeatherObservation):
        message.product = weather_pb2.Weather.OBSERVATION
        message.valid_time.CopyFrom(time_to_wire(weather.observed_at))
        return message
    snow = weather.snow_amount
    message.MergeFrom(
        weather_pb2.Weather(
            product=_FORECASTS[weather.product],
            issue_time=time_to_wire(weather.issued_at),
            valid_time=time_to_wire(weather.valid_at),
            snow_cm=None if snow is None else snow.number,
            precipitation_probability_percent=weather.precipitation_probability,
            sky=_sky(weather.sky),
            day_minimum_celsius=weather.day_minimum,
            day_maximum_celsius=weather.day_maximum,
            wave_height_m=weather.wave_height,
        )
    )
    return message


def grid_weather_to_wire(weather: GridWeather) -> weather_pb2.GridWeather:
    """The weather of a cell as its message."""
    temperature, humidity, wind_east, wind_north, water = weather.columns
    observed, issued = weather.newest_observed, weather.newest_issue
    return weather_pb2.GridWeather(
        cell=_cell(weather.cell),
        start_time=time_to_wire(weather.start),
        temperature_celsius=temperature,
        humidity_percent=humidity,
        wind_east_mps=wind_east,
        wind_north_mps=wind_north,
        precipitation_mm=water,
        sky=map(_sky, weather.sky),
        newest_observed_time=None if observed is None else time_to_wire(observed),
        newest_issue_time=None if issued is None else time_to_wire(issued),
        simulated=weather.simulated,
    )


def bulletin_to_wire(bulletin: Bulletin) -> bulletin_pb2.Bulletin:
    """A bulletin as its message."""
    return bulletin_pb2.Bulletin(
        issue_time=time_to_wire(bulletin.issued_at),
        target_date=bulletin.target_date.isoformat(),
        pollutant=pollutant_to_wire(bulletin.pollutant),
        grades=[
            bulletin_pb2.Bulletin.RegionGrade(
                region=one.region,
                grade=reading_pb2.Reading.Grade.Value(one.grade.value if one.grade else "GRADE_UNSPECIFIED"),
            )
            for one in bulletin.grades
        ],
        overall=bulletin.overall,
        cause=bulletin.cause,
        simulated=bulletin.simulated,
    )


def _cell(cell: Cell) -> weather_pb2.GridCell:
    return weather_pb2.GridCell(nx=cell.nx, ny=cell.ny, centre=point_to_wire(centre_of(cell)))


def _sky(sky: Sky | None) -> weather_pb2.Weather.Sky.ValueType:
    return weather_pb2.Weather.Sky.Value(sky.value if sky else "SKY_UNSPECIFIED")
