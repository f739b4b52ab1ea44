"""Forecasts at points as bytes, to be kept for as long as they hold."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from air.places import Point, Station
from air.pollutants import FORECAST_POLLUTANTS
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.models.axes import QUANTILES

_LENGTH: Final = struct.Struct("<I")
_POLLUTANTS: Final = len(FORECAST_POLLUTANTS)


@dataclass(frozen=True, slots=True, eq=False)
class KeptForecast:
    """A forecast at a point, and when it was put where it is kept."""

    forecast: Forecast
    kept_at: datetime


def to_bytes(kept: KeptForecast) -> bytes:
    """What `from_bytes` reads: a length, that many bytes of JSON, and a row of numbers an hour.

    Raises TypeError for a station's forecast.
    """
    forecast = kept.forecast
    if isinstance(forecast.place, Station):
        raise TypeError("only forecasts at points are kept as bytes")
    described = {
        "point": [forecast.place.latitude, forecast.place.longitude],
        "issue_time": forecast.issue_time.isoformat(),
        "model_version": forecast.model_version,
        "horizons": [forecast.horizons.start, forecast.horizons.stop],
        "newest_measured_at": forecast.newest_measured_at and forecast.newest_measured_at.isoformat(),
        "limitations": sorted(forecast.limitations),
        "kept_at": kept.kept_at.isoformat(),
    }
    head = json.dumps(described).encode()
    hours = len(forecast.horizons)
    numbers = np.hstack([forecast.quantiles.reshape(hours, -1), forecast.mean, forecast.confidences[:, None]])
    return _LENGTH.pack(len(head)) + head + numbers.astype("<f8").tobytes()


def from_bytes(content: bytes) -> KeptForecast:
    """As it was kept. Raises ValueError for what `to_bytes` did not write, or another version of it."""
    try:
        (length,) = _LENGTH.unpack_from(content)
        described = json.loads(content[_LENGTH.size : _LENGTH.size + length])
        horizons, measured = range(*described["horizons"]), described["newest_measured_at"]
        numbers = np.frombuffer(content, dtype="<f8", offset=_LENGTH.size + length).reshape(len(horizons), -1)
        values = _POLLUTANTS * len(QUANTILES)
        quantiles, mean, confidences = np.split(numbers, [values, values + _POLLUTANTS], axis=1)
        forecast = Forecast(
            place=Point(*described["point"]),
            issue_time=datetime.fromisoformat(described["issue_time"]),
            model_version=described["model_version"],
            horizons=horizons,
            quantiles=quantiles.reshape(len(horizons), _POLLUTANTS, len(QUANTILES)),
            mean=mean,
            confidences=confidences[:, 0],
            newest_measured_at=None if measured is None else datetime.fromisoformat(measured),
            limitations=frozenset(map(Limitation, described["limitations"])),
        )
        return KeptForecast(forecast, datetime.fromisoformat(described["kept_at"]))
    except (struct.error, KeyError, IndexError, TypeError) as error:
        raise ValueError("no forecast of this version") from error
