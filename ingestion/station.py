"""Stations as their network lists them, and the places where they have stood: stations move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from air.geodesy import distance_m
from air.places import Point, Station

SAME_PLACE_METERS: Final = 20.0
"""Nearer than this is the same place: a list's coordinates are rewritten now and then, and no roof is left for it."""


@dataclass(frozen=True, slots=True)
class ListedStation:
    """A station as its network lists it now; the address is empty where none is given."""

    station: Station
    address: str = ""


@dataclass(frozen=True, slots=True)
class StationPlace:
    """A station at a place.

    Attributes:
        feed: The feed that brought it; a station belongs to the one that brought it first.
        listed: The station as it was there.
        valid_from: Since when it has been known there.
        valid_to: When it was known elsewhere; None while it stands there.
    """

    feed: str
    listed: ListedStation
    valid_from: datetime
    valid_to: datetime | None = None

    @property
    def station(self) -> Station:
        """The station as it was there."""
        return self.listed.station


@dataclass(frozen=True, slots=True)
class Move:
    """A station that is listed elsewhere than it was known to stand."""

    before: StationPlace
    now: ListedStation

    @property
    def station_id(self) -> str:
        """The station."""
        return self.now.station.station_id

    @property
    def meters(self) -> float:
        """How far it moved."""
        return meters_between(self.before.station.location, self.now.station.location)


@dataclass(frozen=True, slots=True)
class StationChanges:
    """What a list says that was not known before.

    Attributes:
        new: Stations that were not known.
        moved: Known stations that are listed elsewhere now.
        renamed: Known stations at their known place, of which something else has changed.
        foreign: Ids that belong to another feed; nothing is to become of them.
    """

    new: tuple[ListedStation, ...] = ()
    moved: tuple[Move, ...] = ()
    renamed: tuple[ListedStation, ...] = ()
    foreign: tuple[str, ...] = ()


def changes_of(
    listed: Iterable[ListedStation], feed: str, known: Mapping[str, StationPlace], *, is_past: bool = False
) -> StationChanges:
    """What a feed's list says that is not `known`, the current places by station. The last of doubles stands.

    Where a station stood in the past says nothing of where a known one stands now.
    """
    new: list[ListedStation] = []
    moves: list[Move] = []
    renamed: list[ListedStation] = []
    foreign: list[str] = []
    for station_id, now in {one.station.station_id: one for one in listed}.items():
        before = known.get(station_id)
        if before is None:
            new.append(now)
        elif before.feed != feed:
            foreign.append(station_id)
        elif is_past:
            continue
        elif meters_between(before.station.location, now.station.location) >= SAME_PLACE_METERS:
            moves.append(Move(before, now))
        elif before.listed != (here := _at(before.station.location, now)):
            renamed.append(here)
    return StationChanges(tuple(new), tuple(moves), tuple(renamed), tuple(foreign))


def meters_between(start: Point, end: Point) -> float:
    """The distance of two points along the ground."""
    distance = distance_m(
        np.array(start.latitude), np.array(start.longitude), np.array(end.latitude), np.array(end.longitude)
    )
    return float(distance)


def _at(location: Point, listed: ListedStation) -> ListedStation:
    """The station at the place where it is known to stand, so that small steps never add up to an unseen move."""
    return replace(listed, station=replace(listed.station, location=location))
