"""What the predictor learns from forecasts that come true: once, whatever stops on the way and however many it are."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from prometheus_client import REGISTRY
from sqlalchemy import select

from air.pollutants import FORECAST_POLLUTANTS
from mesh.interceptors.around import Context
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.maturing import SCORED, SUMS
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.model_file import BASELINE, load, save
from predictor.monitoring.monitor import Monitor
from predictor.monitoring.scores import Score
from predictor.settings import PredictorSettings
from predictor.store.scores import ScoreStore
from predictor.tables import calibrations
from predictor.window import Reading
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, JUNG, NOON, hours_of_air, plain_model_file
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings

UNUSED = cast(Context, None)
STATIONS = (JONGNO, JUNG, CHEONGGYE)


def element(hour: int) -> list[Reading]:
    """All stations' readings of an hour; one station has nothing at 09:00, one is silent for a day."""
    at = NOON + hour * HOUR
    readings = [one for station in STATIONS for one in hours_of_air(station, at, 1)]
    return [
        one
        for one in readings
        if not (one.station is JUNG and at.hour == 0) and not (one.station is CHEONGGYE and 40 <= hour < 64)
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a predictor runs, and for how many hours."""

    settings: PredictorSettings
    hours: int


# Three days and some hours, so that forecasts come true at every horizon; on the other database half a day.
@pytest.fixture(params=[("sqlite", 79), ("postgres", 16)], ids=lambda param: param[0])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    kind, hours = request.param
    url = request.getfixturevalue("postgres_predictor_url") if kind == "postgres" else None
    return Place(predictor_settings(tmp_path, database_url=url, model_path=good_model_file(tmp_path)), hours)


def good_model_file(folder: Path) -> Path:
    """Another file than the baseline's, that forecasts nearly as it does."""
    model = load(BASELINE).model
    assert isinstance(model, DampedPersistence)
    model.memory_hours.fill_(300.0)
    path = folder / "good.pt"
    save(model, path)
    return path


@asynccontextmanager
async def at_rest(settings: PredictorSettings, hour: int = 0) -> AsyncIterator[Predictor]:
    async with open_predictor(settings, SettableClock(NOON + hour * HOUR), follow=False) as predictor:
        yield predictor


async def follow_hours(predictor: Predictor, elements: Iterable[range]) -> dict[tuple[str, datetime], Forecast]:
    """Takes an element for each range of hours; what was told, the last of each station and issue time."""
    told: dict[tuple[str, datetime], Forecast] = {}
    for hours in elements:
        predictor.clock.now = NOON + hours[-1] * HOUR
        await predictor.issuer.take([one for hour in hours for one in element(hour)], f"t{hours[-1]}")
        for station_id, forecast in predictor.issuer.board.newest.items():
            told[station_id, forecast.issue_time] = forecast
    return told


def hourly(hours: range) -> list[range]:
    return [range(hour, hour + 1) for hour in hours]


def scores_by_hand(told: dict[tuple[str, datetime], Forecast], hours: int) -> dict[tuple[str, str, int], list[float]]:
    """By station, pollutant and horizon: count, squared error of the mean, and how many lay inside."""
    sums: dict[tuple[str, str, int], list[float]] = {}
    for hour in range(hours):
        for one in element(hour):
            for horizon in SCORED:
                forecast = told.get((one.station.station_id, one.measured_at - horizon * HOUR))
                if forecast is None:
                    continue
                for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
                    value = one.values[axis]
                    assert value is not None
                    lower, _, upper = forecast.quantiles[horizon - 1, axis]
                    error = forecast.mean[horizon - 1, axis] - value
                    own = sums.setdefault((one.station.station_id, pollutant.value, horizon), [0.0, 0.0, 0.0])
                    own[0] += 1
                    own[1] += error**2
                    own[2] += lower <= value <= upper
    return sums


async def stored_scores(predictor: Predictor, version: str) -> dict[tuple[str, str, int], list[float]]:
    found: dict[tuple[str, str, int], list[float]] = {}
    places = [SUMS.index(name) for name in ("count", "squared_error", "inside")]
    for station in STATIONS:
        days = await ScoreStore(predictor.database).of_days(
            [version], since=NOON - 48 * HOUR, station_id=station.station_id
        )
        sums = np.sum(list(days.values()), axis=0)
        for row, horizon in enumerate(SCORED):
            for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
                if sums[row, axis, 0]:
                    found[station.station_id, pollutant.value, horizon] = sums[row, axis, places].tolist()
    return found


async def scores_of(predictor: Predictor, version: str) -> list[Score]:
    newest = predictor.issuer.board.newest_issue_time
    assert newest is not None
    monitor = Monitor(ScoreStore(predictor.database))
    found = await monitor.scores(predictor.issuer.in_service, newest, days=30, station_id="")
    return [score for score in found if score.version == version]


async def learnt(predictor: Predictor) -> dict[str, bytes]:
    query = select(calibrations.c.sha256, calibrations.c.content)
    async with predictor.database.connect() as connection:
        return {row.sha256: bytes(row.content) for row in await connection.execute(query)}


async def test_scores_are_those_of_what_was_told_also_across_a_kill(place: Place) -> None:
    # Hour by hour at first, then three at a time.
    elements = [*hourly(range(7)), *(range(hour, hour + 3) for hour in range(7, place.hours, 3))]
    async with at_rest(place.settings) as before:
        told = await follow_hours(before, elements[:9])
    # What may not have been stored is told again.
    async with at_rest(place.settings) as after:
        told |= await follow_hours(after, elements[8:])
        version = after.issuer.model.loaded.version
        stored, by_hand = await stored_scores(after, version), scores_by_hand(told, place.hours)
        assert stored.keys() == by_hand.keys()
        for key, sums in by_hand.items():
            np.testing.assert_allclose(stored[key], sums, rtol=1e-3, atol=1e-8)
        scores = await scores_of(after, version)
        assert len(scores) == len({key[1:] for key in by_hand})
        for score in scores:
            cells = [sums for key, sums in by_hand.items() if key[1:] == (score.pollutant.value, score.horizon)]
            count, squared, inside = np.sum(cells, axis=0).tolist()
            assert score.count == count
            assert score.root_mean_square_error == pytest.approx(math.sqrt(squared / count), rel=1e-3)
            assert score.coverage == pytest.approx(inside / count)
            assert score.skill_damped_persistence is not None
        assert after.issuer.calibrated_until == NOON + (place.hours - 1) * HOUR
        assert not after.issuer.verdict.fallback


async def test_replicas_in_turn_learn_as_one_does(place: Place, tmp_path: Path) -> None:
    alone = predictor_settings(tmp_path / "alone", model_path=place.settings.model_path)
    hours = range(9)
    async with at_rest(alone) as single:
        await follow_hours(single, hourly(hours))
        expected = await learnt(single)
        expected_scores = await stored_scores(single, single.issuer.model.loaded.version)
    async with at_rest(place.settings) as one, at_rest(place.settings) as other:
        for hour in hours:
            first, second = (one, other) if hour % 3 else (other, one)
            if hour % 2:
                await first.issuer.take(element(hour), f"t{hour}")
                await second.issuer.take(element(hour), f"t{hour}")
            else:
                await asyncio.gather(*(each.issuer.take(element(hour), f"t{hour}") for each in (first, second)))
            if hour % 4 == 3:
                # Some hear of an hour again with the next one, others only of the next.
                await first.issuer.take([*element(hour), *element(hour + 1)], f"t{hour + 1}")
        assert await learnt(one) == expected
        assert len(expected) == 2
        scores = await stored_scores(one, one.issuer.model.loaded.version)
        assert scores.keys() == expected_scores.keys()
        for key, sums in scores.items():
            np.testing.assert_allclose(sums, expected_scores[key], rtol=1e-6)
        for predictor in (one, other):
            await predictor.issuer.take([], f"t{hours[-1]}")
        runs, others = one.issuer._runs, other.issuer._runs
        assert {key: run.calibration.to_bytes() for key, run in runs.items()} == expected
        assert {key: run.calibration.to_bytes() for key, run in others.items()} == expected
        for sha256, run in runs.items():
            assert run.pending.issues.keys() == others[sha256].pending.issues.keys()


async def test_a_champion_that_falls_behind_is_replaced_told_of_and_scored_on(tmp_path: Path) -> None:
    # It says that all fades to 10 µg/m³ at once, and is sure of it.
    settings = predictor_settings(tmp_path, model_path=plain_model_file(tmp_path, damping=0.0))
    stations = [replace(JONGNO, station_id=f"s{number}") for number in range(20)]

    async def hear(predictor: Predictor, hour: int) -> None:
        at = NOON + hour * HOUR
        await predictor.issuer.take([one for station in stations for one in hours_of_air(station, at, 1)], f"t{hour}")

    async with at_rest(settings) as before:
        for hour in range(16):
            assert not before.issuer.verdict.fallback
            await hear(before, hour)
        assert before.issuer.verdict.fallback
        assert "fallen behind damped persistence" in before.issuer.verdict.alerts[0]
    async with at_rest(settings, 16) as after:
        assert after.issuer.verdict.alerts
        await hear(after, 16)
        champion, baseline = after.issuer.model.loaded.version, after.issuer.baseline.loaded.version
        for told in after.issuer.board.newest.values():
            assert Limitation.FALLBACK in told.limitations
            assert told.model_version == baseline
        status = await after.service.GetModelStatus(wire.GetModelStatusRequest(days=2), UNUSED)
        assert status.fallback
        assert status.alerts[-1] == after.issuer.verdict.alerts[0]
        scored = {(one.model_version, one.horizon_hours, one.count) for one in status.scores}
        # In shadow it is scored on.
        assert {(champion, 1, 16 * 20), (baseline, 1, 16 * 20)} <= scored
        assert REGISTRY.get_sample_value("cleanair_forecast_fallback") == 1
        labels = {"model": champion, "pollutant": "PM25", "horizon": "6"}
        assert REGISTRY.get_sample_value("cleanair_forecast_scored", labels) == 11 * 20
        skill = REGISTRY.get_sample_value("cleanair_forecast_skill_damped_persistence", labels)
        assert skill is not None
        assert skill < -0.5
        # Another champion has its own record.
        await after.issuer.serve(after.issuer.baseline.loaded, None)
        assert not after.issuer.verdict.alerts
        assert REGISTRY.get_sample_value("cleanair_forecast_fallback") == 0
        assert REGISTRY.get_sample_value("cleanair_forecast_scored", labels) is None
        assert not any(Limitation.FALLBACK in told.limitations for told in after.issuer.board.newest.values())
