"""Reads and writes the registry of models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from mesh.database import Database
from predictor.registry_entry import Alias, Named, RegisteredModel
from predictor.tables import model_aliases, models


class RegistryStore:
    """The registry's tables. All methods raise mesh.database.DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def models(self) -> list[RegisteredModel]:
        """All that have ever passed their checks, newest first."""
        query = select(models).order_by(models.c.registered_at.desc(), models.c.version)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [RegisteredModel(**row) for row in rows]

    async def aliases(self) -> dict[Alias, Named]:
        """Which model is what."""
        async with self._database.connect() as connection:
            rows = (await connection.execute(select(model_aliases))).mappings().all()
        return {Alias(row["alias"]): Named(row["sha256"], row["since"], row["pinned"]) for row in rows}

    async def register(self, passed: Sequence[RegisteredModel]) -> None:
        """Adds models; of those that are known already, file and metrics are brought up to date."""
        if not passed:
            return
        insert = self._database.insert(models)
        rows = [
            {
                "sha256": one.sha256,
                "version": one.version,
                "family": one.family,
                "file": one.file,
                "metrics": dict(one.metrics),
                "registered_at": one.registered_at,
            }
            # In one order for all, so that replicas that start at once wait for each other and not in a ring.
            for one in sorted(passed, key=lambda model: model.sha256)
        ]
        upsert = insert.on_conflict_do_update(
            index_elements=[models.c.sha256],
            set_={name: insert.excluded[name] for name in ("file", "metrics")},
        )
        async with self._database.begin() as connection:
            await connection.execute(upsert, rows)

    async def name(self, named: Mapping[Alias, Named], *, empty: Collection[Alias] = ()) -> None:
        """Lets aliases stand for these models, and others for none, at once for all replicas."""
        insert = self._database.insert(model_aliases)
        upsert = insert.on_conflict_do_update(
            index_elements=[model_aliases.c.alias],
            set_={column: insert.excluded[column] for column in ("sha256", "since", "pinned")},
        )
        rows: list[dict[str, str | datetime | bool]] = [
            {"alias": alias.value, "sha256": one.sha256, "since": one.since, "pinned": one.pinned}
            for alias, one in named.items()
        ]
        async with self._database.begin() as connection:
            if empty:
                gone = [alias.value for alias in empty]
                await connection.execute(delete(model_aliases).where(model_aliases.c.alias.in_(gone)))
            if rows:
                await connection.execute(upsert, rows)
