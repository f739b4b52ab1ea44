"""Reads and writes what the predictor knows: readings of the window, stations, forecasts, and where both logs stand.

What an element of the stream of readings brings, the place in the stream after it, and the forecasts made from it are
one transaction: after a crash either all of it has happened or none, so nothing is lost and nothing done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from air.places import Station
from mesh.database import Database
from predictor.forecast import Forecast, IssuedForecast
from predictor.keeping import KeptLearning
from predictor.serving import Step
from predictor.store.learning import drop_pending, load_learning, save_learning
from predictor.store.prediction_writing import save_predictions
from predictor.store.rows import (
    NAMES,
    forecast_rows,
    head_row,
    issued_in,
    reading_row,
    station_from_row,
    station_of,
    station_row,
)
from predictor.store.scores import add_scores, drop_scores
from predictor.tables import prediction_heads, prediction_log, prediction_stations, predictions, reading_window
from predictor.window import Reading

_ROWS_A_STATEMENT: Final = 500
_STATIONS_A_STATEMENT: Final = 100


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where the predictor stands.

    Attributes:
        epoch: The name of the log of forecasts, 16 hexadecimal digits.
        sequence: The place of the last forecast issued.
        reading_token: The token of the last element of readings taken; empty before the first.
        generation: How often has changed what forecasts are made from.
    """

    epoch: str
    sequence: int
    reading_token: str
    generation: int


class Overtaken(Exception):
    """Another replica has stored something meanwhile: what was made without it must be made again."""


@dataclass(frozen=True, slots=True)
class News:
    """What has been stored since a generation.

    Attributes:
        head: Where the logs stood before the rest was read.
        stations: All that have ever reported, by station_id.
        readings: Those that are new or other than before, oldest first.
        learning: The same of what models have learnt and said.
    """

    head: LogHead
    stations: Mapping[str, Station]
    readings: Sequence[Reading]
    learning: KeptLearning


@dataclass(frozen=True, slots=True)
class Retention:
    """What is older than this is dropped: readings, predictions with the heads that point to them, and so on."""

    readings_before: datetime
    predictions_before: datetime
    pending_before: datetime
    scores_before: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """What a transaction added to the log of forecasts.

    Attributes:
        after: The log's last sequence before it.
        forecasts: Those that were issued, in the order of the log.
        generation: That of what is stored now; the same as before when the transaction changed nothing.
    """

    after: int
    forecasts: Sequence[IssuedForecast]
    generation: int


class PredictionStore:
    """The predictor's database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> LogHead:
        """Where the logs stand."""
        async with self._database.connect() as connection:
            return _head((await connection.execute(select(prediction_log))).mappings().one())

    async def news(self, models: Collection[str], *, after_generation: int = -1) -> News:
        """What has been stored after a generation; all when none is named.

        What is stored meanwhile may be among it, in part: only what its head stands for is sure to be whole.
        """
        rows = reading_window.c
        query = select(reading_window).where(rows.generation > after_generation).order_by(rows.measured_at)
        async with self._database.connect() as connection:
            head = _head((await connection.execute(select(prediction_log))).mappings().one())
            stations = {
                row["station_id"]: station_from_row(row)
                for row in (await connection.execute(select(prediction_stations))).mappings()
            }
            readings = [
                Reading(
                    station=stations[row["station_id"]],
                    measured_at=row["measured_at"],
                    values=tuple(row[name] for name in NAMES),
                    revision=row["revision"],
                )
                for row in (await connection.execute(query)).mappings()
                if row["station_id"] in stations
            ]
            learning = await load_learning(connection, models, after_generation=after_generation)
        return News(head, stations, readings, learning)

    async def learning(self, models: Collection[str]) -> KeptLearning:
        """All that is kept of these models, by SHA-256."""
        async with self._database.connect() as connection:
            return await load_learning(connection, models, after_generation=-1)

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
        step: Step,
        *,
        reading_token: str,
        generation: int,
        now: datetime,
    ) -> Issue:
        """Stores an element of readings, its token, and all that it led to.

        An element that was stored before (its token was lost, or it is told once more) changes nothing, and so issues
        nothing and teaches nothing.

        Args:
            readings: One a station and hour.
            step: What they led to.
            reading_token: Stands for the stream of readings up to here.
            generation: That of what the step was made from.
            now: For `created_at`.

        Raises:
            Overtaken: The generation is another one by now: nothing was stored.
        """
        async with self._database.begin() as connection:
            turn = await self._take_turn(connection, reading_token)
            if turn.generation != generation:
                raise Overtaken
            changed = await self._save_readings(connection, readings, generation + 1)
            await self._save_stations(connection, {r.station.station_id: r.station for r in readings})
            issued = await self._save_step(connection, step, turn, now) if changed else []
        return Issue(turn.sequence, issued, generation + bool(changed))

    async def reissue(self, step: Step, *, generation: int, now: datetime) -> Issue:
        """Stores forecasts that were made anew from the readings already here. Raises Overtaken."""
        async with self._database.begin() as connection:
            turn = await self._take_turn(connection, None)
            if turn.generation != generation:
                raise Overtaken
            issued = await self._save_step(connection, step, turn, now)
        return Issue(turn.sequence, issued, generation + 1)

    async def _save_step(
        self, connection: AsyncConnection, step: Step, turn: LogHead, now: datetime
    ) -> list[IssuedForecast]:
        """Stores what a step has led to, as the next generation."""
        generation = turn.generation + 1
        await connection.execute(update(prediction_log).values(generation=generation))
        await save_learning(connection, self._database, step.kept, generation)
        await add_scores(connection, self._database, step.scores)
        return await self._issue(connection, step.forecasts, step.told_by, now)

    async def forget_reading_token(self) -> None:
        """Starts the stream of readings over: its log is another one, whose revisions count from the beginning."""
        async with self._database.begin() as connection:
            await self._take_turn(connection, "")
            await connection.execute(update(reading_window).values(revision=0))

    async def _take_turn(self, connection: AsyncConnection, reading_token: str | None) -> LogHead:
        """Writes to the one row, so that writers take turns until they commit; returns where the logs stand.

        So a lower sequence is always visible before a higher one, and no follower can pass over one committed late.
        """
        token = prediction_log.c.reading_token if reading_token is None else reading_token
        turn = update(prediction_log).values(reading_token=token).returning(*prediction_log.c)
        return _head((await connection.execute(turn)).mappings().one())

    async def _save_readings(
        self, connection: AsyncConnection, readings: Sequence[Reading], generation: int
    ) -> set[str]:
        """Upserts readings; returns the stations of which any was new or other than before."""
        stored, insert = reading_window.c, self._database.insert(reading_window)
        differs = or_(*(stored[name].is_distinct_from(insert.excluded[name]) for name in NAMES))
        upsert = insert.on_conflict_do_update(
            index_elements=[stored.station_id, stored.measured_at],
            set_={name: insert.excluded[name] for name in (*NAMES, "revision", "generation")},
            where=and_(differs, insert.excluded.revision >= stored.revision),
        ).returning(stored.station_id)
        changed: set[str] = set()
        for start in range(0, len(readings), _ROWS_A_STATEMENT):
            part = readings[start : start + _ROWS_A_STATEMENT]
            rows = [reading_row(reading) | {"generation": generation} for reading in part]
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
            IssuedForecast(forecast, station, last - len(fresh) + place, now)
            for place, (station, forecast) in enumerate(fresh, start=1)
        ]
        await save_predictions(connection, self._database, issued, now)
        await self._save_heads(connection, issued, model_sha256)
        return issued

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

    async def drop(self, retention: Retention) -> None:
        """Drops what is old. Not together with what is new, which is waited for."""
        readings, heads = reading_window.c.measured_at, prediction_heads.c.issue_time
        async with self._database.begin() as connection:
            await self._take_turn(connection, None)
            await connection.execute(delete(reading_window).where(readings < retention.readings_before))
            await connection.execute(delete(prediction_heads).where(heads < retention.predictions_before))
            old = predictions.c.predicted_at < retention.predictions_before
            await connection.execute(delete(predictions).where(old))
            await drop_pending(connection, retention.pending_before)
            await drop_scores(connection, retention.scores_before)


def _head(row: RowMapping) -> LogHead:
    return LogHead(row["epoch"], row["sequence"], row["reading_token"], row["generation"])
