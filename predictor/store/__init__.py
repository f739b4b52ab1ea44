"""The predictor's database, one concept a module; nothing else of the predictor knows SQL."""

from predictor.store.predictions import Issue, LogHead, News, Overtaken, PredictionStore, Retention

__all__ = ["Issue", "LogHead", "News", "Overtaken", "PredictionStore", "Retention"]
