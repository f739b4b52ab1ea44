"""Readings in, forecasts out: what is issued, when, and what a restart finds."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import func, select

from predictor.models.model_file import load
from predictor.settings import PredictorSettings
from predictor.tables import predictions, reading_window
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, JUNG, NOON, hours_of_air, plain_model_file, reading
from tests.predictor.assembly import Predictor, open_predictor


def medians(predictor: Predictor, station_id: str = JONGNO.station_id) -> list[float]:
    return [float(value) for value in predictor.issuer.board.newest[station_id].quantiles[:, 0, 1]]


def sequences(predictor: Predictor) -> dict[str, int]:
    return {one.station.station_id: one.sequence for one in predictor.issuer.board.after(0)}


async def count(predictor: Predictor) -> int:
    async with predictor.database.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(predictions))).scalar_one()


async def test_a_reading_issues_its_stations_forecast(predictor: Predictor) -> None:
    rings = predictor.bell.rings
    await predictor.issuer.take([reading()], "t1")
    forecast = predictor.issuer.board.newest[JONGNO.station_id]
    assert forecast.issue_time == NOON
    assert forecast.quantiles[0, 0].tolist() == pytest.approx([12.75, 14.20, 15.80], abs=0.01)
    assert predictor.bell.rings > rings
    assert await predictor.issuer.reading_token() == "t1"


async def test_a_new_hour_is_forecast_for_all_and_a_change_within_it_for_its_station(predictor: Predictor) -> None:
    await predictor.issuer.take([reading(), reading(JUNG)], "t1")
    assert sequences(predictor) == {JONGNO.station_id: 1, JUNG.station_id: 2}
    await predictor.issuer.take([reading(JUNG, NOON + HOUR), reading()], "t2")
    assert sequences(predictor) == {JONGNO.station_id: 3, JUNG.station_id: 4}
    assert predictor.issuer.board.newest[JONGNO.station_id].issue_time == NOON + HOUR
    assert predictor.issuer.board.newest[JONGNO.station_id].newest_measured_at == NOON
    await predictor.issuer.take([reading(measured_at=NOON + HOUR)], "t3")
    assert sequences(predictor) == {JONGNO.station_id: 5, JUNG.station_id: 4}


async def test_a_weeks_backlog_is_forecast_once_from_its_newest_hour(predictor: Predictor) -> None:
    backlog = [r for station in (JONGNO, JUNG, CHEONGGYE) for r in hours_of_air(station, NOON, 168)]
    await predictor.issuer.take(backlog, "t1")
    assert predictor.issuer.board.sequence == 3
    assert {one.forecast.issue_time for one in predictor.issuer.board.after(0)} == {NOON}
    assert await count(predictor) == 3 * 72


async def test_the_same_element_again_issues_nothing(predictor: Predictor) -> None:
    await predictor.issuer.take([reading()], "t1")
    await predictor.issuer.take([reading()], "t1")
    await predictor.issuer.take([], "t1")
    assert predictor.issuer.board.sequence == 1


async def test_a_correction_is_forecast_anew_under_the_same_issue_time(predictor: Predictor) -> None:
    await predictor.issuer.take([reading()], "t1")
    await predictor.issuer.take([reading(values=(98.0, 40, 0.03, 0.02), revision=2)], "t2")
    assert medians(predictor)[0] == pytest.approx((11 * 99) ** 0.5 - 1, abs=0.01)
    assert predictor.issuer.board.sequence == 2
    assert await count(predictor) == 72


async def test_an_hour_too_old_for_the_window_is_not_kept(predictor: Predictor) -> None:
    await predictor.issuer.take([reading(), reading(measured_at=NOON - 400 * HOUR)], "t1")
    async with predictor.database.connect() as connection:
        kept: list[datetime] = list((await connection.execute(select(reading_window.c.measured_at))).scalars())
    assert kept == [NOON]


async def test_old_readings_and_predictions_are_dropped(predictor: Predictor) -> None:
    await predictor.issuer.take([reading(), reading(JUNG)], "t1")
    predictor.clock.advance(hours=400)
    await predictor.issuer.take([reading(measured_at=NOON + 400 * HOUR)], "t2")
    assert predictor.issuer.board.newest.keys() == {JONGNO.station_id}
    assert JUNG.station_id in predictor.issuer.stations
    assert await count(predictor) == 72


async def test_days_long_past_are_replayed_without_being_dropped(settings: PredictorSettings) -> None:
    async with open_predictor(settings, SettableClock(NOON + 9000 * HOUR), follow=False) as predictor:
        await predictor.issuer.take(list(hours_of_air(JONGNO, NOON, 48)), "t1")
        assert predictor.issuer.board.newest[JONGNO.station_id].issue_time == NOON
        assert await count(predictor) == 72


async def test_a_restart_goes_on_where_it_was(settings: PredictorSettings) -> None:
    clock = SettableClock(NOON)
    async with open_predictor(settings, clock, follow=False) as before:
        await before.issuer.take([*hours_of_air(JONGNO, NOON - HOUR, 200), reading(JUNG)], "t1")
        said = before.issuer.board
    async with open_predictor(settings, clock, follow=False) as after:
        board = after.issuer.board
        assert (board.epoch, board.sequence) == (said.epoch, said.sequence)
        assert await after.issuer.reading_token() == "t1"
        assert after.issuer.stations.keys() == {JONGNO.station_id, JUNG.station_id}
        for station_id, forecast in said.newest.items():
            stored = board.newest[station_id]
            np.testing.assert_array_equal(stored.quantiles, forecast.quantiles)
            assert (stored.place, stored.issue_time, stored.horizons) == (
                forecast.place,
                forecast.issue_time,
                forecast.horizons,
            )
            np.testing.assert_array_equal(stored.confidences, forecast.confidences)
            assert (stored.limitations, stored.newest_measured_at) == (
                forecast.limitations,
                forecast.newest_measured_at,
            )
        # The window is the same: the next hour gives what it would have given.
        await after.issuer.take([reading()], "t2")
        restarted = medians(after)
    async with open_predictor(settings, clock, follow=False) as again:
        assert medians(again) == restarted


async def test_a_log_that_was_replaced_is_taken_again_in_full(predictor: Predictor) -> None:
    await predictor.issuer.take([reading(revision=3)], "t1")
    await predictor.issuer.start_over()
    assert await predictor.issuer.reading_token() == ""
    # The same content issues nothing; other content does, although its revision counts from 1 again.
    await predictor.issuer.take([reading(revision=1)], "u1")
    assert predictor.issuer.board.sequence == 1
    await predictor.issuer.take([reading(values=(50, 40, 0.03, 0.02), revision=1)], "u2")
    assert predictor.issuer.board.sequence == 2


async def test_two_predictors_on_one_database_issue_each_forecast_once(settings: PredictorSettings) -> None:
    clock = SettableClock(NOON)
    async with (
        open_predictor(settings, clock, follow=False) as one,
        open_predictor(settings, clock, follow=False) as other,
    ):
        for hour in range(4):
            element = [reading(measured_at=NOON + hour * HOUR), reading(JUNG, NOON + hour * HOUR)]
            for predictor in (one, other) if hour % 2 else (other, one):
                await predictor.issuer.take(element, f"t{hour}")
        await one.issuer.take([], "t3")
        await other.issuer.take([], "t3")
        assert one.issuer.board.sequence == other.issuer.board.sequence == 8
        assert sequences(one) == sequences(other) == {JONGNO.station_id: 7, JUNG.station_id: 8}
        assert medians(one) == medians(other)


async def test_another_model_makes_all_forecasts_anew(predictor: Predictor) -> None:
    await predictor.issuer.take([reading(), reading(JUNG)], "t1")
    path = predictor.settings.model_path
    assert path is not None
    await predictor.issuer.serve(load(path), None)
    assert predictor.issuer.board.sequence == 2
    await predictor.issuer.serve(load(plain_model_file(path.parent, damping=1.0)), None)
    assert predictor.issuer.board.sequence == 4
    assert medians(predictor) == pytest.approx([20.0] * 72)
    assert await count(predictor) == 2 * 72


async def test_a_start_with_another_model_makes_all_forecasts_anew(settings: PredictorSettings) -> None:
    clock = SettableClock(NOON)
    async with open_predictor(settings, clock, follow=False) as before:
        await before.issuer.take([reading()], "t1")
    assert settings.model_path is not None
    plain_model_file(settings.model_path.parent, damping=1.0)
    async with open_predictor(settings, clock, follow=False) as after:
        assert medians(after) == pytest.approx([20.0] * 72)
        assert after.issuer.board.sequence == 2
