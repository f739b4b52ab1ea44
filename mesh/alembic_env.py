"""What every service's `migrations/env.py` runs."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData


def run(metadata: MetaData, service: str) -> None:
    """Runs the migrations on the connection that `mesh.database.upgrade` opened.

    Each service has a version table of its own, so that all three can share one PostgreSQL database.
    """
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=f"alembic_version_{service}",
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
