"""What a forecast lacks is said, and makes its intervals wider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch

from air.places import Station
from predictor.forecast import Forecast
from predictor.limitation import Limitation
from predictor.models.model_file import BASELINE, SHIPPED, LoadedModel, load
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather
from predictor.run import Run
from predictor.serving import Lineup, forecast_anew
from predictor.weather_book import WeatherBook
from predictor.window import Reading, ReadingWindow
from tests.predictor.air import HOUR, JONGNO, JUNG, NOON, hours_of_air, reading

HOURS = 180
NOTHING = (None,) * 6


class Fair:
    """The same fair weather everywhere and always; of the hours to come only so many are foreseen."""

    def __init__(self, foreseen_hours: int = 72) -> None:
        self._foreseen_hours = foreseen_hours

    def at(self, stations: Sequence[Station], issue_hour: int) -> Weather:
        one = torch.tensor([12.0, 60.0, 1.0, 1.0, 2.0, 0.0, 5.0])
        foreseen = torch.full((len(stations), 72, FORESEEN), torch.nan)
        foreseen[:, : self._foreseen_hours] = one
        return Weather(one[:OBSERVED].expand(len(stations), 168, OBSERVED), foreseen)


@pytest.fixture(scope="module")
def shipped() -> LoadedModel:
    return load(SHIPPED)


def forecasts(
    loaded: LoadedModel, readings: Iterable[Reading], weather: Fair | WeatherBook | None = None
) -> dict[str, Forecast]:
    window, _ = ReadingWindow(HOURS).with_readings(readings)
    runs = {loaded.sha256: Run.fresh(loaded)}
    told = forecast_anew(runs, Lineup(loaded, loaded), window, window.stations, weather or Fair()).forecasts
    return {one.place.station_id: one for one in told if isinstance(one.place, Station)}


def width(forecast: Forecast) -> float:
    """Of the 80 % intervals of the first day's PM2.5, beside the median."""
    first = forecast.quantiles[:24, 0]
    return float(np.mean((first[:, 2] - first[:, 0]) / first[:, 1]))


def silent_since(hours: int) -> list[Reading]:
    """Two stations, of which one has been silent for so many hours."""
    return [*hours_of_air(JUNG, NOON, HOURS), *hours_of_air(JONGNO, NOON - hours * HOUR, HOURS - hours)]


def test_a_station_of_which_all_is_known_lacks_nothing(shipped: LoadedModel) -> None:
    told = forecasts(shipped, silent_since(0))
    assert told[JONGNO.station_id].limitations == frozenset()


@pytest.mark.parametrize(("hours", "silent", "missing"), [(2, False, False), (3, True, False), (6, True, True)])
def test_a_silent_station_is_forecast_wider_and_says_so(
    shipped: LoadedModel, hours: int, *, silent: bool, missing: bool
) -> None:
    told = forecasts(shipped, silent_since(hours))[JONGNO.station_id]
    assert (Limitation.STATION_SILENT in told.limitations) is silent
    assert (Limitation.MEASUREMENTS_MISSING in told.limitations) is missing
    assert told.issue_time == NOON
    assert width(told) > width(forecasts(shipped, silent_since(0))[JONGNO.station_id])


def test_the_hour_that_is_missing_every_day_is_no_silence(shipped: LoadedModel) -> None:
    gappy = [one for one in silent_since(0) if one.measured_at.hour != 0]
    assert forecasts(shipped, gappy)[JONGNO.station_id].limitations == frozenset()


def test_a_station_that_reports_nothing_but_gaps_is_silent(shipped: LoadedModel) -> None:
    gaps = [reading(measured_at=NOON - back * HOUR, values=NOTHING) for back in range(30)]
    told = forecasts(shipped, [*hours_of_air(JUNG, NOON, HOURS), *gaps])[JONGNO.station_id]
    assert {Limitation.STATION_SILENT, Limitation.MEASUREMENTS_MISSING} <= told.limitations
    assert told.newest_measured_at is None
    assert np.isfinite(told.quantiles).all()


def test_without_weather_forecasts_are_wider_and_say_so(shipped: LoadedModel) -> None:
    known, unknown = (forecasts(shipped, silent_since(0), weather) for weather in (Fair(), WeatherBook()))
    assert unknown[JONGNO.station_id].limitations == {Limitation.WEATHER_MISSING}
    assert width(unknown[JONGNO.station_id]) > width(known[JONGNO.station_id])
    some = forecasts(shipped, silent_since(0), Fair(foreseen_hours=40))
    assert some[JONGNO.station_id].limitations == frozenset()


def test_who_does_not_look_at_the_weather_does_not_miss_it() -> None:
    told = forecasts(load(BASELINE), silent_since(0), WeatherBook())
    assert told[JONGNO.station_id].limitations == frozenset()


def test_a_station_that_the_model_has_not_learnt_is_named(shipped: LoadedModel) -> None:
    stranger = Station("nobody's", "nobody's", JONGNO.location, JONGNO.network)
    told = forecasts(shipped, [*silent_since(0), *hours_of_air(stranger, NOON, HOURS)])
    assert told[stranger.station_id].limitations == {Limitation.STATION_UNKNOWN}
