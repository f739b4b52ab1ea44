"""Questions are answered with the hours that are still ahead, at stations and between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from air.places import Point, Station
from predictor.exceedance import grade_confidences
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.points import PointTooFar, at_points
from predictor.prediction import NoForecastYet, UnknownStation, at_stations
from tests.predictor.air import BUSAN, CHEONGGYE, HOUR, JONGNO, JUNG, NOON

KNOWN = {station.station_id: station for station in (JONGNO, JUNG, CHEONGGYE, BUSAN)}


def forecast(station: Station, level: float, issue_time: datetime = NOON) -> Forecast:
    """The median is `level` plus the hours since noon; the interval is one to each side."""
    since = (issue_time - NOON) // HOUR + np.arange(1, 73)
    quantiles = (level + since)[:, None, None] + np.zeros((72, 4, 1)) + np.array([-1.0, 0.0, 1.0])
    return Forecast(
        station, issue_time, "m-1", range(1, 73), quantiles, quantiles[..., 1], grade_confidences(quantiles), issue_time
    )


def newest(*forecasts: Forecast) -> Mapping[str, Forecast]:
    return {one.place.station_id: one for one in forecasts if isinstance(one.place, Station)}


def test_stations_come_in_the_order_asked_for() -> None:
    answers = at_stations(
        [JUNG.station_id, JONGNO.station_id],
        newest(forecast(JONGNO, 10), forecast(JUNG, 30)),
        KNOWN,
        now=NOON + timedelta(minutes=20),
        hours=6,
    )
    assert [answer.place for answer in answers] == [JUNG, JONGNO]
    assert answers[0].horizons == range(1, 7)
    assert answers[0].quantiles[:, 0, 1].tolist() == [31, 32, 33, 34, 35, 36]
    assert answers[0].confidences.tolist() == grade_confidences(answers[0].quantiles).tolist()


def test_hours_that_have_passed_are_left_out() -> None:
    (answer,) = at_stations(
        [JONGNO.station_id], newest(forecast(JONGNO, 10)), KNOWN, now=NOON + timedelta(hours=3), hours=24
    )
    assert answer.issue_time == NOON
    assert answer.horizons == range(4, 28)
    assert answer.quantiles[0, 0, 1] == 14


def test_no_more_hours_are_given_than_there_are() -> None:
    (answer,) = at_stations([JONGNO.station_id], newest(forecast(JONGNO, 10)), KNOWN, now=NOON + 70 * HOUR, hours=24)
    assert answer.horizons == range(71, 73)


def test_a_station_that_nobody_knows() -> None:
    with pytest.raises(UnknownStation) as raised:
        at_stations([JONGNO.station_id, "Atlantis"], newest(forecast(JONGNO, 1)), KNOWN, now=NOON, hours=1)
    assert raised.value.field == "station_ids[1]"
    assert "Atlantis" in raised.value.message


@pytest.mark.parametrize("known", [KNOWN, {}], ids=["the station has no forecast", "nothing is known yet"])
def test_a_station_without_a_forecast(known: Mapping[str, Station]) -> None:
    with pytest.raises(NoForecastYet) as raised:
        at_stations([JUNG.station_id], {}, known, now=NOON, hours=1)
    assert raised.value.field == "station_ids[0]"


def test_a_station_that_has_been_silent_for_longer_than_its_forecast_reaches() -> None:
    with pytest.raises(NoForecastYet, match="ended at 2026-03-19T03:00Z"):
        at_stations([JONGNO.station_id], newest(forecast(JONGNO, 1)), KNOWN, now=NOON + 72 * HOUR, hours=1)


def test_a_point_at_a_station_has_the_stations_air() -> None:
    forecasts = newest(forecast(JONGNO, 10), forecast(JUNG, 30))
    (answer,) = at_points([JONGNO.location], forecasts, now=NOON, hours=3)
    assert answer.place == JONGNO.location
    # Within 50 m of one station, 2.8 km from the other.

    expected = [[10, 11, 12], [11, 12, 13], [12, 13, 14]]
    np.testing.assert_allclose(answer.quantiles[:, 0], expected, atol=0.02)


def test_half_way_between_two_stations_is_their_mean() -> None:
    a, b = JONGNO.location, JUNG.location
    middle = Point((a.latitude + b.latitude) / 2, (a.longitude + b.longitude) / 2)
    (answer,) = at_points([middle], newest(forecast(JONGNO, 10), forecast(JUNG, 30)), now=NOON, hours=1)
    low, median, high = answer.quantiles[0, 0]
    assert median == pytest.approx(21, abs=0.01)
    assert low < 20
    assert high > 22


def test_the_kerb_does_not_speak_for_the_air_behind_the_houses() -> None:
    forecasts = newest(forecast(JONGNO, 10), forecast(CHEONGGYE, 500))
    (answer,) = at_points([CHEONGGYE.location], forecasts, now=NOON, hours=1)
    assert answer.quantiles[0, 0, 1] == 11
    with pytest.raises(NoForecastYet):
        at_points([CHEONGGYE.location], newest(forecast(CHEONGGYE, 500)), now=NOON, hours=1)


def test_a_far_station_has_no_say() -> None:
    (answer,) = at_points([JONGNO.location], newest(forecast(JONGNO, 10), forecast(BUSAN, 500)), now=NOON, hours=1)
    assert answer.quantiles[0, 0, 1] == 11


def test_a_point_far_from_all_stations() -> None:
    sea = Point(36.5, 124.0)
    with pytest.raises(PointTooFar) as raised:
        at_points([JONGNO.location, sea], newest(forecast(JONGNO, 10)), now=NOON, hours=1)
    assert raised.value.field == "points[1]"
    assert "km away" in raised.value.message


def test_stations_of_different_issue_times_meet_at_their_valid_times() -> None:
    late = forecast(JUNG, 10, NOON - 5 * HOUR)
    (answer,) = at_points([JUNG.location], newest(late, forecast(JONGNO, 10)), now=NOON, hours=72)
    assert answer.issue_time == NOON
    assert answer.horizons == range(1, 73)
    # Both say the same of each valid hour; of the last five only one says anything.
    assert answer.quantiles[:, 0, 1].tolist() == pytest.approx(list(range(11, 83)))


def test_a_station_ahead_of_our_clock_does_not_confuse_the_others() -> None:
    ahead = forecast(JUNG, 10, NOON + 3 * HOUR)
    (answer,) = at_points([JUNG.location], newest(ahead, forecast(JONGNO, 10)), now=NOON, hours=4)
    assert (answer.issue_time, answer.horizons) == (NOON + 3 * HOUR, range(1, 5))
    assert answer.quantiles[:, 0, 1].tolist() == pytest.approx([14, 15, 16, 17])


def test_a_point_says_what_its_stations_had_to_do_without() -> None:
    silent = replace(forecast(JONGNO, 10), limitations=frozenset({Limitation.STATION_SILENT}), newest_measured_at=None)
    (answer,) = at_points([JONGNO.location], newest(silent, forecast(JUNG, 10)), now=NOON, hours=1)
    assert answer.limitations == {Limitation.STATION_SILENT, Limitation.INTERPOLATED}
    assert answer.newest_measured_at == NOON


def test_points_whose_stations_have_long_been_silent() -> None:
    with pytest.raises(NoForecastYet) as raised:
        at_points([JONGNO.location], newest(forecast(JONGNO, 10)), now=NOON + 72 * HOUR, hours=1)
    assert raised.value.field == "points[0]"


def test_many_points_at_once_are_as_each_alone() -> None:
    forecasts = newest(forecast(JONGNO, 10), forecast(JUNG, 30, NOON - 2 * HOUR), forecast(BUSAN, 50, NOON - HOUR))
    points = [JONGNO.location, BUSAN.location, Point(37.4, 127.1)]
    for together, point in zip(at_points(points, forecasts, now=NOON, hours=30), points, strict=True):
        (alone,) = at_points([point], forecasts, now=NOON, hours=30)
        np.testing.assert_allclose(together.quantiles, alone.quantiles, atol=0.0101)
        assert (together.issue_time, together.horizons) == (alone.issue_time, alone.horizons)
    assert at_points([BUSAN.location], forecasts, now=NOON, hours=3)[0].horizons == range(2, 5)
