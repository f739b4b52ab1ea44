"""Keeps what the stream of forecasts has brought, and how far it has been taken: both in one transaction.

After a crash either all of an element has been kept or none of it, so that resuming by the kept token loses nothing and
doubles nothing. Replicas may share the tables: each takes the whole stream, and what one has kept the others pass over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, TypedDict

from sqlalchemy import RowMapping, delete, select, update

from air.places import Network, Point, Station
from air.pollutants import Pollutant
from air.status import DataStatus, State
from mesh.database import Database
from mesh.resume_token import ResumeToken
from router.exposure.forecast import Quantiles, StationForecast
from router.tables import forecast_position, station_forecasts

_ROWS_A_STATEMENT: Final = 100

_Numbers: TypeAlias = list[float | None]
_Row: TypeAlias = dict[str, "str | float | bool | datetime | list[int] | dict[str, list[_Numbers]]"]


class _Status(TypedDict, total=False):
    state: str
    reasons: list[str]
    newestMeasuredAt: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the stream.

    Attributes:
        resume_token: Stands for all of the stream that has been taken; empty before the first element.
        status: What the predictor said last of its data.
        forecasts: The newest of each station.
    """

    resume_token: str
    status: DataStatus
    forecasts: tuple[StationForecast, ...]


class ForecastStore:
    """The router's database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Kept:
        """All that is kept."""
        # The position first: rows that another replica adds in between are newer than it, which does no harm.
        async with self._database.connect() as connection:
            position = (await connection.execute(select(forecast_position))).mappings().one()
            rows = (await connection.execute(select(station_forecasts))).mappings().all()
        return Kept(position["resume_token"], _status_from(position["status"]), tuple(map(_forecast_from, rows)))

    async def keep(self, resume_token: str, status: DataStatus, forecasts: Sequence[StationForecast]) -> None:
        """Keeps an element of the stream: its forecasts, its status and its token, all or nothing.

        An element of which the store has a later token already is passed over. The first element of another log takes
        the place of all that came from the log before.
        """
        taken = ResumeToken.decode(resume_token)
        async with self._database.begin() as connection:
            # Writing first makes replicas take turns from here on.
            lock = update(forecast_position).values(id=forecast_position.c.id)
            stored = (await connection.execute(lock.returning(forecast_position.c.resume_token))).scalar_one()
            before = ResumeToken.decode(stored) if stored else None
            if before is not None and before.epoch == taken.epoch and before.sequence > taken.sequence:
                return
            if before is None or before.epoch != taken.epoch:
                await connection.execute(delete(station_forecasts))
            rows = [_row(forecast) for forecast in forecasts]
            for start in range(0, len(rows), _ROWS_A_STATEMENT):
                insert = self._database.insert(station_forecasts).values(rows[start : start + _ROWS_A_STATEMENT])
                newer = {c.name: insert.excluded[c.name] for c in station_forecasts.c if not c.primary_key}
                await connection.execute(insert.on_conflict_do_update(index_elements=["station_id"], set_=newer))
            position = update(forecast_position).values(resume_token=resume_token, status=_status_row(status))
            await connection.execute(position)

    async def forget_position(self) -> None:
        """Starts the stream over; the forecasts stay in use until the new log's first element."""
        async with self._database.begin() as connection:
            await connection.execute(update(forecast_position).values(resume_token=""))


def _row(forecast: StationForecast) -> _Row:
    station = forecast.station
    return {
        "station_id": station.station_id,
        "display_name": station.display_name,
        "latitude": station.location.latitude,
        "longitude": station.location.longitude,
        "network": station.network.value,
        "simulated": station.simulated,
        "issue_time": forecast.issue_time,
        "horizon_hours": list(forecast.horizon_hours),
        "series": {
            pollutant.value: [_numbers(values) for values in (series.lower, series.median, series.upper, series.mean)]
            for pollutant, series in forecast.series.items()
        },
    }


def _forecast_from(row: RowMapping) -> StationForecast:
    series: Mapping[str, list[_Numbers]] = row["series"]
    return StationForecast(
        station=Station(
            station_id=row["station_id"],
            display_name=row["display_name"],
            location=Point(row["latitude"], row["longitude"]),
            network=Network(row["network"]),
            simulated=row["simulated"],
        ),
        issue_time=row["issue_time"],
        horizon_hours=tuple(row["horizon_hours"]),
        series={Pollutant(name): _quantiles(*map(_values, kept)) for name, kept in series.items()},
    )


def _quantiles(
    lower: tuple[float, ...],
    median: tuple[float, ...],
    upper: tuple[float, ...],
    mean: tuple[float, ...] | None = None,
) -> Quantiles:
    """Rows that were kept before means were told have three columns."""
    if mean is None:
        return Quantiles.without_mean(lower, median, upper)
    return Quantiles(lower, median, upper, mean)


def _numbers(values: Sequence[float]) -> _Numbers:
    """JSON has no NaN."""
    return [None if math.isnan(value) else value for value in values]


def _values(numbers: _Numbers) -> tuple[float, ...]:
    return tuple(math.nan if number is None else number for number in numbers)


def _status_row(status: DataStatus) -> _Status:
    newest = status.newest_measured_at
    return {
        "state": status.state.name,
        "reasons": list(status.reasons),
        "newestMeasuredAt": None if newest is None else newest.isoformat(),
        "simulated": status.simulated,
    }


def _status_from(row: _Status) -> DataStatus:
    newest = row.get("newestMeasuredAt")
    return DataStatus(
        state=State[row["state"]],
        reasons=tuple(row.get("reasons", ())),
        newest_measured_at=None if newest is None else datetime.fromisoformat(newest),
        simulated=row.get("simulated", False),
    )
