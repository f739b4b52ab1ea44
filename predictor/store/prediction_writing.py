"""Writes the hours of forecasts: thousands of rows at once, whenever an hour's readings have come.

Past SQLAlchemy, which would look at each of the cells in Python: PostgreSQL copies them into a staging table and merges
that in one statement, SQLite takes them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Final, TypeAlias

import numpy as np
from sqlalchemy import Column, Dialect, Double, Integer, MetaData, String, Table, TextClause, cast, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from mesh.columns import UtcTime
from mesh.database import Database
from predictor.forecast import IssuedForecast
from predictor.store.rows import MEANS, QUANTILES
from predictor.tables import predictions

_KEY: Final = ("station_id", "predicted_at", "prediction_horizon")
_VALUES: Final = (*(name for names in QUANTILES for name in names), *MEANS)
_staged: Final = Table(
    "staged_predictions",
    MetaData(),
    Column("station_id", String(20), nullable=False),
    Column("predicted_at", UtcTime, nullable=False),
    Column("prediction_horizon", Integer, nullable=False),
    Column("model_version", String(50), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # Floats are copied in binary as they are; as decimals each would be spelt out on the way.
    Column("confidence_score", Double),
    *(Column(name, Double) for name in _VALUES),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_NAMES: Final = tuple(_staged.c.keys())

_Row: TypeAlias = tuple[str | float | datetime, ...]


async def save_predictions(
    connection: AsyncConnection, database: Database, issued: Sequence[IssuedForecast], now: datetime
) -> None:
    """Puts forecasts in the place of what was said of the same stations at the same times."""
    if database.is_postgres:
        await connection.execute(_create_statement(connection.dialect))
        rows = [row for one in issued for row in _rows(one, one.forecast.issue_time, now)]
        await database.copy(connection, _staged, rows)
        await connection.execute(_merge_statement())
        return
    statement, in_order = _upsert_statement(connection.dialect)
    rows = [in_order(row) for one in issued for row in _rows(one, _kept(one.forecast.issue_time), _kept(now))]
    await connection.exec_driver_sql(statement, rows)


def _rows(issued: IssuedForecast, issue_time: str | datetime, created_at: str | datetime) -> list[_Row]:
    """A row an hour ahead, its cells in the order of _NAMES."""
    forecast, station_id = issued.forecast, issued.station.station_id
    hours = len(forecast.horizons)
    values = [forecast.confidences[:, None], forecast.quantiles.reshape(hours, -1), forecast.mean]
    return [
        (station_id, issue_time, horizon, forecast.model_version, created_at, *cells)
        for horizon, cells in zip(forecast.horizons, np.concatenate(values, axis=1).tolist(), strict=True)
    ]


def _kept(time: datetime) -> str:
    """A time as SQLAlchemy keeps it in SQLite."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@cache
def _create_statement(dialect: Dialect) -> TextClause:
    # As text: a statement that makes a table is put into words anew each time that it runs.
    return text(str(CreateTable(_staged, if_not_exists=True).compile(dialect=dialect)))


@cache
def _merge_statement() -> postgresql.Insert:
    source = select(*(cast(_staged.c[name], predictions.c[name].type) for name in _NAMES))
    insert = postgresql.insert(predictions).from_select(list(_NAMES), source)
    return insert.on_conflict_do_update(
        index_elements=[predictions.c[name] for name in _KEY],
        set_={name: insert.excluded[name] for name in _NAMES if name not in _KEY},
    )


@cache
def _upsert_statement(dialect: Dialect) -> tuple[str, itemgetter[_Row]]:
    """The statement, and what puts a row's cells in its order."""
    insert = sqlite.insert(predictions)
    upsert = insert.on_conflict_do_update(
        index_elements=[predictions.c[name] for name in _KEY],
        set_={name: insert.excluded[name] for name in _NAMES if name not in _KEY},
    )
    compiled = upsert.compile(dialect=dialect, column_keys=_NAMES)
    names = compiled.positiontup
    if names is None:
        raise TypeError("SQLite takes parameters by their place")
    return str(compiled), itemgetter(*(_NAMES.index(name) for name in names))
