"""The baseline forecasts what its docstring says, whatever the window looks like."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.models.axes import HORIZON_HOURS
from predictor.models.calendar import WAVES, waves
from predictor.models.damped_persistence import LEADS, OLDEST_HOURS, DampedPersistence
from predictor.models.model_file import BASELINE, load
from predictor.window import hour_of
from tests.predictor.air import NOON, TYPICAL, plain_model

ISSUE = hour_of(NOON)


def shipped() -> DampedPersistence:
    model = load(BASELINE).model
    assert isinstance(model, DampedPersistence)
    return model


def window(*hours: tuple[float, ...]) -> torch.Tensor:
    """A window of one station, oldest hour first."""
    return torch.tensor([hours], dtype=torch.float32)


def forecast(model: DampedPersistence, values: torch.Tensor, issue: int = ISSUE) -> torch.Tensor:
    return model.quantiles(values[..., :4], torch.full((len(values),), issue, dtype=torch.int64))


def test_an_anomaly_fades_by_the_damping_of_each_lead() -> None:
    model = plain_model(spread=0.25)
    model.damping[0, 0], model.damping[0, 11] = 0.9, 0.4
    pm25 = forecast(model, window((32.0, 10.0, 10.0, 10.0)))[0, :, 0]
    # On the scale ln(x + 1) the usual value is ln 11, and the anomaly ln 33 - ln 11 = ln 3.
    one_hour, twelve_hours = math.log(11) + 0.9 * math.log(3), math.log(11) + 0.4 * math.log(3)
    assert pm25[0].tolist() == pytest.approx([math.exp(one_hour + d) - 1 for d in (-0.25, 0, 0.25)], rel=1e-5)
    assert pm25[11].tolist() == pytest.approx([math.exp(twelve_hours + d) - 1 for d in (-0.25, 0, 0.25)], rel=1e-5)


def test_the_climatology_is_that_of_the_valid_hour() -> None:
    model = plain_model(damping=0.0, spread=0.0)
    # The waves are a constant, two of the year (cos, sin each), then the day's first cosine: highest at midnight.
    model.pattern[0, 5] = 1.0
    pm25 = forecast(model, window(TYPICAL))[0, :, 0, 1]
    for horizon in (1, 6, 12, 30):
        local_hour = (NOON.hour + 9 + horizon) % 24
        usual = math.log(11) + math.cos(2 * math.pi * local_hour / 24)
        assert pm25[horizon - 1].item() == pytest.approx(math.exp(usual) - 1, rel=1e-5)


def test_the_stations_own_level_is_learnt_from_its_hours() -> None:
    model = plain_model(damping=0.0, spread=0.0)
    model.trust_hours.fill_(48.0)
    model.memory_hours.fill_(1e9)
    always_double = torch.full((1, 48, 4), 2 * 11 - 1.0)
    pm25 = forecast(model, always_double)[0, 0, 0, 1].item()
    # After as many hours as it takes to trust, half of the departure ln 2 is believed.
    assert pm25 == pytest.approx(11 * math.sqrt(2) - 1, rel=1e-5)
    one_hour = forecast(model, always_double[:, :1])[0, 0, 0, 1].item()
    assert one_hour == pytest.approx(11 * 2 ** (1 / 49) - 1, rel=1e-5)


def test_a_value_some_hours_old_counts_as_so_much_longer_ahead() -> None:
    model = plain_model()
    model.damping[:, :LEADS] = torch.linspace(1, 0.1, LEADS)
    fresh = forecast(model, window((50.0, 90.0, 0.05, 0.04)))[0]
    gap = (math.nan,) * 4
    late = forecast(model, window((50.0, 90.0, 0.05, 0.04), gap, gap, gap))[0]
    torch.testing.assert_close(late[:-3], fresh[3:])


def test_one_pollutant_may_be_missing_where_others_are_not() -> None:
    model = plain_model()
    answer = forecast(model, window((50.0, 10.0, 10.0, 10.0), (math.nan, 10.0, 10.0, 90.0)))[0, 0, :, 1]
    assert answer.tolist() == pytest.approx([math.sqrt(11 * 51) - 1, 10.0, 10.0, math.sqrt(11 * 91) - 1], rel=1e-5)


def test_a_silent_station_gets_the_climatology_with_a_wider_interval() -> None:
    model = shipped()
    heard = torch.tensor(TYPICAL).repeat(1, 336, 1)
    silent = torch.full_like(heard, math.nan)
    known, unknown = forecast(model, heard)[0], forecast(model, silent)[0]
    width = torch.log(unknown[..., 2] + 1e-3) - torch.log(unknown[..., 0] + 1e-3)
    known_width = torch.log(known[..., 2] + 1e-3) - torch.log(known[..., 0] + 1e-3)
    assert bool((width[:12] > known_width[:12]).all())
    assert bool((width[-1] > known_width[-1]).all())
    # What it says is what is usual: it does not hang on how long the silence is.
    torch.testing.assert_close(unknown, forecast(model, silent[:, :1])[0])


def test_a_day_of_silence_ends_the_say_of_the_last_value() -> None:
    model = plain_model(damping=1.0)
    hours = torch.full((1, OLDEST_HOURS + 2, 4), math.nan)
    hours[0, 1] = 80.0
    assert forecast(model, hours)[0, 0, 0, 1].item() == pytest.approx(80.0, rel=1e-5)
    hours[0, 1], hours[0, 0] = math.nan, 80.0
    assert forecast(model, hours)[0, 0, 0, 1].item() == pytest.approx(10.0, rel=1e-5)


def test_a_rougher_station_gets_a_wider_interval() -> None:
    model = shipped()
    calm = torch.tensor(TYPICAL).repeat(1, 336, 1)
    rough = calm * (1 + 0.3 * torch.tensor([1.0, -1.0]).repeat(168)[None, :, None])
    rough[0, -1] = calm[0, -1]
    assert bool((_width(forecast(model, rough)[0, 0]) > 1.5 * _width(forecast(model, calm)[0, 0])).all())


def _width(quantiles: torch.Tensor) -> torch.Tensor:
    return quantiles[..., 2] - quantiles[..., 0]


values = st.one_of(
    st.just(math.nan), st.floats(0, 2000, width=32), st.sampled_from([0.0, 0.001, -1.0, math.inf, 9999.0])
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(values, values, values, values), min_size=30, max_size=30), min_size=1, max_size=3),
    st.integers(0, 1_000_000),
)
def test_quantiles_are_finite_ascending_and_never_negative(hours: list[list[tuple[float, ...]]], issue: int) -> None:
    answer = forecast(shipped(), torch.tensor(hours, dtype=torch.float32), issue)
    assert answer.shape == (len(hours), HORIZON_HOURS, 4, 3)
    assert bool(answer.isfinite().all())
    assert bool((answer >= 0).all())
    assert bool((answer.diff(dim=-1) >= 0).all())


def test_a_station_gets_the_same_forecast_alone_and_in_a_batch() -> None:
    model, generator = shipped(), torch.Generator().manual_seed(1)
    batch = torch.rand(40, 336, 4, generator=generator) * 50
    batch[torch.rand(batch.shape, generator=generator) < 0.25] = math.nan
    issues = ISSUE - torch.arange(40) % 3
    together = model.quantiles(batch, issues)
    for station in (0, 7, 39):
        alone = model.quantiles(batch[station : station + 1], issues[station : station + 1])
        torch.testing.assert_close(alone[0], together[station], rtol=1e-5, atol=1e-6)


def test_the_calendar_tells_hours_apart_in_any_year() -> None:
    hours = torch.tensor([ISSUE, ISSUE + 1, ISSUE + 24, ISSUE + 24 * 182])
    assert waves(hours).shape == (4, WAVES)
    day = waves(hours)[:, 5]
    assert day[0].item() == pytest.approx(-1, abs=1e-6)
    assert day[1].item() == pytest.approx(-math.cos(2 * math.pi / 24), abs=1e-6)
    assert day[2].item() == pytest.approx(-1, abs=1e-6)
    year = waves(hours)[:, 1:3]
    assert bool((year[0] + year[3]).abs().max() < 0.02)
