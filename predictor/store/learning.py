"""Keeps what the models in service have learnt, and their forecasts that are still to come true."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.database import Database
from predictor.keeping import KeptCalibration, KeptIssue, KeptLearning
from predictor.tables import calibrations, pending_forecasts
from predictor.window import hour_of, time_of


async def save_learning(connection: AsyncConnection, database: Database, kept: KeptLearning, generation: int) -> None:
    """Puts what a step left of each model in the place of what was there."""
    learned = [
        {
            "sha256": one.sha256,
            "learned_until": time_of(one.learned_until),
            "content": one.content,
            "generation": generation,
        }
        for one in kept.calibrations
    ]
    if learned:
        insert = database.insert(calibrations)
        others = {name: insert.excluded[name] for name in ("learned_until", "content", "generation")}
        upsert = insert.on_conflict_do_update(index_elements=[calibrations.c.sha256], set_=others)
        await connection.execute(upsert, learned)
    issues = [
        {
            "sha256": one.sha256,
            "issue_time": time_of(one.issue_hour),
            "content": one.content,
            "generation": generation,
        }
        for one in kept.issues
    ]
    if issues:
        stored, insert = pending_forecasts.c, database.insert(pending_forecasts)
        others = {name: insert.excluded[name] for name in ("content", "generation")}
        upsert = insert.on_conflict_do_update(index_elements=[stored.sha256, stored.issue_time], set_=others)
        await connection.execute(upsert, issues)


async def load_learning(
    connection: AsyncConnection, sha256s: Collection[str], *, after_generation: int
) -> KeptLearning:
    """What has been kept of these models since a generation."""
    learned, issues = calibrations.c, pending_forecasts.c
    of_calibrations = select(learned.sha256, learned.learned_until, learned.content).where(
        learned.sha256.in_(sha256s), learned.generation > after_generation
    )
    of_issues = (
        select(issues.sha256, issues.issue_time, issues.content)
        .where(issues.sha256.in_(sha256s), issues.generation > after_generation)
        .order_by(issues.issue_time)
    )
    return KeptLearning(
        [
            KeptCalibration(row.sha256, hour_of(row.learned_until), row.content)
            for row in await connection.execute(of_calibrations)
        ],
        [KeptIssue(row.sha256, hour_of(row.issue_time), row.content) for row in await connection.execute(of_issues)],
    )


async def drop_pending(connection: AsyncConnection, before: datetime) -> None:
    """Drops what was said so long ago that all of its hours are past."""
    await connection.execute(delete(pending_forecasts).where(pending_forecasts.c.issue_time < before))
