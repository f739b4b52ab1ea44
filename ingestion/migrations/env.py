"""Runs the migrations of the ingestion service."""

from ingestion.tables import metadata
from mesh import alembic_env

alembic_env.run(metadata, "ingestion")
