"""Scores, to protobuf."""

from __future__ import annotations

from cleanair.predictor.v1 import prediction_service_pb2 as wire

from mesh.wire import pollutant_to_wire
from predictor.monitoring.scores import Score


def score_to_wire(score: Score) -> wire.ForecastScore:
    """A score as its message."""
    return wire.ForecastScore(
        model_version=score.version,
        pollutant=pollutant_to_wire(score.pollutant),
        horizon_hours=score.horizon,
        count=score.count,
        mean_absolute_error=score.mean_absolute_error,
        root_mean_square_error=score.root_mean_square_error,
        bias=score.bias,
        coverage=score.coverage,
        skill_persistence=score.skill_persistence,
        skill_damped_persistence=score.skill_damped_persistence,
        drift=score.drift,
    )
