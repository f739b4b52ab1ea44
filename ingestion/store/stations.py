"""Where stations stand and have stood, in a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import RowMapping, bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from air.places import Network, Point, Station
from ingestion.station import ListedStation, StationChanges, StationPlace, changes_of
from ingestion.tables import stations
from mesh.database import Database

_table: Final = stations.c
_current: Final = _table.valid_to.is_(None)

_ROWS_A_STATEMENT: Final = 500

_Cell: TypeAlias = str | float | bool | datetime | None


class StationStore:
    """The stations in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def observe(
        self, feed: str, listed: Sequence[ListedStation], now: datetime, *, is_past: bool = False
    ) -> StationChanges:
        """Keeps what a feed's list says that was not known; all or nothing.

        Of the past it keeps only stations that are not known at all. A station that has left the list may still
        report: it stays where it was known last.
        """
        async with self._database.begin() as connection:
            # Of all feeds: an id has one owner.
            rows = (await connection.execute(select(stations).where(_current))).mappings().all()
            known = {row["station_id"]: _from_row(row) for row in rows}
            changes = changes_of(listed, feed, known, is_past=is_past)
            ids: dict[str, int] = {row["station_id"]: row["id"] for row in rows}
            moved = [move.now for move in changes.moved]
            await self._leave(connection, [ids[one.station.station_id] for one in moved], now)
            await self._settle(connection, feed, [*changes.new, *moved], now)
            await self._rename(connection, {ids[one.station.station_id]: one for one in changes.renamed})
        return changes

    async def current(self, feed: str | None = None) -> Sequence[StationPlace]:
        """Where the stations of a feed, or of all, stand now; by station."""
        query = select(stations).where(_current).order_by(_table.station_id)
        if feed is not None:
            query = query.where(_table.feed == feed)
        async with self._database.connect() as connection:
            return [_from_row(row) for row in (await connection.execute(query)).mappings()]

    async def history(self, station_id: str) -> Sequence[StationPlace]:
        """Where one station has stood, oldest first."""
        return await self.places(1000, station_ids=[station_id], include_past=True)

    async def places(
        self,
        limit: int,
        *,
        station_ids: Collection[str] = (),
        include_past: bool = False,
        after: tuple[str, datetime] | None = None,
    ) -> Sequence[StationPlace]:
        """The first `limit` places, by station, then time.

        Args:
            limit: How many at most.
            station_ids: Only of these stations; of all when empty.
            include_past: Places where stations once stood, too.
            after: Only what comes after this station and `valid_from` in that order.
        """
        order = (_table.station_id, _table.valid_from)
        query = select(stations).order_by(*order).limit(limit)
        if station_ids:
            query = query.where(_table.station_id.in_(station_ids))
        if not include_past:
            query = query.where(_current)
        if after is not None:
            query = query.where(tuple_(*order) > tuple_(*after, types=[column.type for column in order]))
        async with self._database.connect() as connection:
            return [_from_row(row) for row in (await connection.execute(query)).mappings()]

    async def _leave(self, connection: AsyncConnection, places: Sequence[int], now: datetime) -> None:
        for start in range(0, len(places), _ROWS_A_STATEMENT):
            batch = places[start : start + _ROWS_A_STATEMENT]
            # Another replica may have read the same list at the same time: what it has noted stands.
            leave = update(stations).where(_table.id.in_(batch), _current)
            await connection.execute(leave.values(valid_to=now))

    async def _settle(
        self, connection: AsyncConnection, feed: str, settled: Sequence[ListedStation], now: datetime
    ) -> None:
        if settled:
            insert = self._database.insert(stations).on_conflict_do_nothing(
                index_elements=[_table.station_id], index_where=_current
            )
            rows = [{**_to_row(one), "feed": feed, "valid_from": now} for one in settled]
            await connection.execute(insert, rows)

    async def _rename(self, connection: AsyncConnection, renamed: Mapping[int, ListedStation]) -> None:
        if renamed:
            rename = update(stations).where(_table.id == bindparam("place"))
            await connection.execute(rename, [{**_to_row(one), "place": place} for place, one in renamed.items()])


def _to_row(listed: ListedStation) -> Mapping[str, _Cell]:
    station = listed.station
    return {
        "station_id": station.station_id,
        "display_name": station.display_name,
        "address": listed.address,
        "latitude": station.location.latitude,
        "longitude": station.location.longitude,
        "network": station.network.value,
        "simulated": station.simulated,
    }


def _from_row(row: RowMapping) -> StationPlace:
    station = Station(
        station_id=row["station_id"],
        display_name=row["display_name"],
        location=Point(float(row["latitude"]), float(row["longitude"])),
        network=Network(row["network"]),
        simulated=row["simulated"],
    )
    return StationPlace(row["feed"], ListedStation(station, row["address"]), row["valid_from"], row["valid_to"])
