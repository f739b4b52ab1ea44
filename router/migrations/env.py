"""Runs the migrations of the router."""

from mesh import alembic_env
from router.tables import metadata

alembic_env.run(metadata, "router")
