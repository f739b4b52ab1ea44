"""The predictor's database, one concept a module; nothing else of the predictor knows SQL."""

from predictor.store.predictions import Issue, LogHead, PredictionStore, Retention

__all__ = ["Issue", "LogHead", "PredictionStore", "Retention"]
