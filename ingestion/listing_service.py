"""The part of IngestionService that lists stations, weather and bulletins."""

from __future__ import annotations

from dataclasses import dataclass

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire

from ingestion.bulletin_listing import BulletinQuestion, list_bulletins
from ingestion.grid_weather import GridQuestion, list_grid_weather
from ingestion.listing_wire import bulletin_to_wire, grid_weather_to_wire, place_to_wire, weather_to_wire
from ingestion.station_listing import StationQuestion, list_stations
from ingestion.store.bulletins import BulletinStore
from ingestion.store.stations import StationStore
from ingestion.store.weather import WeatherStore
from ingestion.weather_listing import WeatherQuestion, list_weather
from mesh.clock import Clock
from mesh.interceptors.around import Context
from mesh.wire import point_from_wire, time_from_wire


@dataclass(frozen=True, slots=True)
class Lists:
    """What is listed."""

    stations: StationStore
    weather: WeatherStore
    bulletins: BulletinStore
    clock: Clock


class ListingService:
    """Answers for what is listed; a base of the whole service."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    async def ListStations(self, request: wire.ListStationsRequest, context: Context) -> wire.ListStationsResponse:
        """A page of stations."""
        question = StationQuestion(
            station_ids=tuple(request.station_ids),
            include_past=request.include_past,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = await list_stations(self._lists.stations, question)
        return wire.ListStationsResponse(places=map(place_to_wire, page.places), next_page_token=page.next_page_token)

    async def ListWeather(self, request: wire.ListWeatherRequest, context: Context) -> wire.ListWeatherResponse:
        """The weather at a point."""
        question = WeatherQuestion(
            point=point_from_wire(request.point),
            start=time_from_wire(request.start_time, "start_time") if request.HasField("start_time") else None,
            end=time_from_wire(request.end_time, "end_time") if request.HasField("end_time") else None,
            as_of=time_from_wire(request.as_of_time, "as_of_time") if request.HasField("as_of_time") else None,
        )
        weather = await list_weather(self._lists.weather, question, self._lists.clock)
        return wire.ListWeatherResponse(weather=map(weather_to_wire, weather))

    async def ListGridWeather(
        self, request: wire.ListGridWeatherRequest, context: Context
    ) -> wire.ListGridWeatherResponse:
        """A page of cells."""
        question = GridQuestion(
            start=time_from_wire(request.start_time, "start_time"),
            end=time_from_wire(request.end_time, "end_time"),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = await list_grid_weather(self._lists.weather, question, self._lists.clock)
        return wire.ListGridWeatherResponse(
            cells=map(grid_weather_to_wire, page.cells), next_page_token=page.next_page_token
        )

    async def ListBulletins(self, request: wire.ListBulletinsRequest, context: Context) -> wire.ListBulletinsResponse:
        """Official forecasts."""
        question = BulletinQuestion(request.start_date, request.end_date, request.include_superseded)
        bulletins = await list_bulletins(self._lists.bulletins, question, self._lists.clock)
        return wire.ListBulletinsResponse(bulletins=map(bulletin_to_wire, bulletins))
