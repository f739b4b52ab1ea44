"""The types that contracts share, to and from protobuf."""

from __future__ import annotations

from datetime import UTC, datetime

from cleanair.type.v1 import data_status_pb2, point_pb2, pollutant_pb2, station_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from air.places import Network, Point, Station
from air.pollutants import Pollutant
from air.status import DataStatus, State
from mesh.errors import InvalidInput


def time_to_wire(time: datetime) -> Timestamp:
    """An aware time as a timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


class InvalidTime(InvalidInput):
    """A timestamp that is no time of the years 1 to 9999."""

    reason = "INVALID_TIME"


def time_from_wire(stamp: Timestamp, field: str | None = None) -> datetime:
    """A timestamp as an aware time in UTC; raises InvalidTime, which names the field of the request."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except ValueError as error:
        raise InvalidTime(f"{field or 'the timestamp'} must be a time of the years 1 to 9999", field=field) from error


def point_to_wire(point: Point) -> point_pb2.Point:
    """A point as its message."""
    return point_pb2.Point(latitude=point.latitude, longitude=point.longitude)


def point_from_wire(message: point_pb2.Point) -> Point:
    """A point from its message."""
    return Point(message.latitude, message.longitude)


def pollutant_to_wire(pollutant: Pollutant) -> pollutant_pb2.Pollutant.ValueType:
    """A pollutant as its enum value."""
    return pollutant_pb2.Pollutant.Value(pollutant.value)


def pollutant_from_wire(value: pollutant_pb2.Pollutant.ValueType) -> Pollutant:
    """A pollutant from its enum value, which validation has let through."""
    return Pollutant(pollutant_pb2.Pollutant.Name(value))


def station_to_wire(station: Station) -> station_pb2.Station:
    """A station as its message."""
    network = (
        station_pb2.Station.NETWORK_UNSPECIFIED
        if station.network is Network.UNSPECIFIED
        else station_pb2.Station.Network.Value(station.network.value)
    )
    return station_pb2.Station(
        station_id=station.station_id,
        display_name=station.display_name,
        location=point_to_wire(station.location),
        network=network,
        simulated=station.simulated,
    )


def station_from_wire(message: station_pb2.Station) -> Station:
    """A station from its message; a network that this version does not know is unspecified."""
    known = message.network in station_pb2.Station.Network.values()
    name = station_pb2.Station.Network.Name(message.network) if known else ""
    return Station(
        station_id=message.station_id,
        display_name=message.display_name,
        location=point_from_wire(message.location),
        network=Network(name) if name in Network.__members__ else Network.UNSPECIFIED,
        simulated=message.simulated,
    )


def status_to_wire(status: DataStatus) -> data_status_pb2.DataStatus:
    """A data status as its message."""
    message = data_status_pb2.DataStatus(
        state=data_status_pb2.DataStatus.State.Value(status.state.name),
        reasons=status.reasons,
        simulated=status.simulated,
    )
    if status.newest_measured_at is not None:
        message.newest_measured_at.CopyFrom(time_to_wire(status.newest_measured_at))
    return message


def status_from_wire(message: data_status_pb2.DataStatus) -> DataStatus:
    """A data status from its message; a state that this version does not know is degraded."""
    known = int(message.state) in {int(state) for state in State}
    newest = time_from_wire(message.newest_measured_at) if message.HasField("newest_measured_at") else None
    return DataStatus(
        state=State(message.state) if known else State.DEGRADED,
        reasons=tuple(message.reasons),
        newest_measured_at=newest,
        simulated=message.simulated,
    )
