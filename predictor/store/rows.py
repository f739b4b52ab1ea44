"""Rows of the predictor's tables, from what the domain says and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping, Select, Subquery, and_, select

from air.places import Network, Point, Station
from air.pollutants import FORECAST_POLLUTANTS
from predictor.forecast import Forecast, IssuedForecast
from predictor.limitation import Limitation
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.tables import prediction_heads, prediction_stations, predictions
from predictor.window import Reading

NAMES: Final = tuple(pollutant.value.lower() for pollutant in INPUT_POLLUTANTS)
"""The columns of a reading's values."""

_FORECAST: Final = NAMES[: len(FORECAST_POLLUTANTS)]
QUANTILES: Final = tuple((f"{name}_lower", f"{name}_prediction", f"{name}_upper") for name in _FORECAST)
MEANS: Final = tuple(f"{name}_mean" for name in _FORECAST)
_SEPARATOR: Final = ","

Cell: TypeAlias = str | float | bool | datetime | None
Row: TypeAlias = dict[str, Cell]


def station_of(forecast: Forecast) -> Station:
    """The station that a forecast is of. Raises TypeError for a point's."""
    if not isinstance(forecast.place, Station):
        raise TypeError("only forecasts of stations are stored")
    return forecast.place


def forecast_rows(page: Subquery) -> Select[*tuple[Cell, ...]]:
    """The rows of the newest forecasts of the stations in `page`, by place in the log, then horizon."""
    heads, stations = prediction_heads.c, prediction_stations.c
    of_station = [column for column in stations if column is not stations.station_id]
    newest = and_(heads.station_id == predictions.c.station_id, heads.issue_time == predictions.c.predicted_at)
    return (
        select(*predictions.c, *of_station, heads.newest_measured_at, heads.sequence, heads.limitations)
        .join_from(predictions, page, page.c.station_id == predictions.c.station_id)
        .join(prediction_heads, newest)
        .join(prediction_stations, stations.station_id == predictions.c.station_id)
        .order_by(heads.sequence, predictions.c.prediction_horizon)
    )


def issued_in(rows: Sequence[RowMapping]) -> list[IssuedForecast]:
    """Forecasts from rows that are ordered by sequence, then horizon."""
    sequences = np.array([row["sequence"] for row in rows])
    starts = [0, *(np.flatnonzero(np.diff(sequences)) + 1), len(rows)]
    forecasts = []
    for start, end in itertools.pairwise(starts):
        own, first = rows[start:end], rows[start]
        station = station_from_row(first)
        forecast = Forecast(
            place=station,
            issue_time=first["predicted_at"],
            model_version=first["model_version"],
            horizons=range(first["prediction_horizon"], own[-1]["prediction_horizon"] + 1),
            quantiles=_quantiles(own),
            mean=_means(own),
            confidences=np.array([row["confidence_score"] for row in own], dtype=np.float64),
            newest_measured_at=first["newest_measured_at"],
            limitations=_limitations(first["limitations"]),
        )
        forecasts.append(IssuedForecast(forecast, station, first["sequence"], first["created_at"]))
    return forecasts


def _quantiles(rows: Sequence[RowMapping]) -> NDArray[np.float64]:
    values = [[[row[name] for name in names] for names in QUANTILES] for row in rows]
    return np.array(values, dtype=np.float64)


def _means(rows: Sequence[RowMapping]) -> NDArray[np.float64]:
    """Those kept; where a row is older than they are, the median."""
    values = [
        [
            row[mean] if row[mean] is not None else row[median]
            for mean, (_, median, _) in zip(MEANS, QUANTILES, strict=True)
        ]
        for row in rows
    ]
    return np.array(values, dtype=np.float64)


def head_row(issued: IssuedForecast, model_sha256: str) -> Row:
    """The row that makes a forecast its station's newest."""
    forecast = issued.forecast
    return {
        "station_id": issued.station.station_id,
        "issue_time": forecast.issue_time,
        "newest_measured_at": forecast.newest_measured_at,
        "model_sha256": model_sha256,
        "sequence": issued.sequence,
        "limitations": _SEPARATOR.join(sorted(forecast.limitations)),
    }


def _limitations(names: str) -> frozenset[Limitation]:
    """Those of a row; one that this version does not know is none that it can tell."""
    known = Limitation.__members__
    return frozenset(known[name] for name in names.split(_SEPARATOR) if name in known)


def reading_row(reading: Reading) -> Row:
    """The row of a reading."""
    return {
        "station_id": reading.station.station_id,
        "measured_at": reading.measured_at,
        **dict(zip(NAMES, reading.values, strict=True)),
        "revision": reading.revision,
    }


def station_row(station: Station) -> Row:
    """The row of a station."""
    return {
        "station_id": station.station_id,
        "display_name": station.display_name,
        "latitude": station.location.latitude,
        "longitude": station.location.longitude,
        "network": station.network.value,
        "simulated": station.simulated,
    }


def station_from_row(row: RowMapping) -> Station:
    """The station in a row, which may hold more."""
    return Station(
        station_id=row["station_id"],
        display_name=row["display_name"],
        location=Point(row["latitude"], row["longitude"]),
        network=Network(row["network"]),
        simulated=row["simulated"],
    )
