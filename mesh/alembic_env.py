"""What every service's `migrations/env.py` runs."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData

from mesh.database import version_table


def run(metadata: MetaData, service: str) -> None:
    """Runs the migrations on the connection that `mesh.database.upgrade` opened."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=version_table(service),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
