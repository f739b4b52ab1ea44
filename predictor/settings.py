"""What the predictor can be told from outside."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from mesh.settings import MeshSettings


class PredictorSettings(MeshSettings):
    """The settings of the predictor, beside those of every server."""

    predictor_port: int = Field(50052, ge=0, le=65535, description="The port of the predictor; 0 takes any.")
    ingestion_target: str = Field(
        "localhost:50051",
        description="Where ingestion answers: host:port, or dns:///name:port for all replicas behind a name.",
    )
    model_path: Path | None = Field(
        None,
        description="The model file; its SHA-256 stands beside it in a file of the same name and .sha256. Unset: the"
        " model that comes with the product. Serves until an operator names another of the registry.",
    )
    model_folder: Path | None = Field(
        None,
        description="A folder with more model files, *.pt, each with its SHA-256 beside it, to be registered at start"
        " and at a reload.",
    )
    weather_poll_seconds: float = Field(
        240.0, gt=0, description="How often ingestion is asked for the weather that forecasts are made with."
    )
    window_hours: int = Field(
        336, ge=24, le=2160, description="How many hours back a forecast looks, and readings are kept for it."
    )
    prediction_retention_hours: int = Field(
        72, ge=72, le=8760, description="How long forecasts are kept after their issue time."
    )
