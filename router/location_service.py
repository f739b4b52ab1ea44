"""LocationService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

from typing import Final

from cleanair.router.v1 import location_pb2, location_service_pb2_grpc
from cleanair.router.v1 import location_service_pb2 as wire

from air.places import Point
from mesh.interceptors.around import Context
from mesh.wire import point_from_wire, point_to_wire
from router.geocoding.geocoder import Wanted
from router.locations import Locations
from router.places.place import FoundPlace, Kind

FULL_NAME: Final = wire.DESCRIPTOR.services_by_name["LocationService"].full_name

_KINDS: Final = {
    kind: location_pb2.Location.Kind.Value("KIND_UNSPECIFIED" if kind is Kind.OTHER else kind.name) for kind in Kind
}
_FROM_WIRE: Final = {value: kind for kind, value in _KINDS.items()}
_PAGE_SIZE: Final = 10
_PLACE_DECIMALS: Final = 7
_METER_DECIMALS: Final = 1
_SCORE_DECIMALS: Final = 3


class LocationService(location_service_pb2_grpc.LocationServiceServicer):
    """Answers for places."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations

    async def SearchLocations(
        self, request: wire.SearchLocationsRequest, context: Context
    ) -> wire.SearchLocationsResponse:
        """Places by name."""
        near = point_from_wire(request.near) if request.HasField("near") else None
        most = request.page_size if request.HasField("page_size") else _PAGE_SIZE
        kinds = [_FROM_WIRE[kind] for kind in request.kinds]
        found = await self._locations.search(Wanted(request.query, near, most), kinds)
        return wire.SearchLocationsResponse(locations=[_to_wire(each) for each in found])

    async def ReverseGeocode(
        self, request: wire.ReverseGeocodeRequest, context: Context
    ) -> wire.ReverseGeocodeResponse:
        """What is at a point."""
        here = await self._locations.at(point_from_wire(request.point))
        return wire.ReverseGeocodeResponse(locations=[_to_wire(each) for each in here.places], street=here.street)


def _to_wire(found: FoundPlace) -> location_pb2.Location:
    place = found.place
    rounded = Point(round(place.point.latitude, _PLACE_DECIMALS), round(place.point.longitude, _PLACE_DECIMALS))
    return location_pb2.Location(
        name=place.name,
        name_en=place.name_en,
        address=place.address,
        kind=_KINDS[place.kind],
        point=point_to_wire(rounded),
        distance_meters=None if found.distance_m is None else round(found.distance_m, _METER_DECIMALS),
        match_score=None if found.match_score is None else round(found.match_score, _SCORE_DECIMALS),
        source=found.source,
    )
