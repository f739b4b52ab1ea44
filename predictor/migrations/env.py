"""Runs the migrations of the predictor."""

from mesh import alembic_env
from predictor.tables import metadata

alembic_env.run(metadata, "predictor")
