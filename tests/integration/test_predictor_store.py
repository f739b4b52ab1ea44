"""The predictor's store, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select

from air.places import Station
from mesh.database import Database
from predictor.forecast import Forecast
from predictor.keeping import KeptLearning
from predictor.limitation import Limitation
from predictor.serving import Step
from predictor.store import Issue, Overtaken, PredictionStore, Retention
from predictor.tables import metadata, predictions, reading_window
from predictor.window import Reading
from tests.backing.tables import make_tables
from tests.predictor.air import HOUR, JONGNO, JUNG, NOON, hours_of_air, reading
from tests.predictor.assembly import predictor_settings

SHA = "ab" * 32


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgres_predictor_url") if request.param == "postgres" else None


@pytest.fixture
async def database(tmp_path: Path, database_url: str | None) -> AsyncIterator[Database]:
    settings = predictor_settings(tmp_path, database_url=database_url)
    await make_tables(settings, "predictor")
    database = Database.open(settings, "predictor")
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> PredictionStore:
    return PredictionStore(database)


CONFIDENCES = np.round(np.linspace(0.95, 0.45, 72), 3)


def forecast(station: Station = JONGNO, issue_time: datetime = NOON, level: float = 10.0) -> Forecast:
    quantiles = level + np.arange(72)[:, None, None] + np.zeros((72, 4, 1)) + np.array([-1.25, 0.0, 1.0])
    quantiles[:, 2:] /= 1000
    values = np.round(quantiles, 4)
    lacking = frozenset({Limitation.STATION_SILENT, Limitation.WEATHER_MISSING})
    return Forecast(
        station, issue_time, "m-1", range(1, 73), values, values[..., 1] + 0.5, CONFIDENCES, issue_time, lacking
    )


async def record(
    store: PredictionStore,
    readings: Sequence[Reading],
    forecasts: Sequence[Forecast],
    place: str = "t",
) -> Issue:
    generation = (await store.head()).generation
    return await store.record(readings, told(forecasts), reading_token=place, generation=generation, now=NOON)


def told(forecasts: Sequence[Forecast], by: str = SHA) -> Step:
    """A step that only told these."""
    return Step({}, forecasts, by, KeptLearning(), {})


async def reissue(store: PredictionStore, forecasts: Sequence[Forecast], by: str = SHA) -> Issue:
    return await store.reissue(told(forecasts, by), generation=(await store.head()).generation, now=NOON)


async def test_the_migration_makes_the_tables_that_the_code_expects(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, metadata))

    def ours(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in metadata.tables

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_specified_table_is_there(database: Database) -> None:
    def described(connection: Connection) -> tuple[set[str], set[str]]:
        looked_at = inspect(connection)
        columns = {column["name"] for column in looked_at.get_columns("predictions")}
        return columns, {str(index["name"]) for index in looked_at.get_indexes("predictions")}

    async with database.connect() as connection:
        columns, indexes = await connection.run_sync(described)
    assert columns >= {
        "id", "station_id", "predicted_at", "prediction_horizon", "pm25_prediction", "pm10_prediction",
        "o3_prediction", "no2_prediction", "confidence_score", "model_version", "created_at",
    }  # fmt: skip
    assert indexes >= {"idx_predictions_station_time", "idx_predictions_horizon"}


async def test_an_element_is_stored_as_a_whole(store: PredictionStore) -> None:
    issue = await record(store, [reading(), reading(JUNG)], [forecast(), forecast(JUNG, level=30)], "t1")
    assert issue.after == 0
    assert [(one.station, one.sequence) for one in issue.forecasts] == [(JONGNO, 1), (JUNG, 2)]
    head = await store.head()
    assert (head.sequence, head.reading_token, len(head.epoch)) == (2, "t1", 16)
    stations = (await store.news([])).stations
    assert stations == {JONGNO.station_id: JONGNO, JUNG.station_id: JUNG}
    assert sorted((await store.news([])).readings, key=lambda r: r.station.station_id) == sorted(
        [reading(), reading(JUNG)], key=lambda r: r.station.station_id
    )


async def test_forecasts_come_back_as_they_were(store: PredictionStore) -> None:
    await record(store, [reading()], [replace(forecast(), newest_measured_at=None)])
    (stored,) = await store.newest_forecasts()
    given = forecast()
    assert (stored.station, stored.sequence) == (JONGNO, 1)
    assert stored.forecast.place == JONGNO
    assert stored.forecast.issue_time == NOON
    assert stored.forecast.horizons == range(1, 73)
    np.testing.assert_array_equal(stored.forecast.confidences, CONFIDENCES)
    assert stored.forecast.limitations == given.limitations
    assert stored.forecast.newest_measured_at is None
    np.testing.assert_array_equal(stored.forecast.quantiles, given.quantiles)


async def test_a_gas_keeps_four_decimals(store: PredictionStore, database: Database) -> None:
    await record(store, [reading()], [forecast()])
    async with database.connect() as connection:
        row = (await connection.execute(select(predictions.c.o3_lower).order_by(predictions.c.id).limit(1))).one()
    assert float(row[0]) == pytest.approx(0.0088, abs=1e-9)


async def test_a_failure_on_the_way_leaves_nothing(store: PredictionStore) -> None:
    await record(store, [reading()], [forecast()], "t1")
    broken = replace(forecast(issue_time=NOON + HOUR), quantiles=np.full((71, 4, 3), 1.0))
    with pytest.raises(ValueError, match="reshape"):
        await record(store, [reading(measured_at=NOON + HOUR)], [broken], "t2")
    head = await store.head()
    assert (head.reading_token, head.sequence) == ("t1", 1)
    assert len((await store.news([])).readings) == 1


async def test_what_is_stored_already_issues_nothing(store: PredictionStore) -> None:
    await record(store, [reading(), reading(JUNG)], [forecast(), forecast(JUNG)], "t1")
    changed = reading(JUNG, values=(1, None, None, None), revision=2)
    issue = await record(store, [reading(), changed], [forecast(), forecast(JUNG)], "t2")
    assert [(one.station, one.sequence) for one in issue.forecasts] == [(JONGNO, 3), (JUNG, 4)]
    again = await record(store, [reading(), changed], [forecast(), forecast(JUNG)], "t2")
    assert (again.after, again.forecasts, again.generation) == (4, [], issue.generation)


async def test_what_was_made_before_another_replica_stored_something_is_refused(store: PredictionStore) -> None:
    head = await store.head()
    await record(store, [reading()], [forecast()], "t1")
    with pytest.raises(Overtaken):
        await store.record(
            [reading(JUNG)],
            told([forecast(JUNG)]),
            reading_token="t2",
            generation=head.generation,
            now=NOON,
        )
    assert (await store.head()).reading_token == "t1"
    assert [one.station for one in await store.newest_forecasts()] == [JONGNO]
    news = await store.news([], after_generation=head.generation)
    assert list(news.readings) == [reading()]
    assert not (await store.news([], after_generation=news.head.generation)).readings


async def test_an_older_revision_does_not_undo_a_correction(store: PredictionStore) -> None:
    await record(store, [reading(values=(2, 2, 2, 2), revision=2)], [forecast()])
    issue = await record(store, [reading(values=(1, 1, 1, 1), revision=1)], [forecast()])
    assert issue.forecasts == []
    (kept,) = (await store.news([])).readings
    assert list(kept.values) == [2.0] * 4 + [None] * 2
    # But the log of readings may be another one from now on.
    await store.forget_reading_token()
    issue = await record(store, [reading(values=(1, 1, 1, 1), revision=1)], [forecast()])
    assert len(issue.forecasts) == 1


async def test_an_earlier_issue_time_does_not_undo_a_later_one(store: PredictionStore) -> None:
    await record(store, [reading()], [forecast()])
    issue = await reissue(store, [forecast(issue_time=NOON - HOUR)])
    assert issue.forecasts == []
    assert (await store.newest_forecasts())[0].forecast.issue_time == NOON


async def test_only_what_is_newer_than_a_place_in_the_log_is_read(store: PredictionStore) -> None:
    await record(store, [reading(), reading(JUNG)], [forecast(), forecast(JUNG)])
    later = NOON + HOUR
    await record(store, [reading(measured_at=later)], [forecast(issue_time=later)])
    assert [(one.station, one.sequence) for one in await store.newest_forecasts()] == [(JUNG, 2), (JONGNO, 3)]
    assert [(one.station, one.sequence) for one in await store.newest_forecasts(2)] == [(JONGNO, 3)]
    assert await store.newest_forecasts(3) == []


async def test_many_stations_are_read_in_pages(store: PredictionStore) -> None:
    stations = [replace(JONGNO, station_id=f"s{number}") for number in range(230)]
    await record(store, [reading(one) for one in stations], [forecast(one) for one in stations])
    found = await store.newest_forecasts()
    assert [one.sequence for one in found] == list(range(1, 231))
    assert [one.station.station_id for one in found] == [one.station_id for one in stations]


async def test_a_long_backlog_is_stored_in_batches(store: PredictionStore, database: Database) -> None:
    backlog = [r for station in (JONGNO, JUNG) for r in hours_of_air(station, NOON, 600)]
    issue = await record(store, backlog, [forecast(), forecast(JUNG)])
    assert len(issue.forecasts) == 2
    async with database.connect() as connection:
        assert len((await connection.execute(select(reading_window))).all()) == 1200


async def test_what_is_too_old_is_dropped(store: PredictionStore, database: Database) -> None:
    await record(store, [reading(JUNG), reading()], [forecast(JUNG), forecast()], "t1")
    later = NOON + 100 * HOUR
    await record(store, [reading(measured_at=later)], [forecast(issue_time=later)], "t2")
    await store.drop(Retention(*[NOON + HOUR] * 4))
    assert [r.measured_at for r in (await store.news([])).readings] == [later]
    assert [one.station for one in await store.newest_forecasts()] == [JONGNO]
    async with database.connect() as connection:
        times = set((await connection.execute(select(predictions.c.predicted_at))).scalars())
    assert times == {later}


async def test_a_forecast_of_another_model_is_found(store: PredictionStore) -> None:
    await record(store, [reading()], [forecast()])
    assert not await store.outdated_models(SHA)
    assert await store.outdated_models("cd" * 32)
    await reissue(store, [forecast(level=3)], "cd" * 32)
    assert not await store.outdated_models("cd" * 32)
    (newest,) = await store.newest_forecasts()
    assert newest.sequence == 2
    assert newest.forecast.quantiles[0, 0, 1] == 3.0
