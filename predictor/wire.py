"""What the predictor's contract alone knows, to protobuf."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cleanair.predictor.v1 import forecast_pb2, prediction_service_pb2

from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from mesh.wire import point_to_wire, pollutant_to_wire, station_to_wire, time_to_wire
from predictor.exceedance import above_grades
from predictor.forecast import Forecast
from predictor.forecast_bytes import KeptForecast
from predictor.limitation import Limitation


def forecasts_to_wire(
    forecasts: Iterable[Forecast], pollutants: Collection[Pollutant] = FORECAST_POLLUTANTS
) -> list[forecast_pb2.Forecast]:
    """Forecasts as messages, of these pollutants. Many take CPU time: call it off the event loop."""
    return [_forecast_to_wire(forecast, pollutants) for forecast in forecasts]


def kept_to_wire(kept: KeptForecast) -> prediction_service_pb2.CachedPrediction:
    """What is said of a forecast that is ready."""
    forecast = kept.forecast
    message = prediction_service_pb2.CachedPrediction(
        issue_time=time_to_wire(forecast.issue_time),
        model_version=forecast.model_version,
        end_time=time_to_wire(forecast.ends_at),
        confidence_score=forecast.confidence,
        cached_at=time_to_wire(kept.kept_at),
    )
    if isinstance(forecast.place, Station):
        message.station.CopyFrom(station_to_wire(forecast.place))
    else:
        message.point.CopyFrom(point_to_wire(forecast.place))
    return message


def _forecast_to_wire(forecast: Forecast, pollutants: Collection[Pollutant]) -> forecast_pb2.Forecast:
    message = forecast_pb2.Forecast(
        issue_time=time_to_wire(forecast.issue_time),
        model_version=forecast.model_version,
        horizon_hours=forecast.horizons,
        confidence_score=forecast.confidence,
        confidence_scores=forecast.confidences.tolist(),
        limitations=[_limitation_to_wire(limitation) for limitation in sorted(forecast.limitations)],
    )
    if isinstance(forecast.place, Station):
        message.station.CopyFrom(station_to_wire(forecast.place))
    else:
        message.point.CopyFrom(point_to_wire(forecast.place))
    above = above_grades(forecast.quantiles)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        if pollutant in pollutants:
            lower, median, upper = forecast.quantiles[:, axis].T.tolist()
            above_good, above_moderate, above_unhealthy = above[:, axis].T.tolist()
            message.series.add(
                pollutant=pollutant_to_wire(pollutant),
                lower=lower,
                median=median,
                upper=upper,
                mean=forecast.mean[:, axis].tolist(),
                above_good=above_good,
                above_moderate=above_moderate,
                above_unhealthy=above_unhealthy,
            )
    return message


def _limitation_to_wire(limitation: Limitation) -> forecast_pb2.Forecast.Limitation.ValueType:
    return forecast_pb2.Forecast.Limitation.Value(limitation.value)
