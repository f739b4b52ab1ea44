"""Weather in a database: each hour of each cell once as observed, and once an issue as forecast."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, RowMapping, Table, and_, delete, false, func, or_, select, tuple_

from ingestion.run import Fence
from ingestion.store.fences import hold
from ingestion.store.readings import Saved
from ingestion.store.upserts import Row, upsert
from ingestion.tables import weather_forecasts, weather_observations
from ingestion.weather import (
    Amount,
    Cell,
    Conditions,
    Precipitation,
    Product,
    Sky,
    WeatherForecast,
    WeatherObservation,
)
from mesh.database import Database

_observed: Final = weather_observations.c
_forecast: Final = weather_forecasts.c
_STILL_FORECAST: Final = timedelta(hours=6)
"""The longest that a cell's forecast may lag behind the others', two issues of the slower product."""

_FEW_CELLS: Final = 200
"""SQLite takes expressions of 1,000 terms."""

_NOT_READ: Final = frozenset({"created_at", "updated_at"})


@dataclass(frozen=True, slots=True)
class Held:
    """How far the weather of some cells is held; a cell of which there is none is left out.

    Attributes:
        observed: The newest hour observed.
        issued: When the newest forecast of a product was issued.
    """

    observed: Mapping[Cell, datetime] = field(default_factory=dict)
    issued: Mapping[tuple[Cell, Product], datetime] = field(default_factory=dict)


class WeatherStore:
    """The weather in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        observations: Sequence[WeatherObservation],
        forecasts: Sequence[WeatherForecast],
        now: datetime,
        *,
        fence: Fence | None = None,
    ) -> Saved:
        """Stores what is new or differs from what is stored; all or nothing. Raises Fenced when the turn is over."""
        async with self._database.begin() as connection:
            if fence is not None:
                await hold(connection, fence)
            counts = [
                await upsert(self._database, connection, table, rows, now)
                for table, rows in (
                    (weather_observations, [_of_observation(observation) for observation in observations]),
                    (weather_forecasts, [_of_forecast(forecast) for forecast in forecasts]),
                )
            ]
        return Saved(
            sum(saved.new for saved in counts),
            sum(saved.corrected for saved in counts),
            sum(saved.unchanged for saved in counts),
        )

    async def held(self, cells: Collection[Cell], since: datetime) -> Held:
        """How far the weather of these cells is held; what is older than `since` is not looked at."""
        observed = (
            select(_observed.nx, _observed.ny, func.max(_observed.observed_at))
            .where(_in(weather_observations, cells), _observed.observed_at >= since)
            .group_by(_observed.nx, _observed.ny)
        )
        issued = (
            select(_forecast.nx, _forecast.ny, _forecast.product, func.max(_forecast.issued_at))
            .where(_in(weather_forecasts, cells), _forecast.issued_at >= since)
            .group_by(_forecast.nx, _forecast.ny, _forecast.product)
        )
        async with self._database.connect() as connection:
            hours = await connection.execute(observed)
            issues = await connection.execute(issued)
            return Held(
                {Cell(nx, ny): hour for nx, ny, hour in hours},
                {(Cell(nx, ny), Product(product)): issue for nx, ny, product, issue in issues},
            )

    async def newest_issues(self, as_of: datetime) -> Mapping[tuple[Cell, Product], datetime]:
        """When the newest forecast of each cell and product was issued, of all cells that are still forecast for.

        What was issued after `as_of` is not looked at, nor what is six hours older than the newest issue of any cell.
        """
        newest = select(func.max(_forecast.issued_at)).where(_forecast.issued_at <= as_of)
        keys = (_forecast.nx, _forecast.ny, _forecast.product)
        async with self._database.connect() as connection:
            last: datetime | None = (await connection.execute(newest)).scalar()
            if last is None:
                return {}
            issues = (
                select(*keys, func.max(_forecast.issued_at))
                .where(_forecast.issued_at > last - _STILL_FORECAST, _forecast.issued_at <= last)
                .group_by(*keys)
            )
            rows = await connection.execute(issues)
            return {(Cell(nx, ny), Product(product)): issued_at for nx, ny, product, issued_at in rows}

    async def observations(
        self, cells: Collection[Cell], start: datetime, end: datetime
    ) -> Sequence[WeatherObservation]:
        """What was observed in these cells from `start` up to but without `end`, by cell, then hour."""
        query = select(*_columns(weather_observations)).where(
            _in(weather_observations, cells), _observed.observed_at >= start, _observed.observed_at < end
        )
        async with self._database.connect() as connection:
            rows = await connection.execute(query.order_by(_observed.nx, _observed.ny, _observed.observed_at))
            return [_to_observation(row) for row in rows.mappings()]

    async def latest_forecasts(
        self, cells: Collection[Cell], start: datetime, end: datetime, *, as_of: datetime
    ) -> Sequence[WeatherForecast]:
        """What was forecast for these cells from `start` up to but without `end`, by cell, then hour, then product.

        Of each cell, hour and product the newest issue that is not after `as_of`.
        """
        columns = _columns(weather_forecasts)
        place = (_forecast.nx, _forecast.ny, _forecast.valid_at, _forecast.product)
        age = func.row_number().over(partition_by=place, order_by=_forecast.issued_at.desc())
        ranked = (
            select(*columns, age.label("age"))
            .where(
                _in(weather_forecasts, cells),
                _forecast.valid_at >= start,
                _forecast.valid_at < end,
                _forecast.issued_at <= as_of,
            )
            .subquery()
        )
        query = select(*(ranked.c[column.name] for column in columns)).where(ranked.c.age == 1)
        async with self._database.connect() as connection:
            rows = await connection.execute(query.order_by(*(ranked.c[column.name] for column in place)))
            return [_to_forecast(row) for row in rows.mappings()]

    async def forecasts(
        self, issues: Mapping[tuple[Cell, Product], datetime], start: datetime, end: datetime
    ) -> Sequence[WeatherForecast]:
        """What these issues say from `start` up to but without `end`, by cell, then product, then hour."""
        said = (
            and_(
                _forecast.nx == cell.nx,
                _forecast.ny == cell.ny,
                _forecast.product == product.value,
                _forecast.issued_at == issued_at,
            )
            for (cell, product), issued_at in issues.items()
        )
        query = (
            select(*_columns(weather_forecasts))
            .where(or_(false(), *said), _forecast.valid_at >= start, _forecast.valid_at < end)
            .order_by(_forecast.nx, _forecast.ny, _forecast.product, _forecast.valid_at)
        )
        async with self._database.connect() as connection:
            return [_to_forecast(row) for row in (await connection.execute(query)).mappings()]

    async def prune(self, issued_before: datetime) -> int:
        """Deletes forecasts that were issued before a time; how many."""
        async with self._database.begin() as connection:
            deleted = await connection.execute(delete(weather_forecasts).where(_forecast.issued_at < issued_before))
        return deleted.rowcount


def _columns(table: Table) -> list[Column[object]]:
    return [column for column in table.c if column.name not in _NOT_READ]


def _in(table: Table, cells: Collection[Cell]) -> ColumnElement[bool]:
    if len(cells) > _FEW_CELLS:
        return tuple_(table.c.nx, table.c.ny).in_([(cell.nx, cell.ny) for cell in cells])
    # SQLite looks for a pair among pairs by reading the whole table, and for any of some pairs by the index.
    return or_(false(), *(and_(table.c.nx == cell.nx, table.c.ny == cell.ny) for cell in cells))


def _of_observation(observation: WeatherObservation) -> Row:
    return {
        "nx": observation.cell.nx,
        "ny": observation.cell.ny,
        "observed_at": observation.observed_at,
        **_of_conditions(observation.conditions),
        "simulated": observation.simulated,
    }


def _of_forecast(forecast: WeatherForecast) -> Row:
    snow = forecast.snow_amount
    return {
        "nx": forecast.cell.nx,
        "ny": forecast.cell.ny,
        "product": forecast.product.value,
        "issued_at": forecast.issued_at,
        "valid_at": forecast.valid_at,
        **_of_conditions(forecast.conditions),
        "sky": None if forecast.sky is None else forecast.sky.value,
        "precipitation_probability": forecast.precipitation_probability,
        "snow_amount": None if snow is None else snow.number,
        "snow_text": None if snow is None else snow.text,
        "wave_height": forecast.wave_height,
        "day_minimum": forecast.day_minimum,
        "day_maximum": forecast.day_maximum,
        "simulated": forecast.simulated,
    }


def _of_conditions(conditions: Conditions) -> Row:
    kind, amount = conditions.precipitation, conditions.precipitation_amount
    return {
        "temperature": conditions.temperature,
        "humidity": conditions.humidity,
        "precipitation": None if kind is None else kind.value,
        "precipitation_amount": None if amount is None else amount.number,
        "precipitation_text": None if amount is None else amount.text,
        "wind_east": conditions.wind_east,
        "wind_north": conditions.wind_north,
        "wind_direction": conditions.wind_direction,
        "wind_speed": conditions.wind_speed,
    }


def _to_observation(row: RowMapping) -> WeatherObservation:
    return WeatherObservation(Cell(row["nx"], row["ny"]), row["observed_at"], _to_conditions(row), row["simulated"])


def _to_forecast(row: RowMapping) -> WeatherForecast:
    return WeatherForecast(
        cell=Cell(row["nx"], row["ny"]),
        product=Product(row["product"]),
        issued_at=row["issued_at"],
        valid_at=row["valid_at"],
        conditions=_to_conditions(row),
        sky=None if row["sky"] is None else Sky(row["sky"]),
        precipitation_probability=row["precipitation_probability"],
        snow_amount=_to_amount(row["snow_amount"], row["snow_text"]),
        wave_height=row["wave_height"],
        day_minimum=row["day_minimum"],
        day_maximum=row["day_maximum"],
        simulated=row["simulated"],
    )


def _to_conditions(row: RowMapping) -> Conditions:
    return Conditions(
        temperature=row["temperature"],
        humidity=row["humidity"],
        precipitation=None if row["precipitation"] is None else Precipitation(row["precipitation"]),
        precipitation_amount=_to_amount(row["precipitation_amount"], row["precipitation_text"]),
        wind_east=row["wind_east"],
        wind_north=row["wind_north"],
        wind_direction=row["wind_direction"],
        wind_speed=row["wind_speed"],
    )


def _to_amount(number: float | None, text: str | None) -> Amount | None:
    return None if number is None else Amount(number, text or "")
