"""The shipped nets, and made-up air of three stations for them: two in Seoul, one in Incheon to the west."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.places import Network, Point, Station
from predictor.models.day_marks import Days
from predictor.models.ensemble import Ensemble
from predictor.models.field import known_of
from predictor.models.model_file import SHIPPED, load
from predictor.models.observed import NO_HOLIDAYS, Observed
from predictor.models.recurrent_ensemble import Distribution, RecurrentEnsemble
from predictor.models.weather_input import Weather, no_weather
from predictor.window import hour_of
from tests.predictor.air import JONGNO, NOON

Floats = NDArray[np.float64]

ISSUE: Final = hour_of(NOON)
TOMORROW_OFF: Final[Days] = np.array([(ISSUE + 9) // 24 + 1])

ROADSIDE: Final = Station("no such station", "새 도로변", Point(37.56, 127.03), Network.ROADSIDE)
INCHEON: Final = Station("송도", "송도", Point(37.382, 126.656), Network.BACKGROUND)
STATIONS: Final = (JONGNO, ROADSIDE, INCHEON)

_USUAL: Final = np.array([22.0, 45.0, 0.030, 0.022, 0.5, 0.004])
_USUAL_WEATHER: Final = np.array([9.0, 62.0, 1.0, -0.8, 2.6, 0.0, 5.0])
_WEATHER_SWING: Final = np.array([6.0, 20.0, 2.0, 1.5, 1.2, 0.0, 4.0])


@functools.cache
def shipped() -> RecurrentEnsemble:
    # As it serves; and threads that wait for each other on busy cores take seconds for nothing.
    torch.set_num_threads(1)
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    return model.nets


def observed(
    values: torch.Tensor,
    stations: Sequence[Station] = STATIONS,
    weather: Weather | None = None,
    holidays: Days = NO_HOLIDAYS,
) -> Observed:
    """What is known at ISSUE."""
    sky = no_weather(len(stations)) if weather is None else weather
    return Observed(stations, ISSUE, values.numpy(), sky, holidays)


def forecast_field(
    nets: RecurrentEnsemble,
    values: torch.Tensor,
    stations: Sequence[Station],
    weather: Weather | None = None,
    holidays: Days = NO_HOLIDAYS,
) -> Distribution:
    """What the nets expect on average."""
    return averaged(nets.distributions(known_of(nets, observed(values, stations, weather, holidays))))


def averaged(told: Sequence[Distribution]) -> Distribution:
    """The mean of nets."""
    return Distribution(
        torch.stack([one.quantiles for one in told]).mean(dim=0), torch.stack([one.mean for one in told]).mean(dim=0)
    )


def air(hours: int = 336, *, gaps: bool = True) -> torch.Tensor:
    """(3, hours, 6) in network units: rises and falls with the day and over days, with a gap in every eleventh value.

    With `gaps` the third station is silent for its last ten hours, and the first has no SO2.
    """
    station, hour, pollutant = np.ogrid[:3, -hours:0, :6]
    waves = 0.4 * np.sin(2 * np.pi * (hour + 4 * pollutant) / 24 + station) + 0.5 * np.sin(hour / 31 + pollutant)
    values: Floats = _USUAL * np.exp(waves + 0.1 * np.sin(hour * (station + 1.7)))
    if gaps:
        values[(7 * station + 13 * hour + 5 * pollutant) % 11 == 0] = np.nan
        values[2, -10:] = np.nan
        values[0, :, 5] = np.nan
    return torch.from_numpy(values.astype(np.float32))


def weather() -> Weather:
    """Weather of the three stations that swings with the day, two wet spells, and none for the second station."""
    station, hour, kind = np.ogrid[:3, -168:72, :7]
    values: Floats = _USUAL_WEATHER + _WEATHER_SWING * np.sin(2 * np.pi * hour / 24 + kind + station / 3)
    values[:, 100:110, 5] = 1.5
    values[:, 200:205, 5] = 4.0
    values[1] = np.nan
    both = torch.from_numpy(values.astype(np.float32))
    return Weather(observed=both[:, :168, :6], foreseen=both[:, 168:])
