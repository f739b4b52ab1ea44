"""The router's kept field, on both databases: what comes back is what was brought, whole and once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, update
from sqlalchemy.exc import StatementError

from air.places import Network, Station
from air.pollutants import Pollutant
from air.status import DataStatus, State
from mesh.database import Database
from mesh.resume_token import InvalidResumeToken, ResumeToken
from router.exposure.forecast import Quantiles, StationForecast
from router.settings import RouterSettings
from router.store import ForecastStore
from router.tables import metadata, station_forecasts
from tests.backing.tables import make_tables
from tests.router.air_plan import ISSUED, forecast
from tests.router.street_plan import at

EPOCH, ANOTHER = "00000000000000aa", "00000000000000bb"
FRESH = DataStatus(newest_measured_at=ISSUED)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgres_router_url") if request.param == "postgres" else None


@pytest.fixture
async def database(tmp_path: Path, database_url: str | None) -> AsyncIterator[Database]:
    settings = RouterSettings(data_dir=tmp_path, database_url=None if database_url is None else SecretStr(database_url))
    await make_tables(settings, "router")
    database = Database.open(settings, "router")
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> ForecastStore:
    return ForecastStore(database)


def token(sequence: int, epoch: str = EPOCH) -> str:
    return ResumeToken(epoch, sequence).encode()


def pm25(value: float, station_id: str = "중구") -> StationForecast:
    return forecast({Pollutant.PM25: value}, station_id=station_id)


async def test_at_first_nothing_is_kept(store: ForecastStore) -> None:
    kept = await store.load()
    assert (kept.resume_token, kept.forecasts, kept.status) == ("", (), DataStatus())


async def test_what_was_brought_comes_back(store: ForecastStore) -> None:
    brought = StationForecast(
        station=Station("종로구", "종로구", at(10, 20), Network.ROADSIDE, simulated=True),
        issue_time=datetime(2025, 11, 3, 8, tzinfo=UTC),
        horizon_hours=(1, 2, 5),
        series={
            Pollutant.NO2: Quantiles((0.01, 0.02, 0.03), (0.02, 0.03, 0.04), (0.03, 0.04, 0.05), (0.021, 0.031, 0.041))
        },
    )
    status = DataStatus(State.STALE, ("late",), ISSUED, simulated=True)
    await store.keep(token(1), status, [brought])
    kept = await store.load()
    assert (kept.resume_token, kept.forecasts, kept.status) == (token(1), (brought,), status)


async def test_a_row_from_before_means_were_told_has_the_mean_of_its_quantiles(
    store: ForecastStore, database: Database
) -> None:
    await store.keep(token(1), FRESH, [pm25(10.0)])
    async with database.begin() as connection:
        await connection.execute(update(station_forecasts).values(series={"PM25": [[10.0], [20.0], [40.0]]}))
    (kept,) = (await store.load()).forecasts
    assert kept.series[Pollutant.PM25].mean == pytest.approx((0.3 * 10 + 0.4 * 20 + 0.3 * 40,))


async def test_an_unknown_value_comes_back_unknown(store: ForecastStore) -> None:
    await store.keep(token(1), FRESH, [pm25(math.nan)])
    (kept,) = (await store.load()).forecasts
    assert all(math.isnan(value) for value in kept.series[Pollutant.PM25].median)


async def test_of_each_station_the_newest_is_kept(store: ForecastStore) -> None:
    await store.keep(token(1), FRESH, [pm25(10.0), pm25(20.0, "종로구")])
    await store.keep(token(2), FRESH, [pm25(30.0)])
    kept = await store.load()
    assert {f.station.station_id: f.series[Pollutant.PM25].median[0] for f in kept.forecasts} == {
        "중구": 30.0,
        "종로구": 20.0,
    }
    assert kept.resume_token == token(2)


async def test_many_stations_at_once(store: ForecastStore) -> None:
    await store.keep(token(1), FRESH, [pm25(float(number), f"s{number}") for number in range(674)])
    assert len((await store.load()).forecasts) == 674


async def test_what_a_replica_has_kept_already_is_passed_over(store: ForecastStore) -> None:
    await store.keep(token(2), FRESH, [pm25(30.0)])
    await store.keep(token(1), FRESH, [pm25(10.0)])
    kept = await store.load()
    assert kept.resume_token == token(2)
    assert kept.forecasts[0].series[Pollutant.PM25].median[0] == 30.0


async def test_another_log_takes_the_place_of_all_from_the_one_before(store: ForecastStore) -> None:
    await store.keep(token(9), FRESH, [pm25(30.0)])
    await store.keep(token(1, ANOTHER), FRESH, [pm25(10.0, "종로구")])
    kept = await store.load()
    assert [forecast.station.station_id for forecast in kept.forecasts] == ["종로구"]
    assert kept.resume_token == token(1, ANOTHER)


async def test_a_forgotten_position_keeps_the_last_good_field(store: ForecastStore) -> None:
    await store.keep(token(9), FRESH, [pm25(30.0)])
    await store.forget_position()
    kept = await store.load()
    assert kept.resume_token == ""
    assert len(kept.forecasts) == 1


async def test_an_element_is_kept_whole_or_not_at_all(store: ForecastStore) -> None:
    await store.keep(token(1), FRESH, [pm25(10.0)])
    # More than one statement's rows, of which the last cannot be written.
    broken = replace(pm25(20.0, "broken"), horizon_hours=(complex(1),))  # type: ignore[arg-type] # no hour
    with pytest.raises(StatementError):
        await store.keep(token(2), FRESH, [*(pm25(99.0, f"s{number}") for number in range(150)), broken])
    kept = await store.load()
    assert kept.resume_token == token(1)
    assert [f.series[Pollutant.PM25].median[0] for f in kept.forecasts] == [10.0]


async def test_replicas_that_write_at_once_leave_the_later_element(store: ForecastStore) -> None:
    for sequence in range(1, 20, 2):
        both = (store.keep(token(at), FRESH, [pm25(float(at))]) for at in (sequence + 1, sequence))
        await asyncio.gather(*both)
        kept = await store.load()
        assert kept.resume_token == token(sequence + 1)
        assert kept.forecasts[0].series[Pollutant.PM25].median[0] == sequence + 1


async def test_a_token_that_is_none_is_refused(store: ForecastStore) -> None:
    with pytest.raises(InvalidResumeToken):
        await store.keep("no token", FRESH, [pm25(10.0)])


async def test_the_migrations_make_what_the_code_reads(database: Database) -> None:
    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        )
        return compare_metadata(context, metadata)

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []
