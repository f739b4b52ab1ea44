"""The kept field: what comes back is what was brought, whole and once."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from air.places import Network, Station
from air.pollutants import Pollutant
from air.status import DataStatus, State
from mesh.database import Database, upgrade
from mesh.resume_token import InvalidResumeToken, ResumeToken
from router.exposure.forecast import Quantiles, StationForecast
from router.settings import RouterSettings
from router.store import ForecastStore
from router.tables import station_forecasts
from tests.router.air_plan import ISSUED, forecast
from tests.router.street_plan import at

EPOCH, ANOTHER = "00000000000000aa", "00000000000000bb"
FRESH = DataStatus(newest_measured_at=ISSUED)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = RouterSettings(data_dir=tmp_path)
    await upgrade(settings, "router")
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
        series={Pollutant.NO2: Quantiles((0.01, 0.02, 0.03), (0.02, 0.03, 0.04), (0.03, 0.04, 0.05))},
    )
    status = DataStatus(State.STALE, ("late",), ISSUED, simulated=True)
    await store.keep(token(1), status, [brought])
    kept = await store.load()
    assert (kept.resume_token, kept.forecasts, kept.status) == (token(1), (brought,), status)


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


async def test_an_element_is_kept_whole_or_not_at_all(store: ForecastStore, database: Database) -> None:
    await store.keep(token(1), FRESH, [pm25(10.0)])
    too_long = pm25(20.0, "x")
    async with database.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE OF resume_token ON forecast_position"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(Exception, match="no"):
        await store.keep(token(2), FRESH, [too_long, pm25(99.0)])
    kept = await store.load()
    assert kept.resume_token == token(1)
    assert [f.series[Pollutant.PM25].median[0] for f in kept.forecasts] == [10.0]


async def test_a_token_that_is_none_is_refused(store: ForecastStore) -> None:
    with pytest.raises(InvalidResumeToken):
        await store.keep("no token", FRESH, [pm25(10.0)])


async def test_rows_that_a_migration_made_are_those_that_the_store_reads(
    store: ForecastStore, database: Database
) -> None:
    async with database.begin() as connection:
        await connection.execute(
            insert(station_forecasts).values(
                station_id="s",
                display_name="s",
                latitude=37.5,
                longitude=127.0,
                network="URBAN",
                simulated=False,
                issue_time=ISSUED,
                horizon_hours=[1],
                series={"PM25": [[1.0], [2.0], [3.0]]},
            )
        )
    (kept,) = (await store.load()).forecasts
    assert kept.series[Pollutant.PM25] == Quantiles((1.0,), (2.0,), (3.0,))
