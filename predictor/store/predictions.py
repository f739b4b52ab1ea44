"""Reads and writes what the predictor knows: readings of the window, stations, forecasts, and where both logs stand.

What an element of the stream of readings brings, the place in the stream after it, and the forecasts made from it are
one transaction: after a crash either all of it has happened or none, so nothing is lost and nothing done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from air.places import Station
from mesh.database import Database
from predictor.forecast import Forecast, IssuedForecast
from predictor.store.rows import (
    NAMES,
    forecast_rows,
    head_row,
    issued_in,
    prediction_rows,
    reading_row,
    station_from_row,
    station_of,
    station_row,
)
from predictor.tables import prediction_heads, prediction_log, prediction_stations, predictions, reading_window
from predictor.window import Reading

_ROWS_A_STATEMENT: Final = 500
_STATIONS_A_STATEMENT: Final = 100
_PREDICTION_KEY: Final = ("station_id", "predicted_at", "prediction_horizon")


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where the predictor stands.

    Attributes:
        epoch: The name of the log of forecasts, 16 hexadecimal digits.
        sequence: The place of the last forecast issued.
        reading_token: The token of the last element of readings taken; empty before the first.
    """

    epoch: str
    sequence: int
    reading_token: str


@dataclass(frozen=True, slots=True)
class Retention:
    """What is older than this is dropped: readings, and predictions with the heads that point to them."""

    readings_before: datetime
    predictions_before: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """What a transaction added to the log of forecasts.

    Attributes:
        after: The log's last sequence before it.
        forecasts: Those that were issued, in the order of the log.
    """

    after: int
    forecasts: Sequence[IssuedForecast]


class PredictionStore:
    """The predictor's database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> LogHead:
        """Where the logs stand."""
        async with self._database.connect() as connection:
            row = (await connection.execute(select(prediction_log))).mappings().one()
        return LogHead(row["epoch"], row["sequence"], row["reading_token"])

    async def stations(self) -> dict[str, Station]:
        """All stations that have reported, by station_id."""
        async with self._database.connect() as connection:
            rows = (await connection.execute(select(prediction_stations))).mappings().all()
        return {row["station_id"]: station_from_row(row) for row in rows}

    async def readings(self, stations: Mapping[str, Station]) -> list[Reading]:
        """The readings kept, oldest first."""
        query = select(reading_window).order_by(reading_window.c.measured_at)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            Reading(
                station=stations[row["station_id"]],
                measured_at=row["measured_at"],
                values=tuple(row[name] for name in NAMES),
                revision=row["revision"],
            )
            for row in rows
        ]

    async def newest_forecasts(self, after: int = 0) -> list[IssuedForecast]:
        """The newest forecast of each station that was issued after a place in the log, in the log's order."""
        heads = prediction_heads.c
        found: list[IssuedForecast] = []
        async with self._database.connect() as connection:
            while True:
                query = select(heads.station_id).where(heads.sequence > after).order_by(heads.sequence)
                page = query.limit(_STATIONS_A_STATEMENT).subquery()
                rows = (await connection.execute(forecast_rows(page))).mappings().all()
                if not rows:
                    return found
                found += issued_in(rows)
                after = found[-1].sequence

    async def outdated_models(self, sha256: str) -> bool:
        """True when any newest forecast was made by another model than the file with this SHA-256."""
        query = select(prediction_heads.c.station_id).where(prediction_heads.c.model_sha256 != sha256).limit(1)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def record(
        self,
        readings: Sequence[Reading],
        forecasts: Sequence[Forecast],
        *,
        reading_token: str,
        model_sha256: str,
        now: datetime,
        retention: Retention | None,
    ) -> Issue:
        """Stores an element of readings, its token, and the forecasts that they led to.

        An element that was stored before (by another replica, or before its token was lost) changes nothing, and so
        issues nothing.

        Args:
            readings: One a station and hour.
            forecasts: Made with these readings, one a station.
            reading_token: Stands for the stream of readings up to here.
            model_sha256: Of the model that forecast.
            now: For `created_at`.
            retention: What to drop, if it is time to.
        """
        async with self._database.begin() as connection:
            after = await self._take_turn(connection, reading_token)
            changed = await self._save_readings(connection, readings)
            await self._save_stations(connection, {r.station.station_id: r.station for r in readings})
            issued = await self._issue(connection, forecasts if changed else [], model_sha256, now)
            if retention is not None:
                await self._drop(connection, retention)
        return Issue(after, issued)

    async def reissue(self, forecasts: Sequence[Forecast], *, model_sha256: str, now: datetime) -> Issue:
        """Stores forecasts that another model made from the readings already here."""
        async with self._database.begin() as connection:
            after = await self._take_turn(connection, None)
            issued = await self._issue(connection, forecasts, model_sha256, now)
        return Issue(after, issued)

    async def forget_reading_token(self) -> None:
        """Starts the stream of readings over: its log is another one, whose revisions count from the beginning."""
        async with self._database.begin() as connection:
            await self._take_turn(connection, "")
            await connection.execute(update(reading_window).values(revision=0))

    async def _take_turn(self, connection: AsyncConnection, reading_token: str | None) -> int:
        """Writes to the one row, so that writers take turns until they commit; returns the log's last sequence.

        So a lower sequence is always visible before a higher one, and no follower can pass over one committed late.
        """
        token = prediction_log.c.reading_token if reading_token is None else reading_token
        turn = update(prediction_log).values(reading_token=token).returning(prediction_log.c.sequence)
        sequence: int = (await connection.execute(turn)).scalar_one()
        return sequence

    async def _save_readings(self, connection: AsyncConnection, readings: Sequence[Reading]) -> set[str]:
        """Upserts readings; returns the stations of which any was new or other than before."""
        stored, insert = reading_window.c, self._database.insert(reading_window)
        differs = or_(*(stored[name].is_distinct_from(insert.excluded[name]) for name in NAMES))
        upsert = insert.on_conflict_do_update(
            index_elements=[stored.station_id, stored.measured_at],
            set_={name: insert.excluded[name] for name in (*NAMES, "revision")},
            where=and_(differs, insert.excluded.revision >= stored.revision),
        ).returning(stored.station_id)
        changed: set[str] = set()
        for start in range(0, len(readings), _ROWS_A_STATEMENT):
            rows = [reading_row(reading) for reading in readings[start : start + _ROWS_A_STATEMENT]]
            changed.update((await connection.execute(upsert, rows)).scalars())
        return changed

    async def _save_stations(self, connection: AsyncConnection, stations: Mapping[str, Station]) -> None:
        if not stations:
            return
        insert = self._database.insert(prediction_stations)
        rows = [station_row(station) for station in stations.values()]
        others = [name for name in rows[0] if name != "station_id"]
        upsert = insert.on_conflict_do_update(
            index_elements=[prediction_stations.c.station_id],
            set_={name: insert.excluded[name] for name in others},
        )
        await connection.execute(upsert, rows)

    async def _issue(
        self, connection: AsyncConnection, forecasts: Sequence[Forecast], model_sha256: str, now: datetime
    ) -> list[IssuedForecast]:
        """Adds forecasts to the log, but for stations that have one of a later issue time."""
        heads = prediction_heads.c
        stored = await connection.execute(select(heads.station_id, heads.issue_time))
        later: dict[str, datetime] = {row.station_id: row.issue_time for row in stored}
        fresh = [
            (station, forecast)
            for forecast in forecasts
            if (station := station_of(forecast)).station_id not in later
            or later[station.station_id] <= forecast.issue_time
        ]
        if not fresh:
            return []
        grown = update(prediction_log).values(sequence=prediction_log.c.sequence + len(fresh))
        last: int = (await connection.execute(grown.returning(prediction_log.c.sequence))).scalar_one()
        issued = [
            IssuedForecast(forecast, station, last - len(fresh) + place)
            for place, (station, forecast) in enumerate(fresh, start=1)
        ]
        for start in range(0, len(issued), _STATIONS_A_STATEMENT):
            await self._save_predictions(connection, issued[start : start + _STATIONS_A_STATEMENT], now)
        await self._save_heads(connection, issued, model_sha256)
        return issued

    async def _save_predictions(
        self, connection: AsyncConnection, issued: Sequence[IssuedForecast], now: datetime
    ) -> None:
        insert = self._database.insert(predictions)
        rows = [row for one in issued for row in prediction_rows(one, now)]
        upsert = insert.on_conflict_do_update(
            index_elements=[predictions.c[name] for name in _PREDICTION_KEY],
            set_={name: insert.excluded[name] for name in rows[0] if name not in _PREDICTION_KEY},
        )
        await connection.execute(upsert, rows)

    async def _save_heads(
        self, connection: AsyncConnection, issued: Sequence[IssuedForecast], model_sha256: str
    ) -> None:
        insert = self._database.insert(prediction_heads)
        rows = [head_row(one, model_sha256) for one in issued]
        upsert = insert.on_conflict_do_update(
            index_elements=[prediction_heads.c.station_id],
            set_={name: insert.excluded[name] for name in rows[0] if name != "station_id"},
        )
        await connection.execute(upsert, rows)

    async def _drop(self, connection: AsyncConnection, retention: Retention) -> None:
        readings, heads = reading_window.c.measured_at, prediction_heads.c.issue_time
        await connection.execute(delete(reading_window).where(readings < retention.readings_before))
        await connection.execute(delete(prediction_heads).where(heads < retention.predictions_before))
        await connection.execute(delete(predictions).where(predictions.c.predicted_at < retention.predictions_before))
