"""Writes readings by way of a staging table: copied into it as they are, then compared and merged in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import (
    Boolean,
    Cast,
    Column,
    ColumnElement,
    Dialect,
    Double,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    TextClause,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.dml import ReturningInsert

from ingestion.reading import Reading
from ingestion.store.reading_rows import STAGED, VALUES, VERDICTS, to_row
from ingestion.tables import air_quality_readings
from mesh.columns import UtcTime
from mesh.database import Database

_staged: Final = Table(
    "staged_readings",
    MetaData(),
    Column("ordinal", Integer, nullable=False),
    Column("station_id", String(20), nullable=False),
    Column("station_name", String(100), nullable=False),
    # Floats are copied in binary as they are; as decimals each would be spelt out on the way.
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("network", String(20), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("measured_at", UtcTime, nullable=False),
    *(Column(name, Double) for name in VALUES.values()),
    *(Column(name, Integer) for name in VERDICTS.values()),
    Column("air_quality_index", Integer),
    Column("grade", String(20)),
    Column("flags", Text().with_variant(JSONB(), "postgresql"), nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_table: Final = air_quality_readings
_known: Final = air_quality_readings.alias("known")
_IN_SPAN: Final = _known.c.measured_at.between(bindparam("oldest", type_=UtcTime), bindparam("newest", type_=UtcTime))
_SAME: Final = and_(
    _known.c.station_id == _staged.c.station_id, _known.c.measured_at == _staged.c.measured_at, _IN_SPAN
)
_ANY_HOUR: Final = select(exists().where(_IN_SPAN))
_ANY_READING: Final = select(exists().where(_SAME))
_CONTENT: Final = (*VALUES.values(), "air_quality_index", "grade", "flags")
_MERGED: Final = (*STAGED, "created_at", "updated_at", "revision", "sequence")
_KEPT_AT_CORRECTION: Final = frozenset({"station_id", "measured_at", "created_at"})


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows were new, and how many replaced another content."""

    new: int
    corrected: int


async def stage(database: Database, connection: AsyncConnection, readings: Sequence[Reading]) -> None:
    """Fills the staging table of this connection with these readings alone."""
    await connection.execute(_create_statement(connection.dialect))
    rows = [(ordinal, *to_row(reading)) for ordinal, reading in enumerate(readings)]
    if database.is_postgres:
        await database.copy(connection, _staged, rows)
        return
    await connection.execute(delete(_staged))
    names = _staged.c.keys()
    await connection.execute(_staged.insert(), [dict(zip(names, row, strict=True)) for row in rows])


async def merge(
    database: Database,
    connection: AsyncConnection,
    span: tuple[datetime, datetime],
    last_sequence: int,
    now: datetime,
    *,
    keep_known: bool,
    seen: int | None = None,
) -> Merged:
    """Inserts what is new, replaces what differs, and numbers both on from `last_sequence` in the order of staging.

    Args:
        database: Whose dialect to speak.
        connection: Where the readings have been staged.
        span: The oldest and the newest hour staged: partitions without them are not looked at.
        last_sequence: The last number given.
        now: When.
        keep_known: Leaves what is known as it is, whatever was staged.
        seen: Leaves what has changed since this number as it is; None: nothing has.
    """
    parameters = {"oldest": span[0], "newest": span[1], "last_sequence": last_sequence, "now": now}
    if not keep_known:
        parameters["seen"] = last_sequence if seen is None else seen
    if not (await connection.scalar(_ANY_HOUR, parameters) and await connection.scalar(_ANY_READING, parameters)):
        # Nobody else writes before this transaction ends, so there is nothing to compare with and no conflict to fear.
        return Merged((await connection.execute(_INSERT_ALL, parameters)).rowcount, 0)
    statement = _merge_statement(database.is_postgres, keep_known)
    if not database.is_postgres:
        revisions = (await connection.execute(statement, parameters)).scalars().all()
        new = sum(revision == 1 for revision in revisions)
        return Merged(new, len(revisions) - new)
    written = statement.cte("written")
    is_new = written.c.revision == 1
    counts = select(func.count().filter(is_new), func.count().filter(~is_new)).select_from(written)
    new, corrected = (await connection.execute(counts, parameters)).one()
    return Merged(new, corrected)


async def refresh_verdicts(
    connection: AsyncConnection, span: tuple[datetime, datetime], seen: int | None = None
) -> None:
    """Notes the checks that could be made by now, without a change of what they say: no correction, so not numbered.

    What has changed since `seen` is left as it is.
    """
    table, names = _table.c, VERDICTS.values()
    await connection.execute(
        update(_table)
        .values({name: _staged.c[name] for name in names})
        .where(
            table.station_id == _staged.c.station_id,
            table.measured_at == _staged.c.measured_at,
            table.measured_at.between(*span),
            *([] if seen is None else [table.sequence <= seen]),
            tuple_(*(table[name] for name in names)).is_distinct_from(tuple_(*(_staged.c[name] for name in names))),
        )
    )


@cache
def _create_statement(dialect: Dialect) -> TextClause:
    # As text: a statement that makes a table is put into words anew each time that it runs.
    return text(str(CreateTable(_staged, if_not_exists=True).compile(dialect=dialect)))


@cache
def _merge_statement(is_postgres: bool, keep_known: bool) -> ReturningInsert[int]:  # noqa: FBT001 - the key of a cache
    known, staged = _known.c, _staged.c
    changed: ColumnElement[bool] = known.revision.is_(None)
    if not keep_known:
        before = tuple_(*(known[name] for name in _CONTENT), *(_spoken(known[name]) for name in VERDICTS.values()))
        after = tuple_(*(_as_kept(name) for name in _CONTENT), *(_spoken(staged[name]) for name in VERDICTS.values()))
        changed |= and_(
            before.is_distinct_from(after), known.sequence <= bindparam("seen", type_=_table.c.sequence.type)
        )
    revision = func.coalesce(known.revision, 0) + 1
    number = func.row_number().over(order_by=staged.ordinal)
    source = _rows(revision, number).select_from(_staged.outerjoin(_known, _SAME)).where(changed)
    insert = (postgresql.insert(_table) if is_postgres else sqlite.insert(_table)).from_select(list(_MERGED), source)
    return insert.on_conflict_do_update(
        index_elements=[_table.c.station_id, _table.c.measured_at],
        set_={name: insert.excluded[name] for name in _MERGED if name not in _KEPT_AT_CORRECTION},
    ).returning(_table.c.revision)


def _rows(revision: ColumnElement[int], number: ColumnElement[int]) -> Select[*tuple[object, ...]]:
    now = bindparam("now", type_=UtcTime)
    last = bindparam("last_sequence", type_=_table.c.sequence.type)
    return select(*(_as_kept(name) for name in STAGED), now, now, revision, last + number)


def _as_kept(name: str) -> Column[object] | Cast[object]:
    """A staged value in the type in which it is kept: it is compared as it would come back."""
    column = _staged.c[name]
    return cast(column, _table.c[name].type) if isinstance(column.type, Double) else column


def _spoken(verdict: Column[object]) -> ColumnElement[str]:
    """What a verdict says: a check that could not be made says no more than one that passed."""
    return func.replace(cast(verdict, String), literal_column("'2'"), literal_column("'1'"))


_INSERT_ALL: Final = _table.insert().from_select(list(_MERGED), _rows(literal(1), _staged.c.ordinal + 1))
