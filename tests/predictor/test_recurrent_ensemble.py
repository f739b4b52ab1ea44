"""The nets say what they said when they were trained, and something sensible whatever the window looks like."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS
from predictor.models.ensemble import Ensemble
from predictor.models.field import known_of
from predictor.models.model_file import SHIPPED, load
from predictor.models.recurrent_ensemble import Distribution, Known, history
from predictor.models.scale import to_net_units, to_z
from predictor.models.surroundings import no_surroundings
from predictor.models.weather_input import Weather, no_weather
from tests.predictor.air import JUNG, TYPICAL
from tests.predictor.recurrent import (
    INCHEON,
    ISSUE,
    ROADSIDE,
    STATIONS,
    TOMORROW_OFF,
    air,
    averaged,
    forecast_field,
    observed,
    shipped,
    weather,
)

_UNITS: Final = torch.tensor([1.0, 1.0, 1e-3, 1e-3])

# What another programme with the same weights says of the same air: stations, then +1, +24 and +72 h; µg/m³ and ppb.
_HORIZONS: Final = [0, 23, 71]
_QUANTILES: Final = (
    ((15.242, 19.977, 25.586), (62.550, 76.636, 94.044), (46.350, 54.637, 62.450), (19.003, 23.191, 28.369)),
    ((13.326, 25.117, 44.499), (35.062, 58.964, 98.247), (33.560, 46.730, 58.645), (13.803, 21.289, 32.854)),
    ((10.592, 21.166, 40.056), (26.785, 47.018, 81.016), (22.196, 36.480, 49.275), (18.306, 28.420, 45.564)),
    ((16.585, 22.132, 28.566), (63.372, 78.906, 98.679), (40.482, 48.875, 55.881), (12.711, 16.437, 21.435)),
    ((10.301, 21.860, 40.155), (29.093, 52.881, 91.539), (30.690, 45.126, 56.967), (8.549, 15.014, 25.908)),
    ((9.289, 21.163, 41.917), (22.600, 43.858, 79.646), (20.800, 36.641, 50.230), (9.189, 17.226, 31.340)),
    ((14.586, 19.763, 26.426), (51.382, 65.103, 82.024), (45.014, 58.520, 69.768), (27.705, 35.217, 44.914)),
    ((18.061, 35.568, 66.528), (37.955, 68.507, 117.174), (27.376, 46.053, 62.582), (14.502, 24.058, 39.733)),
    ((12.343, 26.616, 53.972), (24.615, 48.129, 87.100), (13.873, 29.694, 44.611), (14.489, 24.993, 42.794)),
)


def said(known: torch.Tensor, issue: int = ISSUE) -> Distribution:
    """Of stations of which only the hours are known."""
    return averaged(shipped().distributions(alone(known, torch.full((len(known),), issue))))


def alone(window: torch.Tensor, issue_hour: torch.Tensor) -> Known:
    """Stations of which nothing is known but their own hours."""
    nothing = torch.zeros(len(window), dtype=torch.int64)
    around = no_surroundings(len(window), WINDOW_HOURS)
    return Known(history(window), issue_hour, around, row=nothing, network=nothing, weather=no_weather(len(window)))


def assert_sound(answer: Distribution) -> None:
    for values in (answer.quantiles, answer.mean):
        assert bool(values.isfinite().all())
        assert bool((values >= 0).all())
    assert bool((answer.quantiles.diff(dim=-1) >= 0).all())


def relative_width(answer: Distribution) -> torch.Tensor:
    """How many times the 10 % quantile the 90 % quantile is, by horizon and pollutant, of one station."""
    low, _, high = (answer.main_quantiles[0] / _UNITS[:, None] + 1).unbind(dim=-1)
    return high / low


def test_the_nets_say_what_another_programme_says() -> None:
    known = known_of(shipped(), observed(air(), weather=weather(), holidays=TOMORROW_OFF))
    told = [one.main_quantiles.transpose(-1, -2) for one in shipped().distributions(known)]
    # There they are averaged on the scale.
    z = torch.stack([to_z(quantiles) for quantiles in told]).mean(dim=0).transpose(-1, -2)
    quantiles = to_net_units(z)[:, _HORIZONS]
    torch.testing.assert_close(quantiles.flatten(0, 1), torch.tensor(_QUANTILES), rtol=1e-4, atol=1e-3)


def test_the_same_is_said_twice() -> None:
    first, second = (forecast_field(shipped(), air(), STATIONS, weather=weather()) for _ in range(2))
    assert torch.equal(first.quantiles, second.quantiles)
    assert torch.equal(first.mean, second.mean)


def test_a_station_gets_the_same_forecast_alone_and_in_a_batch() -> None:
    values, seen = air(), weather()
    around = torch.randn(3, WINDOW_HOURS, 22, generator=torch.Generator().manual_seed(1))
    together = replace(
        alone(values, torch.tensor([ISSUE, ISSUE - 1, ISSUE])), around=around, weather=seen, row=torch.tensor([7, 0, 9])
    )
    batch = averaged(shipped().distributions(together))
    for place in range(3):
        one = slice(place, place + 1)
        by_itself = Known(
            history=together.history[one],
            issue_hour=together.issue_hour[one],
            around=around[one],
            row=together.row[one],
            network=together.network[one],
            weather=Weather(seen.observed[one], seen.foreseen[one]),
        )
        answer = averaged(shipped().distributions(by_itself))
        torch.testing.assert_close(answer.quantiles[0], batch.quantiles[place], rtol=1e-4, atol=1e-6)


def test_a_station_far_from_all_others_does_not_hear_of_them() -> None:
    far = replace(INCHEON, location=replace(INCHEON.location, latitude=33.2))
    values = air()
    among = forecast_field(shipped(), values, [*STATIONS[:2], far])
    lonely = forecast_field(shipped(), values[2:], [far])
    torch.testing.assert_close(among.quantiles[2], lonely.quantiles[0], rtol=1e-4, atol=1e-6)


def test_bad_air_to_the_west_is_bad_news() -> None:
    values = air(gaps=False)
    before = forecast_field(shipped(), values, STATIONS).quantiles[0, 5:24, 0, 4].mean()
    values[2, -6:, :2] *= 6
    after = forecast_field(shipped(), values, STATIONS).quantiles[0, 5:24, 0, 4].mean()
    assert after > before


def test_a_silent_station_gets_a_finite_forecast_with_a_wide_interval() -> None:
    heard = torch.tensor(TYPICAL).repeat(1, 336, 1)
    silent = said(torch.full_like(heard, math.nan))
    assert_sound(silent)
    width, known_width = relative_width(silent), relative_width(said(heard))
    assert bool((width[:3] > 1.2 * known_width[:3]).all())
    assert bool((width[:, 0] > 2).all())


def test_a_silent_station_hears_of_its_neighbours() -> None:
    values = air(gaps=False)
    values[0] = math.nan
    values[1:, :, 0] = 15.0
    clean = forecast_field(shipped(), values, [STATIONS[0], ROADSIDE, JUNG]).mean[0, :24, 0].mean()
    values[1:, :, 0] = 90.0
    dirty = forecast_field(shipped(), values, [STATIONS[0], ROADSIDE, JUNG]).mean[0, :24, 0].mean()
    assert dirty > 2 * clean


def test_stations_that_the_nets_never_saw_are_all_alike() -> None:
    model = shipped()
    assert model.rows_of(["no such station", "", "종로구 "]).tolist() == [0, 0, 0]
    assert model.rows_of(["종로구"]).item() > 0
    unknown = [replace(station, station_id=f"new {place}") for place, station in enumerate(STATIONS)]
    others = [replace(station, station_id=f"other {place}") for place, station in enumerate(STATIONS)]
    answers = [forecast_field(model, air(), stations).quantiles for stations in (unknown, others)]
    assert torch.equal(*answers)
    assert not torch.equal(answers[0], forecast_field(model, air(), STATIONS).quantiles)


def test_four_pollutants_and_a_short_window_will_do() -> None:
    for hours in (1, 30, 168, 400):
        assert_sound(forecast_field(shipped(), air(hours)[..., :4], STATIONS))
    longer = air(400)
    torch.testing.assert_close(said(longer).quantiles, said(longer[:, -336:]).quantiles)


def test_weather_that_stops_half_way_is_no_trouble() -> None:
    cut = weather()
    cut.foreseen[:, 30:] = math.nan
    cut.observed[:, -3:] = math.nan
    assert_sound(forecast_field(shipped(), air(), STATIONS, weather=cut))


def test_rain_to_come_cleans_the_air() -> None:
    dry, wet = weather(), weather()
    for sky, rain in ((dry, 0.0), (wet, 5.0)):
        sky.foreseen[..., 5] = rain
    means = [forecast_field(shipped(), air(), STATIONS, weather=sky).mean[0, 12:, 1].mean() for sky in (dry, wet)]
    assert means[1] < means[0]


values = st.one_of(
    st.just(math.nan), st.floats(0, 2000, width=32), st.sampled_from([0.0, 0.001, -1.0, math.inf, -math.inf, 9999.0])
)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.tuples(values, values, values, values), min_size=30, max_size=30), min_size=1, max_size=3),
    st.integers(0, 1_000_000),
)
def test_nothing_but_numbers_comes_out(hours: list[list[tuple[float, ...]]], issue: int) -> None:
    assert_sound(said(torch.tensor(hours, dtype=torch.float32), issue))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(width=32), min_size=7, max_size=7), st.integers(0, 71))
def test_no_weather_whatever_brings_the_nets_down(hour: list[float], at: int) -> None:
    wild = weather()
    wild.foreseen[:, at] = torch.tensor(hour)
    wild.observed[:, -1 - at] = torch.tensor(hour[:6])
    assert_sound(forecast_field(shipped(), air(), STATIONS, weather=wild))


def test_the_ensemble_tells_each_net_and_the_damped_persistence() -> None:
    loaded = load(SHIPPED)
    assert isinstance(loaded.model, Ensemble)
    answer = loaded.model.forecast(observed(air(), weather=weather()))
    assert loaded.model.members == ("lstm", "gru", "damped-persistence")
    assert answer.mean.shape == (3, 3, HORIZON_HOURS, 4)
    assert answer.quantiles.shape == (3, 3, HORIZON_HOURS, 4, 3)
    assert loaded.version == f"ensemble-1+{loaded.sha256[:8]}"
    alone = loaded.model.damped.forecast(observed(air()))
    np.testing.assert_allclose(answer.quantiles[2], alone.quantiles[0], rtol=1e-5)


def test_of_some_stations_asked_for_the_answers_are_those_of_all() -> None:
    everything = observed(air(), weather=weather())
    model = load(SHIPPED).model
    some = model.forecast(replace(everything, asked=np.array([0, 2])))
    np.testing.assert_allclose(some.quantiles, model.forecast(everything).quantiles[:, [0, 2]], rtol=1e-4)


@pytest.mark.parametrize("day_off", [True, False])
def test_a_holiday_changes_the_next_day(*, day_off: bool) -> None:
    off = TOMORROW_OFF if day_off else np.empty(0, dtype=np.int64)
    answer = forecast_field(shipped(), air(), STATIONS, holidays=off)
    usual = forecast_field(shipped(), air(), STATIONS)
    assert torch.equal(answer.quantiles, usual.quantiles) is not day_off


def test_the_shipped_nets_are_those_on_their_card() -> None:
    card = SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    digest = SHIPPED.with_name(SHIPPED.name + ".sha256").read_text(encoding="ascii").split()[0]
    assert digest in card
